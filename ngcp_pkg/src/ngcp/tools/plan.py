"""What an administrator decides about a new node, whoever he tells: a seed or the wizard."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: RFC 1123 §2.1: labels of letters, digits and hyphens.
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
#: A public key as `ssh-keygen` writes it: kind, key, and a comment.
_KEY: Final = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com"
    r"|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]{40,}={0,3}( [^\x00-\x1f]*)?"
)
_HARDWARE: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.*?-]{1,32}")


def check_hostname(text: str) -> str:
    """Return a host name as it is; ValueError if it is none."""
    if len(text) > 64 or _HOSTNAME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no host name")
    return text


def check_key(text: str) -> str:
    """Return a public ssh key on one line; ValueError if it is none."""
    key = " ".join(text.split())
    if "PRIVATE KEY" in text:
        raise ValueError(
            "a private key stays with its owner: the line in the file that ends in .pub is asked"
        )
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"{key[:40]!r} is no public ssh key")
    return key


@dataclass(frozen=True, slots=True)
class Interface:
    """How one network interface gets its addresses."""

    name: str = ""
    """Its name, or a pattern of it."""
    mac: str = ""
    """Its hardware address, in its place."""
    dhcp4: bool = False
    dhcp6: bool = False
    addresses: tuple[str, ...] = ()
    """ADDRESS/PREFIX."""
    gateways: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    mtu: int = 0
    """0: that of its kind."""

    def __post_init__(self) -> None:
        if not self.name and not self.mac:
            raise ValueError("an interface has a name or a hardware address")
        if self.name and _NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r} is no name of an interface")
        if self.mac and _HARDWARE.fullmatch(self.mac) is None:
            raise ValueError(f"{self.mac!r} is no hardware address such as 52:54:00:12:34:56")
        for address in self.addresses:
            if "/" not in address:
                raise ValueError(f"{address!r} lacks its prefix length, as in 192.0.2.10/24")
            ipaddress.ip_interface(address)
        for address in (*self.gateways, *self.dns):
            ipaddress.ip_address(address)
        for domain in self.search:
            check_hostname(domain)
        if self.mtu and not 576 <= self.mtu <= 65535:
            raise ValueError(f"{self.mtu} is no MTU from 576 to 65535")
        if not (self.addresses or self.dhcp4 or self.dhcp6):
            raise ValueError("an interface has addresses, or asks for one by DHCP")

    @property
    def file(self) -> str:
        """The name of its file below /etc/systemd/network; it comes before that of the image."""
        return f"70-ngcp-{re.sub('[^A-Za-z0-9]', '-', self.name or self.mac)}.network"

    def lines(self) -> Iterator[str]:
        """Write what systemd.network(5) reads."""
        yield "# Made by ngcp-initial-configuration: run it again, or change this and `networkctl reload`."
        yield "[Match]"
        yield f"Name={self.name}" if self.name else f"MACAddress={self.mac}"
        if self.mtu:
            yield from ("", "[Link]", f"MTUBytes={self.mtu}")
        yield from ("", "[Network]", f"DHCP={self._dhcp}")
        yield from (f"Address={address}" for address in self.addresses)
        yield from (f"Gateway={gateway}" for gateway in self.gateways)
        yield from (f"DNS={server}" for server in self.dns)
        if self.search:
            yield f"Domains={' '.join(self.search)}"

    @property
    def _dhcp(self) -> str:
        return {(True, True): "yes", (True, False): "ipv4", (False, True): "ipv6"}.get(
            (self.dhcp4, self.dhcp6), "no"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it; what is empty stays as it is."""

    hostname: str = ""
    interfaces: tuple[Interface, ...] = ()
    keys: tuple[str, ...] = ()
    """Public keys by which root logs in over ssh."""
    values: tuple[str, ...] = ()
    """Values of config.yml, `KEY=VALUE` as `ngcpcfg set` takes them."""
    network: tuple[tuple[str, ...], ...] = ()
    """What network.yml says, each a command line of `ngcp-network`."""
