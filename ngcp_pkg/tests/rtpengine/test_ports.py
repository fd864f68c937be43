"""The pool of port pairs."""

import pytest

from ngcp.rtpengine.errors import OutOfPorts
from ngcp.rtpengine.ports import PortPair, PortPool
from rtpengine.harness import RELAY, MemoryWire


@pytest.fixture
def wire() -> MemoryWire:
    return MemoryWire()


@pytest.fixture
def pool(wire: MemoryWire) -> PortPool:
    return PortPool(RELAY, range(30000, 30008, 2), wire)


def numbers(pairs: list[PortPair]) -> list[tuple[int, int]]:
    return [(pair.rtp[1], pair.rtcp[1]) for pair in pairs]


def test_pair_is_an_even_port_and_the_next(pool: PortPool, wire: MemoryWire) -> None:
    assert pool.take(1) == [PortPair((RELAY, 30000), (RELAY, 30001))]
    assert wire.bound == {(RELAY, 30000), (RELAY, 30001)}


def test_returned_pair_is_the_last_to_go_out_again(pool: PortPool) -> None:
    """A late packet of an ended call does not reach the next call."""
    pairs = pool.take(2)
    pool.release(pairs[0])
    assert [rtp for rtp, _ in numbers(pool.take(3))] == [30004, 30006, 30000]


def test_exhaustion_keeps_nothing(pool: PortPool, wire: MemoryWire) -> None:
    with pytest.raises(OutOfPorts):
        pool.take(5)
    assert len(pool) == 4
    assert wire.bound == set()


@pytest.mark.parametrize("occupied", [30000, 30001])
def test_port_of_somebody_else_is_passed_over(pool: PortPool, wire: MemoryWire, occupied: int) -> None:
    wire.occupied.add((RELAY, occupied))
    assert numbers(pool.take(3)) == [(30002, 30003), (30004, 30005), (30006, 30007)]
    with pytest.raises(OutOfPorts):
        pool.take(1)
    wire.occupied.clear()
    assert numbers(pool.take(1)) == [(30000, 30001)]
