"""Preferences of a party, in layers: the first one that has an attribute decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

#: Values by attribute, each as text; attributes that may occur once have one.
Layer: TypeAlias = Mapping[str, tuple[str, ...]]

_NONE: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What is set for a party: its own layer first, then profile, domain, reseller and defaults."""

    layers: tuple[Layer, ...] = ()

    def all(self, attribute: str) -> tuple[str, ...]:
        """Return the values of a list."""
        for layer in self.layers:
            values = layer.get(attribute)
            if values is not None:
                return values
        return _NONE

    def text(self, attribute: str) -> str | None:
        """Return the value, None where there is none."""
        values = self.all(attribute)
        return values[0] if values else None

    def number(self, attribute: str) -> int | None:
        """Return the value of an `int`; what is none counts as absent."""
        text = self.text(attribute)
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    def flag(self, attribute: str) -> bool:
        """Tell whether a `boolean` is set and true."""
        return self.text(attribute) in ("1", "true", "yes")


NO_PREFERENCES: Final = Preferences()

#: An attribute and its values.
Setting: TypeAlias = tuple[str, tuple[str, ...]]
#: Layers whose excerpts are remembered.
_SIZE: Final = 20_000


class Excerpts:
    """What is set of some attributes only: few combinations, so what follows from one can be remembered."""

    def __init__(self, attributes: Iterable[str]) -> None:
        self._attributes = frozenset(attributes)
        self._known: dict[int, tuple[Layer, tuple[Setting, ...]]] = {}

    def of(self, preferences: Preferences) -> tuple[Setting, ...]:
        """Return the settings of all layers, the deciding ones first; equal ones are equal keys."""
        return tuple([setting for layer in preferences.layers if layer for setting in self._of_layer(layer)])

    def _of_layer(self, layer: Layer) -> tuple[Setting, ...]:
        """Look into a layer once: it is never changed, only replaced."""
        known = self._known.get(id(layer))
        if known is None or known[0] is not layer:
            if len(self._known) >= _SIZE:
                self._known.clear()
            known = layer, tuple([(name, layer[name]) for name in layer if name in self._attributes])
            self._known[id(layer)] = known
        return known[1]

    @staticmethod
    def preferences(settings: Iterable[Setting]) -> Preferences:
        """Return the preferences that an excerpt says."""
        merged: dict[str, tuple[str, ...]] = {}
        for name, values in settings:
            merged.setdefault(name, values)
        return Preferences((merged,))
