"""Layers of preferences, from the proxy's copy."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from ngcp.provisioning.line import Line
from ngcp.provisioning.preferences.catalogue import CATALOGUE

from .preferences import Layer

#: Neither can be part of a value.
_BETWEEN: Final = "\x1e"
_INSIDE: Final = "\x1f"

#: What a statement says to get the rows `p` of one party as one text.
LIST: Final = f"GROUP_CONCAT(p.attribute, '{_INSIDE}', p.value ORDER BY p.id SEPARATOR '{_BETWEEN}')"

#: Shared by all who have nothing of their own.
NO_LAYER: Final[Layer] = {}

#: What holds where nobody set anything.
DEFAULTS: Final[Layer] = {
    name: (attribute.default,) for name, attribute in CATALOGUE.items() if attribute.default is not None
}


def layer_of(text: str) -> Layer:
    """Return the layer that a `LIST` is."""
    return _layer(pair.partition(_INSIDE)[::2] for pair in text.split(_BETWEEN) if pair)


async def load_layers(line: Line, table: str, key: str) -> Mapping[str, Layer]:
    """Return all layers of `table` (database `kamailio`), by its column `key`."""
    rows = await line.fetch(f"SELECT {key}, attribute, value FROM kamailio.{table} ORDER BY id")
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for owner, attribute, value in rows:
        pairs[str(owner)].append((str(attribute), str(value)))
    return {owner: _layer(own) for owner, own in pairs.items()}


def by_number(layers: Mapping[str, Layer]) -> Mapping[int, Layer]:
    """Return layers whose keys are numbers."""
    return {int(owner): layer for owner, layer in layers.items()}


def _layer(pairs: Iterable[tuple[str, ...]]) -> Layer:
    layer: dict[str, tuple[str, ...]] = {}
    for attribute, value in pairs:
        before = layer.get(attribute)
        layer[sys.intern(attribute)] = (*before, value) if before else _single(value)
    return layer


@lru_cache(maxsize=1024)
def _single(value: str) -> tuple[str, ...]:
    """Let the many who have the same value share it."""
    return (value,)
