"""What a template can see: the merged values at the top, and `ngcp` for what the node knows of itself."""

import socket
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final

from ngcpcfg import network, reads
from ngcpcfg.configuration import Configuration
from ngcpcfg.network import UnresolvedError
from ngcpcfg.problems import RefusedError


class Section(dict[str, Any]):
    """A group of keys that knows its own name, and notes which of its values are looked at (`reads`)."""

    __slots__ = ("place",)

    def __init__(self, values: Mapping[str, Any], *place: str) -> None:
        self.place = place
        """The keys that lead to it."""
        super().__init__({key: _named(value, (*place, key)) for key, value in values.items()})

    def path(self, key: object) -> str:
        """Give the full dotted name of a key in this group."""
        return ".".join((*self.place, str(key)))

    def look_up(self, key: str) -> Any:  # noqa: ANN401 -- a value of the configuration
        """Give a value for a template."""
        value = dict.__getitem__(self, key)
        if not isinstance(value, Section):
            reads.note((*self.place, key), value)
        return value

    def __iter__(self) -> Iterator[str]:
        self._note_all()
        return super().__iter__()

    def __len__(self) -> int:
        self._note_all()
        return super().__len__()

    def __contains__(self, key: object) -> bool:
        self._note_all()
        return self.has(key)

    def has(self, key: object) -> bool:
        """Tell whether there is a key, without a note."""
        return super().__contains__(key)

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # dict's own type cannot be named
        """Give keys and values."""
        self._note_all()
        return super().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # likewise
        """Give the values."""
        self._note_all()
        return super().values()

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # likewise
        """Give the keys."""
        self._note_all()
        return super().keys()

    def __str__(self) -> str:
        self._note_all()
        return super().__repr__()

    def __eq__(self, other: object) -> bool:
        self._note_all()
        return super().__eq__(other)

    __hash__ = None

    def _note_all(self) -> None:
        reads.note(self.place, dict(dict.items(self)))


def _named(value: object, place: tuple[str, ...]) -> object:
    if isinstance(value, dict):
        return Section(value, *place)
    if isinstance(value, list):
        return [_named(item, (*place, str(i))) for i, item in enumerate(value)]
    return value


class Node:
    """The object `ngcp` of the templates."""

    #: What templates may look at and still need not be rendered every time.
    NOTED: Final = frozenset({"address", "address6", "addresses", "addresses6", "hostname"})

    def __init__(self, hosts: dict[str, Any]) -> None:
        self._host = hosts["self"] if hosts else {"interfaces": []}
        self._asked: dict[tuple[str, str], str | list[str]] = {}

    @property
    def hostname(self) -> str:
        """The node's name, without a domain if it was set without one."""
        name = socket.gethostname()
        reads.note(("ngcp", "hostname"), name)
        return name

    def address(self, kind: str) -> str:
        """Give the address of the first interface of network.yml that has the type `kind`."""
        return str(self._ask("address", network.address_of, kind))

    def address6(self, kind: str) -> str:
        """Give the IPv6 address beside it; empty if that interface has none."""
        return str(self._ask("address6", network.address6_of, kind))

    def addresses(self, kind: str) -> list[str]:
        """List the addresses of all interfaces of network.yml that have the type `kind`."""
        return list(self._ask("addresses", network.addresses_of, kind))

    def addresses6(self, kind: str) -> list[str]:
        """List the IPv6 addresses beside them."""
        return list(self._ask("addresses6", network.addresses6_of, kind))

    def _ask(
        self, name: str, answer: Callable[[dict[str, Any], str], str | list[str]], kind: str
    ) -> str | list[str]:
        """Ask the running system once; the answer stays until the end of the run."""
        if (name, kind) not in self._asked:
            try:
                self._asked[name, kind] = answer(self._host, kind)
            except UnresolvedError as error:
                raise RefusedError(f"ngcp.{name}({kind!r}): {error}") from error
        found = self._asked[name, kind]
        reads.note(("ngcp", name, kind), found)
        return found

    def resolved(self) -> dict[str, Any]:
        """Give the host as network.yml describes it, with the addresses that the system gives it now."""
        found = dict(self._host)
        for name in self._host["interfaces"]:
            if isinstance(self._host.get(name), dict):
                found[name] = network.resolved(self._host, name)
        return found

    def recall(self, name: str, *arguments: str) -> object:
        """Give again what a template has looked at; None if that cannot be."""
        if name not in self.NOTED:
            return None
        try:
            found = getattr(self, name)
            return found(*arguments) if arguments else found
        except RefusedError:
            return None


def build(configuration: Configuration) -> dict[str, Any]:
    """Make the context of every template from a checked configuration."""
    values: dict[str, Any] = configuration.values
    return {key: _named(value, (key,)) for key, value in values.items()} | {
        "ngcp": Node(values.get("hosts", {}))
    }
