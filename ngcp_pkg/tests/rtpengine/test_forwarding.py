"""Who forwards a flow: user space, or a fast plane while it works."""

from collections.abc import Sequence

import pytest

from ngcp.rtpengine.flows import Address, Counters, Flow
from ngcp.rtpengine.forwarding import Forwarding
from rtpengine.harness import RTP, MemoryWire
from rtpengine.kernel import Kernel

LEFT, RIGHT = ("203.0.113.1", 30000), ("203.0.113.1", 30002)
ALICE, BOB = ("198.51.100.1", 4000), ("198.51.100.2", 5000)


class Scene:
    """Two ports, user space and a kernel."""

    def __init__(self) -> None:
        self.userspace, self.kernel = MemoryWire(), Kernel()
        self.userspace.stranger = lambda local, source, packet: None
        self.forwarding = Forwarding(self.userspace, self.kernel)
        for address in (LEFT, RIGHT):
            self.userspace.bind(address)

    def connect(self, alice: Address | None = ALICE, bob: Address | None = BOB) -> None:
        """Say who is known to be where; both have announced where they want media."""
        self.forwarding.add(Flow(LEFT, alice, RIGHT, BOB, 184))
        self.forwarding.add(Flow(RIGHT, bob, LEFT, ALICE, 184))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_kernel_takes_a_stream_once_both_ends_have_sent(scene: Scene) -> None:
    scene.connect(bob=None)
    assert not scene.kernel.flows
    scene.connect()
    assert set(scene.kernel.flows) == {LEFT, RIGHT}
    assert scene.forwarding.status == "2 of 2 flows by kernel module"
    assert scene.forwarding.is_fast(LEFT)


def test_kernel_gets_only_what_it_can_forward(scene: Scene) -> None:
    def keep(packet: bytes, now: float) -> Sequence[bytes]:
        return (packet,)

    scene.connect()
    scene.forwarding.add(Flow(LEFT, ALICE, RIGHT, BOB, 184, process=keep))
    assert set(scene.kernel.flows) == {RIGHT}
    scene.forwarding.add(Flow(RIGHT, BOB, LEFT, None, 184))
    assert not scene.kernel.flows


def test_moved_party_is_relearned_in_user_space(scene: Scene) -> None:
    scene.connect()
    scene.forwarding.add(Flow(RIGHT, None, LEFT, ALICE, 184))
    assert RIGHT not in scene.kernel.flows
    assert set(scene.userspace.flows) == {LEFT, RIGHT}


def test_counters_go_on_whoever_forwards(scene: Scene) -> None:
    scene.connect(bob=None)
    scene.userspace.now = 5.0
    scene.userspace.arrive(LEFT, ALICE, RTP)
    scene.connect()
    scene.kernel.counted[LEFT] = Counters(10, 10 * len(RTP), 1, 7.0)
    assert scene.forwarding.counters(LEFT) == Counters(11, 11 * len(RTP), 1, 7.0)
    scene.forwarding.add(Flow(LEFT, ALICE, RIGHT, None, 184))
    assert scene.forwarding.counters(LEFT) == Counters(11, 11 * len(RTP), 1, 7.0)


def test_broken_kernel_means_user_space_until_it_works_again(scene: Scene) -> None:
    scene.connect()
    scene.kernel.problem = "no rule in ip filter"
    note = "kernel module failed, forwarding in user space: no rule in ip filter"
    assert scene.forwarding.check() == note
    assert scene.forwarding.check() is None
    assert not scene.kernel.flows
    assert scene.forwarding.status == ("forwarding in user space, kernel module failed: no rule in ip filter")
    scene.connect()
    assert not scene.kernel.flows
    scene.kernel.problem = None
    assert scene.forwarding.check() == "kernel module works again"
    assert set(scene.kernel.flows) == {LEFT, RIGHT}


def test_kernel_that_refuses_a_flow_loses_no_call(scene: Scene) -> None:
    scene.kernel.breaks = True
    scene.connect()
    assert not scene.kernel.flows
    assert scene.userspace.arrive(LEFT, ALICE, RTP) == (RIGHT, BOB)


def test_ended_flow_leaves_nothing(scene: Scene) -> None:
    scene.connect()
    for local in (LEFT, RIGHT):
        scene.forwarding.remove(local)
    assert not scene.kernel.flows
    assert not scene.userspace.flows
    assert scene.forwarding.status == "0 of 0 flows by kernel module"
    scene.connect(bob=None)
    assert scene.forwarding.counters(LEFT) == Counters()
