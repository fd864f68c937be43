"""network.yml: which addresses the node has and what each is for.

An interface may be called `auto` and its addresses, `ip` and `v6ip`, may be `auto`. The running system is
asked what that is when a template asks for an address: a node that gets its address by DHCP follows it, and a
template that names no address can be rendered where there is no network yet.
"""

import ipaddress
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from ngcpcfg.schema import suggest
from ngcpcfg.values import KeyPath, Value

TYPES: Final = (
    "web_ext",
    "web_int",
    "ssh_ext",
    "sip_ext",
    "rtp_ext",
    "mon_ext",
    "sip_int",
    "ha_int",
    "aux_ext",
    "api_int",
    "rtp_int",
)
AUTO: Final = "auto"
#: What the node does; one node does all of it.
ROLES: Final = ("proxy", "lb", "mgmt", "rtp", "db")
#: Keys of `hosts.self` beside its interfaces.
OF_A_HOST: Final = ("dbnode", "interfaces", "role", "status")
STATUSES: Final = ("online", "offline", "inactive")


class UnresolvedError(Exception):
    """There is no such address, or the running system has not a single answer for an `auto`."""


def check(hosts: Value) -> Iterator[tuple[KeyPath, str]]:
    """Look through `hosts`; yields the path below it that is wrong and what is wrong with it."""
    host = hosts.get("self") if isinstance(hosts, dict) else None
    if not isinstance(host, dict):
        yield (), "must hold the key self"
        return
    yield from _check_host(host)
    names = host.get("interfaces")
    if not isinstance(names, list) or not names:
        yield ("self", "interfaces"), "must be a list of interface names such as [lo, eth0]"
        return
    for name in map(str, names):
        interface = host.get(name)
        if isinstance(interface, dict):
            yield from _check_interface(("self", name), interface)
        else:
            yield ("self", "interfaces"), f"{name} is listed, but there is no hosts.self.{name}"


def _check_host(host: dict[str, Value]) -> Iterator[tuple[KeyPath, str]]:
    roles, status = host.get("role", []), host.get("status", STATUSES[0])
    for role in roles if isinstance(roles, list) else [roles]:
        if role not in ROLES:
            yield ("self", "role"), f"{role!r} is not a role; roles are {', '.join(ROLES)}"
    if status not in STATUSES:
        yield ("self", "status"), f"{status!r} is not allowed; allowed is {' or '.join(STATUSES)}"


def _check_interface(path: KeyPath, interface: dict[str, Value]) -> Iterator[tuple[KeyPath, str]]:
    for key, value in ({"ip": None} | interface).items():
        if key == "type":
            continue
        if key not in OF_AN_INTERFACE:
            yield (*path, key), f"unknown key{suggest(key, (*OF_AN_INTERFACE, 'type'))}"
        elif not OF_AN_INTERFACE[key][1](value):
            shown = "nothing" if value is None else repr(value)
            yield (*path, key), f"{shown} is not allowed; allowed is {OF_AN_INTERFACE[key][0]}"
    yield from _check_types((*path, "type"), interface.get("type"))


def _check_types(path: KeyPath, types: Value) -> Iterator[tuple[KeyPath, str]]:
    if not isinstance(types, list):
        yield path, f"must be a list of some of {', '.join(TYPES)}"
        return
    for i, kind in enumerate(types):
        if kind not in TYPES:
            hint = suggest(str(kind), TYPES) or f"; allowed are {', '.join(TYPES)}"
            yield (*path, str(i)), f"{kind!r} is not a type of interface{hint}"


def _is_address(value: Value) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_ipv6(value: Value) -> bool:
    return _is_address(value) and ":" in str(value)


def _is_netmask(value: Value) -> bool:
    try:
        ipaddress.IPv4Network(f"0.0.0.0/{value}")
    except ValueError:
        return False
    return isinstance(value, str)


