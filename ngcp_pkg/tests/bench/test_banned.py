"""How the benchmark of banned sources counts."""

import socket
from collections.abc import Iterator

import pytest

from bench import banned
from bench.banned import Attacker, NotDropped, lost

EDGE = ("127.60.99.1", 5060)


@pytest.fixture
def edge() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as edge:
        edge.bind(EDGE)
        edge.setblocking(False)
        yield edge


def test_the_attacker_counts_what_is_answered(edge: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banned, "ATTACKER", ("127.60.99.66", 0))  # a benchmark may be running
    monkeypatch.setattr(banned, "PAUSE", 0.0)
    monkeypatch.setattr(banned, "SETTLE", 0.0)
    attacker = Attacker(EDGE)

    assert attacker.send(banned.BURST) == 0
    for _ in range(2):
        data, remote = edge.recvfrom(65536)
        assert data.startswith(b"OPTIONS sip:127.60.99.1 SIP/2.0\r\n")
        edge.sendto(b"SIP/2.0 200 OK\r\n\r\n", remote)
    assert attacker.send(banned.BURST) == 2
    attacker.close()


def test_what_the_kernel_dropped_is_known(edge: socket.socket) -> None:
    assert lost(EDGE) == 0
    edge.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"x" * 1000, EDGE)

    assert 0 < lost(EDGE) < 100


def test_nobody_listens_nothing_is_known() -> None:
    with pytest.raises(NotDropped, match=r"nobody listens at 127\.60\.99\.9:9"):
        lost(("127.60.99.9", 9))
