"""What `ngcpcfg status` says: one block for each thing that may wait for the operator."""

from ngcpcfg import build, overrides
from ngcpcfg.check import BRANCH
from ngcpcfg.configuration import load_checked
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository

_UNTRACKED = "??"


def status(paths: Paths) -> list[str]:
    """Look at everything and change nothing; the lines to print."""
    repository = Repository(paths.main)
    if not repository.is_initialised():
        return [
            "Checking state of ngcpcfg:",
            "ACTION_NEEDED: has not been initialised yet",
            "-> execute 'ngcpcfg initialise'",
        ]
    return [
        "Checking state of ngcpcfg:",
        "OK:   has been initialised already",
        "Checking state of configuration files:",
        *_configuration(repository),
        "Checking state of /etc files:",
        *_rendered(paths),
        "Checking currently active branch:",
        *_branch(repository),
        "Checking for pending reboot requests:",
        *_reboot(paths),
        "Checking state of pending builds:",
        *_builds(paths, repository),
        *_overrides(paths),
    ]


def _configuration(repository: Repository) -> list[str]:
    changes = repository.changes()
    modified = [file for state, file in changes if state != _UNTRACKED]
    added = [file for state, file in changes if state == _UNTRACKED]
    lines: list[str] = []
    for what, names in (("modified", modified), ("added", added)):
        if names:
            lines.append(f"ACTION_NEEDED: configuration files have been {what}:")
            lines += [f"  {name}" for name in names]
    if lines:
        return [*lines, "-> execute 'ngcpcfg build' and 'ngcpcfg commit'"]
    return ["OK:   nothing to commit"]


def _rendered(paths: Paths) -> list[str]:
    try:
        stale = build.find_stale(paths, load_checked(paths.main))
    except RefusedError as error:
        return ["ACTION_NEEDED: the configuration cannot be used:", *(f"  {p}" for p in error.problems)]
    if not stale:
        return ["OK:   nothing to generate"]
    return [
        "ACTION_NEEDED: files differ from what the configuration makes:",
        *(f"  {target}" for target in stale),
        "-> execute 'ngcpcfg apply'",
    ]


def _branch(repository: Repository) -> list[str]:
    branch = repository.branch()
    if branch == BRANCH:
        return [f"OK:   branch {BRANCH} active"]
    return [f"ACTION_NEEDED: branch {branch} active", f"-> execute 'git checkout {BRANCH}'"]


def _reboot(paths: Paths) -> list[str]:
    if paths.reboot_required.exists():
        return ["ACTION_NEEDED: reboot requested", "-> execute 'reboot'"]
    return ["OK:     no reboot requested"]


def _overrides(paths: Paths) -> list[str]:
    stale = overrides.stale(paths)
    if not stale:
        return []
    return [
        "Checking the operator's templates:",
        "ACTION_NEEDED: the platform's have changed since:",
        *(f"  {override}" for override in stale),
    ]


def _builds(paths: Paths, repository: Repository) -> list[str]:
    built = build.recorded(paths)
    if built is None:
        return ["OK:       no build/apply executed yet, nothing to do"]
    if built == repository.head():
        return ["OK:     nothing to build"]
    return [
        "ACTION_NEEDED: commits without according build identified",
        "-> execute either 'ngcpcfg build' or 'ngcpcfg apply'",
    ]
