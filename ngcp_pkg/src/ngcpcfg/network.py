"""network.yml: which addresses the node has and what each is for.

An interface may be called `auto` and its addresses, `ip` and `v6ip`, may be `auto`. The running system is
asked what that is when a template asks for an address: a node that gets its address by DHCP follows it, and a
template that names no address can be rendered where there is no network yet.
"""

import ipaddress
import json
import subprocess
from collections.abc import Iterator
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


class UnresolvedError(Exception):
    """There is no such address, or the running system has not a single answer for an `auto`."""


def check(hosts: Value) -> Iterator[tuple[KeyPath, str]]:
    """Look through `hosts`; yields the path below it that is wrong and what is wrong with it."""
    host = hosts.get("self") if isinstance(hosts, dict) else None
    if not isinstance(host, dict):
        yield (), "must hold the key self"
        return
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


def _check_interface(path: KeyPath, interface: dict[str, Value]) -> Iterator[tuple[KeyPath, str]]:
    address, types = interface.get("ip"), interface.get("type")
    if address != AUTO and not _is_address(address):
        shown = "nothing" if address is None else repr(address)
        yield (*path, "ip"), f"{shown} is not allowed; allowed is an IPv4 or IPv6 address or auto"
    v6ip = interface.get("v6ip")
    if v6ip not in (None, AUTO) and not (_is_address(v6ip) and ":" in str(v6ip)):
        yield (*path, "v6ip"), f"{v6ip!r} is not allowed; allowed is an IPv6 address or auto"
    if not isinstance(types, list):
        yield (*path, "type"), f"must be a list of some of {', '.join(TYPES)}"
        return
    for i, kind in enumerate(types):
        if kind not in TYPES:
            hint = suggest(str(kind), TYPES) or f"; allowed are {', '.join(TYPES)}"
            yield (*path, "type", str(i)), f"{kind!r} is not a type of interface{hint}"


def _is_address(value: Value) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def address_of(host: dict[str, Any], kind: str) -> str:
    """Give the address of the first interface of a checked `hosts.self` that has the type `kind`."""
    name = _interface_of(host, kind)
    if host[name]["ip"] != AUTO:
        return str(host[name]["ip"])
    interface = _default_interface() if name == AUTO else name
    address = _first_address(interface, "inet")
    if address is None:
        raise UnresolvedError(f"interface {interface} has no global IPv4 address")
    return address


def address6_of(host: dict[str, Any], kind: str) -> str:
    """Give the IPv6 address beside it, the key `v6ip`; empty if the interface has none."""
    name = _interface_of(host, kind)
    address = host[name].get("v6ip")
    if address != AUTO:
        return str(address or "")
    return _first_address(_default_interface() if name == AUTO else name, "inet6") or ""


def _interface_of(host: dict[str, Any], kind: str) -> str:
    for name in host["interfaces"]:
        if kind in host[name]["type"]:
            return str(name)
    raise UnresolvedError(f"no interface of network.yml has the type {kind}")


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
