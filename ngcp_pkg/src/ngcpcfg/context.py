"""What a template can see: the merged values at the top, and `ngcp` for what the node knows of itself."""

import socket
from collections.abc import Mapping
from typing import Any

from ngcpcfg import network
from ngcpcfg.configuration import Configuration
from ngcpcfg.network import UnresolvedError
from ngcpcfg.problems import RefusedError


class Section(dict[str, Any]):
    """A group of keys that knows its own name, so that an error can say which key is missing."""

    __slots__ = ("_name",)

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self._name = name
        super().__init__({key: _named(value, self.path(key)) for key, value in values.items()})

    def path(self, key: object) -> str:
        """Give the full dotted name of a key in this group."""
        return f"{self._name}.{key}"


def _named(value: object, name: str) -> object:
    if isinstance(value, dict):
        return Section(value, name)
    if isinstance(value, list):
        return [_named(item, f"{name}.{i}") for i, item in enumerate(value)]
    return value


class Node:
    """The object `ngcp` of the templates."""

    def __init__(self, hosts: dict[str, Any]) -> None:
        self._host = hosts["self"] if hosts else {"interfaces": []}
        self.hostname = socket.gethostname()
        """The node's name, without a domain if it was set without one."""

    def address(self, kind: str) -> str:
        """Give the address of the first interface of network.yml that has the type `kind`."""
        try:
            return network.address_of(self._host, kind)
        except UnresolvedError as error:
            raise RefusedError(f"ngcp.address({kind!r}): {error}") from error

    def address6(self, kind: str) -> str:
        """Give the IPv6 address beside it; empty if that interface has none."""
        try:
            return network.address6_of(self._host, kind)
        except UnresolvedError as error:
            raise RefusedError(f"ngcp.address6({kind!r}): {error}") from error


def build(configuration: Configuration) -> dict[str, Any]:
    """Make the context of every template from a checked configuration."""
    values: dict[str, Any] = configuration.values
    return {key: _named(value, key) for key, value in values.items()} | {
        "ngcp": Node(values.get("hosts", {}))
    }
