"""What listens on a node, where, and what of it the world outside can reach."""

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from lab import network, ssh
from lab.machines import Machine

PUBLIC: Final = "public"
LOCAL: Final = "127.0.0.1"
ANY: Final = "any"

#: Every listening socket of an idle node: protocol, address, port. The specification's, and Debian's own.
EXPECTED: Final = {
    ("udp", PUBLIC, 5060): "load-balancer: SIP",
    ("tcp", PUBLIC, 5060): "load-balancer: SIP",
    ("tcp", PUBLIC, 5061): "load-balancer: SIP over TLS",
    ("udp", LOCAL, 5060): "load-balancer: SIP inside",
    ("tcp", LOCAL, 5060): "load-balancer: XMLRPC",
    ("udp", LOCAL, 5062): "proxy: SIP",
    ("tcp", LOCAL, 8000): "proxy: XMLRPC",
    ("tcp", LOCAL, 9494): "load-balancer: metrics",
    ("tcp", LOCAL, 9495): "proxy: metrics",
    ("tcp", LOCAL, 9496): "media relay: metrics",
    ("tcp", LOCAL, 9900): "media relay: XMLRPC",
    ("udp", LOCAL, 12222): "media relay: control",
    ("udp", LOCAL, 5080): "B2BUA: SIP",
    ("udp", LOCAL, 5040): "B2BUA: commands",
    ("tcp", LOCAL, 8090): "B2BUA: XMLRPC",
    ("tcp", LOCAL, 9497): "B2BUA: metrics",
    ("udp", LOCAL, 5070): "app server: SIP",
    ("udp", LOCAL, 5041): "app server: commands",
    ("tcp", LOCAL, 8091): "app server: XMLRPC",
    ("tcp", LOCAL, 9498): "app server: metrics",
    ("tcp", LOCAL, 8095): "mediator: XMLRPC",
    ("tcp", LOCAL, 9499): "mediator: metrics",
    ("tcp", PUBLIC, 1443): "REST API",
    ("tcp", LOCAL, 1443): "REST API",
    ("tcp", LOCAL, 3306): "MariaDB",
    ("tcp", LOCAL, 6379): "Redis",
    ("tcp", ANY, 22): "ssh",
    ("udp", PUBLIC, 68): "DHCP client",
    ("udp", "127.0.0.53", 53): "systemd-resolved",
    ("tcp", "127.0.0.53", 53): "systemd-resolved",
    ("udp", "127.0.0.54", 53): "systemd-resolved",
    ("tcp", "127.0.0.54", 53): "systemd-resolved",
}
#: What of it answers somebody outside, over TCP.
OPEN_TCP: Final = {22, 1443, 5060, 5061}
#: Connections tried at a time, and how many before the node may draw breath: an emulated machine loses
#: what comes in one burst.
BATCH: Final = 8000
BURST: Final = 50
BREATH: Final = 0.005
#: Seconds until a connection that the firewall drops is given up: two repetitions of a lost SYN come sooner.
PATIENCE: Final = 3.5


def test_exactly_the_specified_sockets_listen(machine: Machine) -> None:
    """Whatever is missing and whatever is too much."""
    table = ssh.output(machine, "ss --no-header --listening --numeric --tcp --udp")
    found = {_socket(line, machine.address) for line in table.splitlines()}

    assert found == set(EXPECTED), table


def _socket(line: str, public: str) -> tuple[str, str, int]:
    protocol, _, _, _, local, *_ = line.split()
    address, _, port = local.rpartition(":")
    address = address.partition("%")[0].strip("[]")
    names = {public: PUBLIC, "0.0.0.0": ANY, "::": ANY, "*": ANY}
    return protocol, names.get(address, address), int(port)


def test_only_the_public_services_answer_outside(machine: Machine) -> None:
    """Every TCP port of the public address, asked from the phones' network."""
    ports = range(1, 65536)
    open_ports: set[int] = set()
    for start in range(0, len(ports), BATCH):
        open_ports.update(_open_ports(machine.address, ports[start : start + BATCH]))

    assert open_ports == OPEN_TCP


def _open_ports(address: str, ports: range) -> Iterator[int]:
    """Connect to all of these ports at once; yield those that accept."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        with network.inside():
            for port in ports:
                if port % BURST == 0:
                    time.sleep(BREATH)
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex((address, port))
                selector.register(client, selectors.EVENT_WRITE, port)
        while selector.get_map() and (ready := selector.select(PATIENCE)):
            for key, _ in ready:
                connected = selector.unregister(key.fileobj).fileobj
                assert isinstance(connected, socket.socket)
                if connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    yield key.data


@pytest.mark.parametrize(
    ("port", "question"),
    [
        (5062, b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP phone;branch=z9hG4bK1;rport\r\n\r\n"),
        (5080, b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP phone;branch=z9hG4bK1;rport\r\n\r\n"),
        (5070, b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP phone;branch=z9hG4bK1;rport\r\n\r\n"),
        (12222, b"cookie d7:command4:pinge"),
    ],
    ids=["proxy", "B2BUA", "app server", "media relay control"],
)
def test_internal_udp_ports_answer_nobody_outside(machine: Machine, port: int, question: bytes) -> None:
    """The same question that is answered inside stays without an answer."""
    with network.inside():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.settimeout(1.0)
        client.connect((machine.address, port))
        client.send(question)
        with pytest.raises(OSError, match=r"timed out|refused"):
            client.recv(2048)
