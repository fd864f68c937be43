"""Processes: commands that are waited for, and background processes in control groups of their own.

A control group names exactly the processes we started and all their children, survives the death of whoever
started them, and never comes to mean a stranger as a process id does: it is pid file and kill switch in one.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.errors import LabError
from lab.settings import LOGS


def run(*argv: str | Path, stdin: str | None = None, timeout: float = 120.0) -> str:
    """Run a command to its end and return what it printed; failure is a LabError that quotes it."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(map(str, argv))}: no end after {timeout:.0f} s") from None
    if done.returncode != 0:
        raise LabError(f"{' '.join(map(str, argv))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.1) -> bool:
    """Ask `condition` again and again until it holds or `timeout` seconds passed; return the last answer."""
    deadline = time.monotonic() + timeout
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(interval)
    return holds


@cache
def unified_hierarchy() -> Path:
    """Find where the version 2 control group hierarchy is mounted."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount_point, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(mount_point)
    raise LabError("no cgroup2 hierarchy is mounted on this machine")


@dataclass(frozen=True, slots=True)
class Background:
    """A background process with all its children, known by name."""

    name: str

    @property
    def group(self) -> Path:
        """Its control group."""
        return unified_hierarchy() / f"ngcp-lab-{self.name}"

    @property
    def log(self) -> Path:
        """Where its standard output and error go."""
        return LOGS / f"{self.name}.log"

    def is_running(self) -> bool:
        """Tell whether any process of it lives."""
        try:
            return "populated 1" in (self.group / "cgroup.events").read_text()
        except FileNotFoundError:
            return False

    def start(self, argv: Sequence[str | Path], *, cwd: Path | None = None) -> None:
        """Start it in a fresh control group; its output replaces the log of the run before."""
        self.remove()
        self.group.mkdir()
        LOGS.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            subprocess.Popen(
                entering(self.group, argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                start_new_session=True,
            )
        if not wait_until(self.is_running, timeout=5.0, interval=0.01):
            raise LabError(f"{self.name} did not start, see {self.log}")

    def stop(self, timeout: float = 10.0) -> None:
        """Ask its first process to end, kill what is left, and remove the group."""
        for pid in pids(self.group)[:1]:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not self.is_running(), timeout)
        self.remove()

    def remove(self) -> None:
        """Kill whatever is left of it and remove the group."""
        if not self.group.exists():
            return
        (self.group / "cgroup.kill").write_text("1")
        if not wait_until(lambda: not self.is_running(), timeout=10.0):
            raise LabError(f"processes of {self.name} cannot be killed, see {self.group}/cgroup.procs")
        remove_group(self.group)


def pids(group: Path) -> list[int]:
    """List the processes of a control group itself, oldest first."""
    try:
        return sorted(int(pid) for pid in (group / "cgroup.procs").read_text().split())
    except FileNotFoundError:
        return []


def remove_group(group: Path) -> None:
    """Remove an empty control group with those below it."""
    for directory, _, _ in os.walk(group, topdown=False):
        os.rmdir(directory)


def entering(group: Path, argv: Sequence[str | Path]) -> list[str | Path]:
    """Make the command that enters a control group before it becomes `argv`."""
    return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, *argv]
