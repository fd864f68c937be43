"""What must happen after files have changed: their `.services` scripts, then each queued action once.

Beside the template of X, `X.services` belongs to X and `ngcpcfg.services` to every file made in that
directory. Both are run by sh.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcpcfg import service
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.service import CHANGED_AT, Action

_DIRECTORY_WIDE: Final = "ngcpcfg.services"
_UNITS: Final = ("/etc/systemd/system/", "/etc/init.d/")

#: What the daemons stand on comes first: a daemon need not be restarted onto a database that is about to be.
_FIRST: Final = ("/etc/sysctl.d/", "/etc/systemd/", "/etc/nftables", "/etc/mysql/", "/etc/redis/")


@dataclass(frozen=True, slots=True)
class Script:
    """A script to run, for files the newest of which was replaced at this monotonic time."""

    path: Path
    changed_at: float

    def name(self, pool: Path) -> str:
        """Give its path below the pool of templates, as operators see it."""
        return f"/{self.path.relative_to(pool)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running the services has come to."""

    done: tuple[Action, ...]
    failed: tuple[str, ...]


def scripts_for(changed: dict[str, float], pool: Path) -> list[Script]:
    """List the scripts that these changed files need, each once, in the order in which they are run."""
    wanted: dict[Path, float] = {}
    for target in sorted(changed, key=lambda target: (not target.startswith(_FIRST), target)):
        template = pool / target.removeprefix("/")
        for path in (template.with_name(f"{template.name}.services"), template.parent / _DIRECTORY_WIDE):
            if path.is_file():
                wanted[path] = max(changed[target], wanted.get(path, 0.0))
    return [Script(path, at) for path, at in wanted.items()]


def run(paths: Paths) -> Outcome:
    """Run what pending files need; they stay pending if anything fails, so that the next run tries again."""
    pending = Pending(paths.state)
    changed = pending.load()
    if not changed:
        return Outcome((), ())
    paths.queue.unlink(missing_ok=True)  # left by a run that was killed: its files are pending still
    if any(target.startswith(_UNITS) for target in changed):
        print("Reloading systemd daemon", flush=True)
        subprocess.run(["systemctl", "daemon-reload"], check=False)
    failed = [
        script.name(paths.templates)
        for script in scripts_for(changed, paths.templates)
        if not _run(script, paths)
    ]
    done: list[Action] = []
    for action in service.take(paths.queue):
        if not service.is_superfluous(action):
            done.append(action)
            failed += [] if _execute(action) else [str(action)]
    if not failed:
        pending.clear()
    return Outcome(tuple(done), tuple(failed))


def _run(script: Script, paths: Paths) -> bool:
    print(f"Executing action for {script.name(paths.templates)}", flush=True)
    environment = {**os.environ, CHANGED_AT: str(script.changed_at)}
    is_done = subprocess.run(["sh", str(script.path)], cwd="/", env=environment, check=False).returncode == 0
    return is_done or _warn(script.name(paths.templates))


def _execute(action: Action) -> bool:
    print(f"Executing enqueued services actions: {action}", flush=True)
    return service.execute(action) or _warn(str(action))


def _warn(what: str) -> bool:
    print(f"Warning: {what} returned with error code, continuing anyway.", file=sys.stderr, flush=True)
    return False
