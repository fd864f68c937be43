"""Work spread over processes: each takes its share, and hands back what it has made."""

import os
import pickle
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

#: A process costs about as much as this many templates.
WORTH_A_PROCESS: Final = 16


def count(wanted: int | None) -> int:
    """Say how many processes there may be: as many as asked for, or as the machine has processors."""
    return wanted or os.cpu_count() or 1


def shares(items: Sequence[_Item], jobs: int) -> list[Sequence[_Item]]:
    """Divide items among as many processes as are worth while."""
    number = max(1, min(jobs, len(items) // WORTH_A_PROCESS))
    return [items[first::number] for first in range(number)]


def spread(
    make: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int, worth: int = WORTH_A_PROCESS
) -> list[_Result]:
    """Give what `make` makes of each item, in their order; `worth` items or more for each process."""
    number = min(jobs, len(items) // worth)
    if number <= 1:
        return [make(item) for item in items]
    children = [_start(make, items[first::number]) for first in range(1, number)]
    made: list[list[_Result]] = [[make(item) for item in items[::number]]]
    made += [_collect(*child) for child in children]
    return [made[i % number][i // number] for i in range(len(items))]


def _start(make: Callable[[_Item], _Result], share: Sequence[_Item]) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        os.close(reading)
        with open(writing, "wb") as stream:
            pickle.dump([make(item) for item in share], stream)
        status = 0
    finally:
        os._exit(status)


def _collect(child: int, reading: int) -> list[_Result]:
    with open(reading, "rb") as stream:
        content = stream.read()
    if os.waitpid(child, 0)[1] != 0:
        raise ChildProcessError(f"process {child}, which rendered templates, was ended")
    made: list[_Result] = pickle.loads(content)
    return made
