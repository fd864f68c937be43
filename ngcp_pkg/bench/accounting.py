"""What the operating system counts of a process and its children: CPU time and memory (proc(5))."""

import os
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
#: Ticks a second in which proc(5) counts CPU time.
TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_of_stat(stat: str) -> int:
    """Return utime + stime, in ticks, of all threads together, from the text of `/proc/PID/stat`."""
    fields = stat[stat.rindex(")") + 2 :].split()  # the command's name may hold blanks and parentheses
    return int(fields[11]) + int(fields[12])


def pss_of_rollup(rollup: str) -> int:
    """Return the proportional set size, in bytes, from the text of `/proc/PID/smaps_rollup`."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss line")


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    children = (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time that living processes have used so far."""
    return sum(cpu_of_stat((PROC / str(pid) / "stat").read_text()) for pid in pids) / TICKS


def pss(pids: list[int]) -> int:
    """Return the memory of living processes, in bytes; a page shared by n processes counts 1/n in each."""
    return sum(pss_of_rollup((PROC / str(pid) / "smaps_rollup").read_text()) for pid in pids)
