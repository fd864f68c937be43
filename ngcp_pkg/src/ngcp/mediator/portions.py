"""Much, a portion at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def portions(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield values in their order, at most `size` together."""
    left = iter(values)
    while some := list(islice(left, size)):
        yield some
