"""State to text and back: whatever objects a call is made of, attribute by attribute.

The classes need not know of it. Objects that belong to the daemon are named, not written (`externals`), and
what no text can hold is written and made again by a `Special`; what can be called is left out, since the
core makes it anew. Reading runs no code of a class but its `__new__`: nothing in the text is executed.
"""

import base64
import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

#: Rooms whose classes may be written and made.
ROOMS: Final = ("ngcp.rtpengine.", "ngcp.rtp.", "ngcp.sdp.", "ngcp.stun.")
_SCALARS: Final = (str, int, float, bool, type(None))
_CONTAINERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "t": tuple,
    "l": list,
    "s": set,
    "f": frozenset,
}
_MARKS: Final = {kind: mark for mark, kind in _CONTAINERS.items()}


class UnreadableState(Exception):
    """A text is no state that this version knows; it says why."""


class Special(NamedTuple):
    """How objects of one class are written and made."""

    save: Callable[[Any], object]
    """Returns what can be written in their place."""
    make: Callable[[Any], object]
    """Makes one of that."""


class Snapshots:
    """Writes and reads."""

    def __init__(
        self, externals: Mapping[str, object] | None = None, specials: Mapping[type, Special] | None = None
    ) -> None:
        self._externals = dict(externals or {})
        self._names = {id(value): name for name, value in self._externals.items()}
        self._specials = dict(specials or {})

    def write(self, value: object) -> str:
        """Return `value` as ASCII text."""
        return json.dumps(_Writing(self._names, self._specials).write(value), separators=(",", ":"))

    def read(self, text: str) -> Any:  # noqa: ANN401 # whatever was written; the caller checks
        """Return what was written, or raise `UnreadableState`."""
        try:
            return _Reading(self._externals, self._specials).read(json.loads(text))
        except UnreadableState:
            raise
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise UnreadableState(f"{type(error).__name__}: {error}") from error


class _Writing:
    """One text. An object is written once; where it comes again stands its number."""

    def __init__(self, names: Mapping[int, str], specials: Mapping[type, Special]) -> None:
        self._names = names
        self._specials = specials
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []
        """So that no number is given twice."""

    def write(self, value: Any) -> object:  # noqa: ANN401 # anything
        kind = type(value)
        if kind in _SCALARS:
            return value
        if id(value) in self._names:
            return ["x", self._names[id(value)]]
        if kind in _MARKS:
            return [_MARKS[kind], *(self.write(item) for item in value)]
        if kind is dict:
            return ["d", *([self.write(key), self.write(item)] for key, item in value.items())]
        if kind is bytes:
            return ["b", base64.b64encode(value).decode()]
        if callable(value) and kind not in self._specials:
            return None
        return self._write_object(value, kind)

    def _write_object(self, value: Any, kind: type) -> object:  # noqa: ANN401 # of some class of ours
        name = _name(kind)
        if isinstance(value, Enum):
            return ["e", name, value.value]
        if isinstance(value, tuple):
            fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined] # a NamedTuple: no others are ours
            return ["n", name, self._unusual(kind, zip(fields, value, strict=True))]
        if id(value) in self._numbers:
            return ["r", self._numbers[id(value)]]
        self._numbers[id(value)] = len(self._kept)
        self._kept.append(value)
        if kind in self._specials:
            return ["p", name, self.write(self._specials[kind].save(value))]
        return ["o", name, self._unusual(kind, _attributes(value))]

    def _unusual(self, kind: type, attributes: Iterable[tuple[str, object]]) -> dict[str, object]:
        """Write those attributes that do not have their default, which most have."""
        usual = _defaults(kind)
        return {
            key: self.write(item)
            for key, item in attributes
            if key not in usual or type(item) is not type(usual[key]) or item != usual[key]
        }


class _Reading:
    """One text."""

    def __init__(self, externals: Mapping[str, object], specials: Mapping[type, Special]) -> None:
        self._externals = externals
        self._specials = specials
        self._made: list[object] = []

    def read(self, written: Any) -> Any:  # noqa: ANN401 # anything
        if not isinstance(written, list):
            return written
        mark, *rest = written
        if mark in _CONTAINERS:
            return _CONTAINERS[mark](self.read(item) for item in rest)
        match mark, rest:
            case "d", pairs:
                return {self.read(key): self.read(item) for key, item in pairs}
            case "b", [text]:
                return base64.b64decode(text, validate=True)
            case "x", [name]:
                return self._externals[name]
            case "r", [number]:
                return self._made[number]
            case "e", [name, member]:
                return _class(name)(member)
            case "n", [name, fields]:
                return _class(name)(**{field: self.read(item) for field, item in fields.items()})
            case "p", [name, saved]:
                return self._remember(self._specials[_class(name)].make, saved)
            case "o", [name, attributes]:
                return self._make(_class(name), attributes)
        raise UnreadableState(f"unknown mark {mark!r}")

    def _remember(self, make: Callable[[Any], object], saved: object) -> object:
        number = len(self._made)
        self._made.append(None)
        self._made[number] = make(self.read(saved))
        return self._made[number]

    def _make(self, kind: type, attributes: Mapping[str, object]) -> object:
        """Make an object; what is new in this version gets its default."""
        made: object = object.__new__(kind)
        self._made.append(made)
        for field in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
            if field.name not in attributes:
                object.__setattr__(made, field.name, _default(kind, field))
        for key, item in attributes.items():
            object.__setattr__(made, key, self.read(item))
        return made


@functools.cache
def _defaults(kind: type) -> Mapping[str, object]:
    """Return the attributes that need not be said, and what they are then."""
    if issubclass(kind, tuple):
        return getattr(kind, "_field_defaults", {})
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def _default(kind: type, field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    raise UnreadableState(f"{kind.__name__} without {field.name}")


def _name(kind: type) -> str:
    if not kind.__module__.startswith(ROOMS):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is no state")
    return f"{kind.__module__.removeprefix('ngcp.')}:{kind.__qualname__}"


def _class(name: str) -> type:
    """Return a class of ours that is there already."""
    place, _, own = name.partition(":")
    module = f"ngcp.{place}"
    found = getattr(sys.modules.get(module), own, None) if module.startswith(ROOMS) else None
    if not isinstance(found, type) or found.__module__ != module:
        raise UnreadableState(f"unknown class {name!r}")
    return found


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()