def _is_prefix(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 128


def _is_hardware_address(value: Value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}", value) is not None


def _or_auto(accepts: Callable[[Value], bool]) -> Callable[[Value], bool]:
    return lambda value: value == AUTO or accepts(value)


def _or_none(accepts: Callable[[Value], bool]) -> Callable[[Value], bool]:
    return lambda value: value is None or accepts(value)


def _list_of(accepts: Callable[[Value], bool]) -> Callable[[Value], bool]:
    return lambda value: value is None or (isinstance(value, list) and all(map(accepts, value)))


#: Keys of an interface beside `type`: what is allowed, in words, and what says so.
OF_AN_INTERFACE: Final[Mapping[str, tuple[str, Callable[[Value], bool]]]] = {
    "ip": ("an IPv4 or IPv6 address or auto", _or_auto(_is_address)),
    "netmask": ("a netmask such as 255.255.255.0, or auto", _or_none(_or_auto(_is_netmask))),
    "hwaddr": (
        "a hardware address such as 52:54:00:12:34:56, or auto",
        _or_none(_or_auto(_is_hardware_address)),
    ),
    "v6ip": ("an IPv6 address or auto", _or_none(_or_auto(_is_ipv6))),
    "v6netmask": ("a prefix length from 1 to 128, or auto", _or_none(_or_auto(_is_prefix))),
    "shared_ip": ("a list of IP addresses", _list_of(_is_address)),
    "shared_v6ip": ("a list of IPv6 addresses", _list_of(_is_ipv6)),
}


def addresses_of(host: dict[str, Any], kind: str) -> list[str]:
    """List the addresses of all interfaces of a checked `hosts.self` that have the type `kind`.

    Where an interface has addresses that move between nodes (`shared_ip`), services use the first of these.
    """
    return list(dict.fromkeys(_address(host, name) for name in _interfaces_of(host, kind)))


def addresses6_of(host: dict[str, Any], kind: str) -> list[str]:
    """List the IPv6 addresses beside them, of the interfaces that have one."""
    return list(dict.fromkeys(filter(None, (_address6(host, name) for name in _interfaces_of(host, kind)))))


def address_of(host: dict[str, Any], kind: str) -> str:
    """Give the first of them."""
    return _address(host, _interface_of(host, kind))


def _address(host: dict[str, Any], name: str) -> str:
    if shared := host[name].get("shared_ip"):
        return str(shared[0])
    if host[name]["ip"] != AUTO:
        return str(host[name]["ip"])
    interface = _default_interface() if name == AUTO else name
    address = _first_address(interface, "inet")
    if address is None:
        raise UnresolvedError(f"interface {interface} has no global IPv4 address")
    return address


def address6_of(host: dict[str, Any], kind: str) -> str:
    """Give the IPv6 address beside it, the key `v6ip`; empty if the interface has none."""
    return _address6(host, _interface_of(host, kind))


def _address6(host: dict[str, Any], name: str) -> str:
    if shared := host[name].get("shared_v6ip"):
        return str(shared[0])
    address = host[name].get("v6ip")
    if address != AUTO:
        return str(address or "")
    return _first_address(_default_interface() if name == AUTO else name, "inet6") or ""


def resolved(host: dict[str, Any], name: str) -> dict[str, Any]:
    """Give an interface of a checked `hosts.self`, with the addresses that it has now instead of `auto`."""
    interface = dict(host[name])
    own = {name: {key: interface[key] for key in ("ip", "v6ip") if key in interface}}
    with suppress(UnresolvedError):
        interface["ip"] = _address(own, name)
    if interface.get("v6ip") == AUTO:
        with suppress(UnresolvedError):
            interface["v6ip"] = _address6(own, name)
    return interface


def _interface_of(host: dict[str, Any], kind: str) -> str:
    for name in _interfaces_of(host, kind):
        return name
    raise UnresolvedError(f"no interface of network.yml has the type {kind}")


def _interfaces_of(host: dict[str, Any], kind: str) -> list[str]:
    return [str(name) for name in host["interfaces"] if kind in host[name]["type"]]


def _default_interface() -> str:
    for route in _ip("-4", "route", "show", "default"):
        if "dev" in route:
            return str(route["dev"])
    names = [str(link["ifname"]) for link in _ip("address", "show") if _global_addresses(link, "inet")]
    if len(names) == 1:
        return names[0]
    found = f"several interfaces have a global address: {', '.join(names)}"
    if not names:
        found = "no interface has a global address"
    raise UnresolvedError(f"there is no default route to find the interface by, and {found}")


def _first_address(interface: str, family: str) -> str | None:
    for link in _ip("address", "show", "dev", interface):
        for address in _global_addresses(link, family):
            return address
    return None


def _global_addresses(link: dict[str, Any], family: str) -> list[str]:
    """List the lasting addresses; those that IPv6 changes for privacy are for clients."""
    return [
        str(address["local"])
        for address in link.get("addr_info", ())
        if address["family"] == family and address["scope"] == "global" and not address.get("temporary")
    ]


def _ip(*arguments: str) -> list[dict[str, Any]]:
    try:
        answer = subprocess.run(["ip", "-j", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise UnresolvedError(f"cannot run ip: {error.strerror}") from error
    if answer.returncode != 0:
        raise UnresolvedError(answer.stderr.strip() or f"ip {' '.join(arguments)} failed")
    objects = json.loads(answer.stdout or "[]")
    return [item for item in objects if item]
