"""What a daemon can say of its own process: version, number, time and memory used."""

import os
import platform
import resource
import time
from importlib import metadata
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_STARTED: Final = time.time()
"""When this module was loaded, which daemons do first."""


def version(daemon: str) -> str:
    """Return name and version of the daemon."""
    try:
        return f"{daemon} {metadata.version('ngcp')}"
    except metadata.PackageNotFoundError:
        return f"{daemon} (not installed)"


def info(daemon: str) -> dict[str, str]:
    """Return the version and what the daemon runs on."""
    return {
        "version": version(daemon),
        "id": daemon,
        "compiler": f"{platform.python_implementation()} {platform.python_version()}",
        "flags": f"{platform.system()} {platform.machine()}",
    }


def processes() -> list[tuple[int, str]]:
    """Return each process's number and what it does."""
    return [(os.getpid(), "main process")]


def usage() -> dict[str, int | float]:
    """Return what this process has used: CPU seconds, and bytes of memory, descriptors, start now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    return {
        "process.cpu_seconds": used.ru_utime + used.ru_stime,
        "process.resident_memory_bytes": resident,
        "process.open_fds": len(os.listdir("/proc/self/fd")) - 1,  # less the one that lists them
        "process.start_time_seconds": _STARTED,
    }
