"""A seed as virtual machines are given it: the files of cloud-init's NoCloud, of which we read a small part.

`meta-data`, `user-data` and `network-config` (version 2) lie in a directory, or on a disk labelled cidata.
What stands there that we do not read is told by name and passed over; what we read and is wrong refuses all
of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from ngcp.tools.plan import Interface, Plan, check_hostname, check_key

T = TypeVar("T")

META, USER, NETWORK = "meta-data", "user-data", "network-config"
HEADER: Final = "#cloud-config"
#: Words that `ngcpcfg set` takes without quotes.
_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false"})
_BOOLEANS: Final = {"true": "yes", "false": "no"}


class SeedError(Exception):
    """Something in a seed is wrong, so nothing of it is used."""

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(": ".join(part for part in (str(file), key, problem) if part))


@dataclass(slots=True)
class Seed:
    """What a seed says."""

    instance: str
    """Names the machine that it is for; another one is another machine."""
    plan: Plan
    ignored: list[str] = field(default_factory=list)
    """Keys that we do not read, each with its file."""


def is_seed(directory: Path) -> bool:
    """Tell whether a directory holds a seed: NoCloud asks for these two."""
    return all((directory / name).is_file() for name in (META, USER))


def read(directory: Path) -> Seed:
    """Read a seed; SeedError names file and key of what is wrong."""
    ignored: list[str] = []
    meta = _open(directory / META, ignored)
    user = _open(directory / USER, ignored, HEADER)
    network = _open(directory / NETWORK, ignored)
    meta.know("instance-id", "local-hostname", "public-keys")
    user.know("hostname", "fqdn", "ssh_authorized_keys", "ngcp")
    names = (user.text("fqdn"), user.text("hostname"), meta.text("local-hostname"))
    hostname = next(filter(None, names), "")
    if hostname:
        hostname = user.checked("hostname", lambda: check_hostname(hostname))
    ngcp = user.section("ngcp")
    ngcp.know("config", "interfaces")
    plan = Plan(
        hostname,
        tuple(_interfaces(network)),
        (*_keys(meta, "public-keys"), *_keys(user, "ssh_authorized_keys")),
        tuple(_assignments(user)),
        tuple(_network_commands(ngcp.section("interfaces"))),
    )
    return Seed(meta.text("instance-id") or "nocloud", plan, ignored)


@dataclass(frozen=True, slots=True)
class _Section:
    """A group of keys, and who is to blame for them."""

    path: Path
    values: Mapping[str, Any]
    ignored: list[str]
    prefix: str = ""

    def section(self, key: str) -> "_Section":
        """Return the group of keys of that name, empty if there is none."""
        name = f"{self.prefix}{key}"
        return _Section(self.path, _mapping(self.values.get(key), self.path, name), self.ignored, f"{name}.")

    def know(self, *keys: str) -> None:
        """Note what else there is."""
        self.ignored.extend(f"{self.path.name}: {self.prefix}{key}" for key in self.values if key not in keys)

    def text(self, key: str) -> str:
        """Return a word, empty if there is none."""
        value = self.values.get(key, "")
        if isinstance(value, dict | list | bool):
            raise SeedError(self.path, self.prefix + key, "one word is expected")
        return str(value or "").strip()

    def flag(self, key: str) -> bool:
        """Return a truth, false if it is not said."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise SeedError(self.path, self.prefix + key, "true or false is expected")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words, empty if there is none."""
        value = self.values.get(key) or []
        if not isinstance(value, list) or any(isinstance(one, dict | list) for one in value):
            raise SeedError(self.path, self.prefix + key, "a list is expected")
        return tuple(str(one) for one in value)

    def checked(self, key: str, make: Callable[[], T]) -> T:
        """Return what `make` makes; whatever it finds wrong is wrong with this key."""
        try:
            return make()
        except ValueError as error:
            raise SeedError(self.path, (self.prefix + key).rstrip("."), str(error)) from error


