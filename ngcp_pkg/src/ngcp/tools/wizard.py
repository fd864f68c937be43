"""The questions that a new node asks on its console, one at a time, each with an answer that can be taken."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_interface
from typing import Final, TextIO, TypeVar

from ngcp.tools.plan import Interface, Plan, check_hostname, check_key

T = TypeVar("T")

WELCOME: Final = """
A new node of the SIP provider platform.

Four questions give it an address, a name and somebody who may log in. Enter takes what stands in [brackets];
Ctrl-C leaves everything as it is. All of it can be changed later: ngcp-initial-configuration asks again.
"""


class NobodyThere(Exception):
    """The console has ended."""


class _Table:
    """Asks and is answered, line by line."""

    def __init__(self, listen: TextIO, speak: TextIO) -> None:
        self._listen, self._speak = listen, speak

    def say(self, text: str = "") -> None:
        print(text, file=self._speak, flush=True)

    def ask(self, question: str, usual: str, read: Callable[[str], T]) -> T:
        """Ask until the answer can be read."""
        while True:
            print(
                f"{question} [{usual}]: " if usual else f"{question}: ", end="", file=self._speak, flush=True
            )
            line = self._listen.readline()
            if not line:
                raise NobodyThere
            try:
                return read(line.strip() or usual)
            except ValueError as error:
                self.say(f"  {error}")


def ask(listen: TextIO, speak: TextIO) -> Plan | None:
    """Ask everything and confirm it; None if it is not confirmed, or nobody answers."""
    table = _Table(listen, speak)
    table.say(WELCOME)
    try:
        plan = _ask_plan(table)
        table.say()
        for line in summary(plan):
            table.say(f"  {line}")
        is_right = table.ask("\nIs that right?", "yes", _yes_or_no)
    except NobodyThere:
        return None
    return plan if is_right else None


def _ask_plan(table: _Table) -> Plan:
    found = links()
    for name, what in found.items():
        table.say(f"  {name}  {what}")
    name = table.ask(
        "Interface for phones and administrators", next(iter(found), ""), lambda text: _one_of(text, found)
    )
    address = table.ask("Its address: dhcp, or ADDRESS/PREFIX", "dhcp", _address)
    if address == "dhcp":
        interface = Interface(name, dhcp4=True, dhcp6=True)
    else:
        gateway = table.ask("Gateway (none if there is none)", _first_host(address), _gateway)
        dns = table.ask("DNS servers (none if there are none)", gateway or "none", _addresses)
        interface = Interface(name, addresses=(address,), gateways=(gateway,) if gateway else (), dns=dns)
    hostname = table.ask("Host name", socket.gethostname(), check_hostname)
    key = table.ask("Your public ssh key, one line (none: log in here only)", "none", _key)
    return Plan(hostname, (interface,), (key,) if key else ())


def summary(plan: Plan) -> Iterator[str]:
    """Say what a plan will do."""
    yield f"host name   {plan.hostname}"
    for one in plan.interfaces:
        yield f"interface   {one.name}: {', '.join(one.addresses) or 'address by DHCP'}"
        if one.gateways:
            yield f"gateway     {', '.join(one.gateways)}"
        if one.dns:
            yield f"DNS         {', '.join(one.dns)}"
    yield f"ssh         {'; '.join(_short(key) for key in plan.keys) or 'keys stay as they are'}"


def farewell(plan: Plan) -> Iterator[str]:
    """Say how to go on."""
    address = plan.interfaces[0].addresses[0].partition("/")[0] if plan.interfaces[0].addresses else "ADDRESS"
    yield ""
    yield f"{plan.hostname} is ready. Its REST API: https://{address}:1443/api/, user administrator, whose"
    yield "password root reads with: cat /var/lib/ngcp/secrets/administrator"


def links() -> dict[str, str]:
    """List the node's network interfaces, each with its hardware address and what it has now."""
    answer = subprocess.run(["ip", "-json", "address", "show"], capture_output=True, text=True, check=False)
    found = {}
    for link in json.loads(answer.stdout or "[]"):
        if link.get("link_type") == "ether":
            now = [
                f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] == "global"
            ]
            found[str(link["ifname"])] = f"{link['address']}  {', '.join(now) or 'no address'}"
    return found


def _one_of(text: str, found: dict[str, str]) -> str:
    if text not in found:
        raise ValueError(f"there is no interface {text!r}; there are: {', '.join(found) or 'none'}")
    return text


def _address(text: str) -> str:
    if text.lower() == "dhcp":
        return "dhcp"
    if "/" not in text:
        raise ValueError("the prefix length is missing, as in 192.0.2.10/24")
    address = ip_interface(text)
    if address.ip.is_loopback or address.ip.is_multicast or address.ip.is_unspecified:
        raise ValueError(f"{address.ip} is no address of a machine")
    return str(address)


def _first_host(address: str) -> str:
    """Guess the gateway: most have the first address of their network."""
    interface = ip_interface(address)
    first = interface.network.network_address + 1
    return str(first) if first in interface.network and first != interface.ip else "none"


def _gateway(text: str) -> str:
    return "" if text == "none" else str(ip_address(text))


def _addresses(text: str) -> tuple[str, ...]:
    words = text.replace(",", " ").split()
    return () if words == ["none"] else tuple(str(ip_address(word)) for word in words)


def _key(text: str) -> str:
    return "" if text == "none" else check_key(text)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "y", "no", "n"):
        raise ValueError("yes or no")
    return text.lower().startswith("y")


def _short(key: str) -> str:
    """Name a key by its kind and comment, and the end of it."""
    kind, text, *comment = key.split(" ", 2)
    return f"{kind} …{text[-8:]} {' '.join(comment)}".rstrip()
