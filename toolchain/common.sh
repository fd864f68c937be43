# What every script of the tool chain shares: where the cache is, how progress is told, which mirror is used.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true

#: The checkout this script belongs to.
# shellcheck disable=SC2034  # used by those who read this file
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
#: Everything that is costly to make and safe to delete lives here: the venv, the builder root, the base root.
NGCP_CACHE=${NGCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ngcp}
mkdir -p "$NGCP_CACHE"

# say TEXT: one line of progress, with the time of day.
say() { printf '%(%H:%M:%S)T %s\n' -1 "$*" >&2; }

# die TEXT: the same, then failure.
die() { say "$*"; exit 1; }

# hash_of FILE...: one key for the contents of these files.
hash_of() { cat -- "$@" | sha256sum | cut -c1-16; }

# locked NAME: let one process at a time pass, until the script ends.
locked() {
    exec {lock}> "$NGCP_CACHE/$1.lock"
    flock "$lock"
}

# debian_uri main|security: where this machine's own apt gets Debian, or Debian's security updates, from.
# A mirror serves all releases side by side, so the URI in use here is good for trixie as well.
debian_uri() {
    # shellcheck disable=SC2016  # apt's own $(FIELDS), not ours
    apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(REPO_URI)' 'Created-By: Packages' |
        awk -F'|' -v wanted="$1" '
            $1 == "Debian" && !found { kind = $2 ~ /-security$/ ? "security" : "main" }
            $1 == "Debian" && !found && kind == wanted { sub("/$", "", $3); print $3; found = 1 }'
}

# trixie_sources: sources.list lines for Debian 13, with its security updates, from this machine's mirror.
trixie_sources() {
    local mirror security
    mirror=$(debian_uri main)
    security=$(debian_uri security)
    [[ $mirror ]] || die "this machine's apt sources name no Debian mirror (see: apt-get indextargets)"
    echo "deb $mirror trixie main"
    echo "deb $mirror trixie-updates main"
    [[ -z $security ]] || echo "deb $security trixie-security main"
}
