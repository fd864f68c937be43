"""Texts that come back: the fields of a call stand in each of its messages and need reading only once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar, TypeVarTuple

#: Texts that are remembered at a time: those of some thousand calls.
SIZE: Final = 4096
#: Characters of a text that is worth remembering: what strangers send must not fill the memory.
LONGEST: Final = 200
#: Shapes of messages that are remembered at a time, and the lines that one worth it has: 11 MB at worst.
SHAPES: Final = 1024
USUAL_LINES: Final = 64

_Value = TypeVar("_Value")
_Others = TypeVarTuple("_Others")


def remembered(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Return `parse` with a memory; its values are shared, treat them as read-only. Errors are forgotten."""
    known = lru_cache(SIZE)(parse)
    return lambda text: known(text) if len(text) <= LONGEST else parse(text)


def remembered_shape(function: Callable[[tuple[str, ...]], _Value]) -> Callable[[tuple[str, ...]], _Value]:
    """Do the same for a function of `Head.shape`: few shapes are ever seen, and each very often."""
    known = lru_cache(SHAPES)(function)
    return lambda shape: (known if len(shape) <= USUAL_LINES else function)(shape)


def remembered_with(function: Callable[[str, *_Others], _Value]) -> Callable[[str, *_Others], _Value]:
    """Do the same for a function of a text and of other things, few and hashable."""
    known = lru_cache(SIZE)(function)
    return lambda text, *others: (known if len(text) <= LONGEST else function)(text, *others)
