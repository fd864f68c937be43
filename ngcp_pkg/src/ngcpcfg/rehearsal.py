"""What services would do, without doing it: `.services` scripts are run by a shell that can change nothing.

In bash's restricted mode, with no program to be found but systemctl, and that only to ask with. Whatever else
a script would run is shown.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ngcpcfg import messages, report, service, services
from ngcpcfg.paths import Paths
from ngcpcfg.pending import UNKNOWN, Pending
from ngcpcfg.service import ACTIONS, Action

#: `is-active` and its like are answered, everything else is only written down.
_PRELUDE: Final = """\
ngcp-service() { printf 'service %s\\n' "$*"; }
kill() { printf 'run kill %s\\n' "$*"; }
command_not_found_handle() { printf 'run %s\\n' "$*"; }
systemctl() {
    case " $* " in
        *" is-active "*|*" is-enabled "*|*" is-failed "*|*" show "*) command systemctl "$@" ;;
        *) printf 'run systemctl %s\\n' "$*" ;;
    esac
}
PATH=/nonexistent
readonly PATH
[ -z "$REAL_SYSTEMCTL" ] || hash -p "$REAL_SYSTEMCTL" systemctl
set -r
"""
_QUEUE: Final = "--queue"


def rehearse(paths: Paths, generated: list[str], *, forces_services: bool = False) -> int:
    """Show what would be done after these files and those still pending; how many actions that is."""
    changed = Pending(paths.state).load() | dict.fromkeys(generated, UNKNOWN)
    if forces_services:
        changed |= dict.fromkeys(services.all_targets(paths), UNKNOWN)
    if services.concern_systemd(changed):
        messages.info("Would reload systemd daemon")
    asked: list[Action] = []
    for script in services.scripts_for(changed, paths.templates):
        messages.info(f"Would execute action for {script.name(paths.templates)}")
        for line in _say(script.path).splitlines():
            kind, _, what = line.partition(" ")
            action = _action(what, script.changed_at) if kind == "service" else None
            if action is not None:
                asked.append(action)
            elif kind in {"run", "service"}:
                messages.info(f"Would run: {what}")
    actions = [action for action in service.merge(asked) if not service.is_superfluous(action)]
    for action in actions:
        messages.info(f"Would execute enqueued services actions: {action}")
    return len(actions)


def show(paths: Paths, *, forces_services: bool = False) -> int:
    """Show what `services` would do."""
    actions = rehearse(paths, [], forces_services=forces_services)
    messages.info(report.would_change(report.count(actions, "service action")))
    return 0


def _say(script: Path) -> str:
    environment: Mapping[str, str] = {**os.environ, "REAL_SYSTEMCTL": shutil.which("systemctl") or ""}
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-c", _PRELUDE + script.read_text(encoding="utf-8")],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stderr.splitlines():
        messages.info(f"Not known without running it: {line}")
    return done.stdout


def _action(words: str, changed_at: float) -> Action | None:
    """Read what a script asks of ngcp-service; None if it is not for the end of the run."""
    match words.split():
        case [option, unit, verb] if option == _QUEUE and verb in ACTIONS:
            return Action(unit, verb, changed_at)
        case _:
            return None