def _mapping(value: object, path: Path, key: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SeedError(path, key, "keys and values are expected")
    return {str(name): item for name, item in value.items()}


def _open(path: Path, ignored: list[str], header: str = "") -> _Section:
    source = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if source and header and source.partition("\n")[0].strip() != header:
        raise SeedError(path, "", f"its first line must be {header}")
    try:
        return _Section(path, _mapping(yaml.safe_load(source), path, ""), ignored)
    except yaml.YAMLError as error:
        raise SeedError(path, "", f"not YAML: {str(error).splitlines()[0]}") from error


def _keys(file: _Section, key: str) -> tuple[str, ...]:
    """Read public keys: a list, or as some clouds have it, a group of named ones."""
    value = file.values.get(key)
    texts = [str(one) for one in value.values()] if isinstance(value, dict) else file.words(key)
    return file.checked(key, lambda: tuple(check_key(text) for text in texts))


def _interfaces(file: _Section) -> Iterable[Interface]:
    if "network" in file.values:  # as cloud-init's own documentation wraps it
        file.know("network")
        file = file.section("network")
    if not file.values:
        return
    if file.values.get("version") != 2:
        raise SeedError(file.path, f"{file.prefix}version", "2 is expected: version 1 is not read here")
    file.know("version", "ethernets", "renderer")
    ethernets = file.section("ethernets")
    for name in ethernets.values:
        yield _interface(ethernets.section(name), name)


def _interface(one: _Section, name: str) -> Interface:
    known = ("match", "dhcp4", "dhcp6", "addresses", "gateway4", "gateway6", "routes", "nameservers", "mtu")
    one.know(*known, "optional")
    match, nameservers = one.section("match"), one.section("nameservers")
    match.know("name", "macaddress")
    nameservers.know("addresses", "search")
    mac = match.text("macaddress").lower()
    gateways = (one.text("gateway4"), one.text("gateway6"), *_default_routes(one))
    return one.checked(
        "",
        lambda: Interface(
            match.text("name") or ("" if mac else name),
            mac,
            one.flag("dhcp4"),
            one.flag("dhcp6"),
            one.words("addresses"),
            tuple(filter(None, gateways)),
            nameservers.words("addresses"),
            nameservers.words("search"),
            int(one.text("mtu") or 0),
        ),
    )


def _default_routes(one: _Section) -> Iterable[str]:
    routes = one.values.get("routes") or []
    for route in routes if isinstance(routes, list) else [routes]:
        if not isinstance(route, dict) or set(route) != {"to", "via"}:
            raise SeedError(one.path, f"{one.prefix}routes", "a list of {to: …, via: …} is expected")
        if route["to"] not in ("default", "0.0.0.0/0", "::/0"):
            raise SeedError(
                one.path, f"{one.prefix}routes", f"only a default route is read, not {route['to']}"
            )
        yield str(route["via"])


def _network_commands(interfaces: _Section) -> Iterable[tuple[str, ...]]:
    """Write what each interface is for as `ngcp-network` takes it; that says whether it is right."""
    for name in interfaces.values:
        one = interfaces.section(name)
        one.know("ip", "v6ip", "netmask", "type")
        words = [f"--{key}={one.text(key)}" for key in ("ip", "v6ip", "netmask") if one.text(key)]
        types = [f"--type={kind}" for kind in one.words("type")]
        yield (f"--set-interface={name}", *words, *types)


def _assignments(user: _Section) -> Iterable[str]:
    """Write the group `ngcp.config` as `ngcpcfg set` takes it: what has quotes there is text here."""
    source = user.path.read_text(encoding="utf-8", errors="replace") if user.values else ""
    node: yaml.Node | None = yaml.compose(source, Loader=yaml.SafeLoader) if source else None
    for part in ("ngcp", "config"):
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        node = next((value for key, value in pairs if key.value == part), None)
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise SeedError(user.path, "ngcp.config", "keys and values are expected")
    for key, value in _leaves(node, ""):
        yield f"{key}={user.checked(f'ngcp.config.{key}', partial(_value, value))}"


def _leaves(node: yaml.MappingNode, above: str) -> Iterable[tuple[str, yaml.Node]]:
    for key, value in node.value:
        name = f"{above}{key.value}"
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _value(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return f"[{', '.join(_quoted(one) for one in node.value)}]"
    if isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _WORDS:
        return _BOOLEANS.get(str(node.value), str(node.value))
    return _quoted(node)


def _quoted(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError("a word, a number or a list of them is expected")
    text = str(node.value)
    if node.style is None and node.tag.endswith((":int", ":float")) and not text.startswith("0"):
        return text
    quote = '"' if "'" in text else "'"
    if quote in text or "\n" in text:
        raise ValueError("one line without both kinds of quotes is expected")
    return f"{quote}{text}{quote}"
