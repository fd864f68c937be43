"""Which values a template has looked at: while they stay what they are, it makes what it has made before."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

#: Where a value stands: the keys that lead to it; nothing is everything.
Place: TypeAlias = tuple[str, ...]

_ABSENT: Final = "absent"
#: May be another one every time.
UNKNOWN: Final = "unknown"
_noted: list[dict[Place, str]] = []


@contextmanager
def recorded() -> Iterator[dict[Place, str]]:
    """Note what is looked at from here on: the digest of each value."""
    found: dict[Place, str] = {}
    _noted.append(found)
    try:
        yield found
    finally:
        _noted.pop()


def note(place: Place, value: object) -> None:
    """Note that a value was looked at."""
    if _noted:
        _noted[-1][place] = digest(value)


def note_absent(place: Place) -> None:
    """Note that there was none."""
    if _noted:
        _noted[-1][place] = _ABSENT


def note_unknown(place: Place) -> None:
    """Note that something was looked at that may be another one every time."""
    if _noted:
        _noted[-1][place] = UNKNOWN


def digest(value: object) -> str:
    """Tell values apart, also a number and the same number as text, and the order of keys."""
    return hashlib.blake2b(json.dumps(value, default=str).encode(), digest_size=12).hexdigest()


def is_same(place: Place, noted: str, values: Mapping[str, object]) -> bool:
    """Tell whether the value at a path still is the one that was noted."""
    here: object = values
    for key in place:
        if isinstance(here, Mapping) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        else:
            return noted == _ABSENT
    return digest(here) == noted
