"""What must happen after files have changed: their `.services` scripts, then each queued action once.

Beside the template of X, `X.services` belongs to X and `ngcpcfg.services` to every file made in that
directory. Both are run by sh.
"""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcpcfg import health, messages, service
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.pool import Pool
from ngcpcfg.service import CHANGED_AT, Action
from ngcpcfg.undo import Undo

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


def force(paths: Paths) -> None:
    """Let the services of every file count as pending, whether it changed or not."""
    Pending(paths.state).announce(all_targets(paths))


def all_targets(paths: Paths) -> list[str]:
    """List every file that a template makes."""
    return [template.target for template in Pool(paths.templates).find()]


def concern_systemd(changed: Iterable[str]) -> bool:
    """Tell whether systemd must read its units again."""
    return any(target.startswith(_UNITS) for target in changed)


def run(paths: Paths) -> Outcome:
    """Run what pending files need; they stay pending if anything fails, so that the next run tries again."""
    pending = Pending(paths.state)
    changed = pending.load()
    if not changed:
        return Outcome((), ())
    paths.queue.unlink(missing_ok=True)  # left by a run that was killed: its files are pending still
    failed = _reload_systemd(changed)
    for script in scripts_for(changed, paths.templates):
        failed += _run(script, paths)
    done = [action for action in service.take(paths.queue) if not service.is_superfluous(action)]
    for action in done:
        failed += _execute(action)
    failed += health.ailing(done)
    if not failed:
        pending.clear()
        Undo(paths).forget()
    return Outcome(tuple(done), tuple(failed))


def _reload_systemd(changed: dict[str, float]) -> list[str]:
    if not concern_systemd(changed):
        return []
    messages.info("Reloading systemd daemon")
    return _complain("systemctl daemon-reload", subprocess.run(["systemctl", "daemon-reload"], check=False))


def _run(script: Script, paths: Paths) -> list[str]:
    name = script.name(paths.templates)
    messages.info(f"Executing action for {name}")
    environment = {**os.environ, CHANGED_AT: str(script.changed_at)}
    done = subprocess.run(["sh", str(script.path)], cwd="/", env=environment, check=False)
    return _complain(name, done)


def _execute(action: Action) -> list[str]:
    messages.info(f"Executing enqueued services actions: {action}")
    return _complain(str(action), service.execute(action))


def _complain(what: str, done: "subprocess.CompletedProcess[bytes]") -> list[str]:
    """Warn of what has failed; the list of failures it adds."""
    if done.returncode == 0:
        return []
    messages.warn(f"{what} returned with error code, continuing anyway.")
    return [what]
