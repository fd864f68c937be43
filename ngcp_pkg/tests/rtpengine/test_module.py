"""The plane in the kernel module, with an object in the module's place; scenario `vm` has the real one."""

import errno
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ngcp.rtpengine.flows import Address, Counters, Exit, Flow, Kind, PlaneLost, Position
from ngcp.rtpengine.layout import KernelAddress, Output
from ngcp.rtpengine.module import ModulePlane
from ngcp.rtpengine.table import KernelTable
from rtpengine.fake_module import SECONDS, FakeModule

ALICE, BOB = ("192.0.2.10", 4000), ("198.51.100.20", 5000)
NEAR, FAR = ("192.0.2.1", 30000), ("192.0.2.1", 30002)
NEAR6, ALICE6 = ("2001:db8::1", 30000), ("2001:db8::a", 4000)
FLOW = Flow(NEAR, ALICE, FAR, BOB, 184)


class UserSpace:
    """Knows how far each source is, and is told."""

    def __init__(self) -> None:
        self.known: dict[int, Position] = {}

    def positions(self, local: Address) -> dict[int, Position]:
        assert local == NEAR
        return self.known

    def resume(self, local: Address, positions: Mapping[int, Position]) -> None:
        assert local == NEAR
        self.known |= positions


class Scene:
    def __init__(self) -> None:
        self.module, self.userspace = FakeModule(), UserSpace()
        self.plane = ModulePlane(self.module, self.userspace, lambda: 100.0, lambda: SECONDS + 10.0)
        self.plane.check()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.plane.close()


def way(output: Output) -> tuple[bytes, bytes, int]:
    return bytes(output.src_addr), bytes(output.dst_addr), output.tos


@pytest.mark.parametrize(
    "flow",
    [
        FLOW,
        Flow(
            ("2001:db8::1", 30000), ("2001:db8::a", 4000), ("2001:db8::1", 30002), ("2001:db8::b", 5000), 96
        ),
        Flow(("2001:db8::1", 30000), ("2001:db8::a", 4000), FAR, BOB, 0),
    ],
    ids=["IPv4", "IPv6", "from IPv6 to IPv4"],
)
def test_flow_leaves_as_it_says(scene: Scene, flow: Flow) -> None:
    assert flow.expect_from
    assert flow.send_to
    assert scene.plane.can(flow)
    scene.plane.add(flow)

    output = scene.module.forward(flow.local, flow.expect_from, b"packet")

    assert output is not None
    here, there = KernelAddress.of(flow.send_from), KernelAddress.of(flow.send_to)
    assert way(output) == (bytes(here), bytes(there), flow.tos)


def test_strangers_come_to_the_socket(scene: Scene) -> None:
    """The core decides whether somebody moved; the module must not drop them."""
    scene.plane.add(FLOW)

    assert scene.module.forward(NEAR, ("203.0.113.1", 4000), b"packet") is None
    assert scene.plane.counters(NEAR) == Counters()


def test_guarded_flow_leaves_handshakes_to_the_socket(scene: Scene) -> None:
    scene.plane.add(FLOW._replace(is_guarded=True))

    target = scene.module.targets[bytes(KernelAddress.of(NEAR))]
    assert (target.stun, target.dtls) == (1, 1)


def test_counters(scene: Scene) -> None:
    """The module's seconds are those of the wall clock, ours those of `now`."""
    scene.plane.add(FLOW)

    for _ in range(3):
        scene.module.forward(NEAR, ALICE, b"packet")

    assert scene.plane.counters(NEAR) == Counters(3, 18, 0, 91.0)


def test_removed_flow_counts_from_zero(scene: Scene) -> None:
    scene.plane.add(FLOW)
    scene.module.forward(NEAR, ALICE, b"packet")

    scene.plane.remove(NEAR)
    assert scene.module.forward(NEAR, ALICE, b"packet") is None
    scene.plane.add(FLOW)

    assert scene.plane.counters(NEAR) == Counters()


def test_removing_what_was_never_added(scene: Scene) -> None:
    scene.plane.remove(NEAR)

    assert scene.plane.counters(NEAR) == Counters()


def test_ports_of_both_kinds_are_told_apart_in_user_space(scene: Scene) -> None:
    assert not scene.plane.can(FLOW._replace(kind=Kind.MUXED, rtcp=Exit(NEAR, BOB)))


def test_many_flows_need_more_memory(scene: Scene) -> None:
    for port in range(100):
        scene.plane.add(FLOW._replace(local=("192.0.2.1", 30000 + port)))

    for port in range(100):
        scene.module.forward(("192.0.2.1", 30000 + port), ALICE, bytes(port))

    found = [scene.plane.counters(("192.0.2.1", 30000 + port)).bytes for port in range(100)]
    assert found == list(range(100))


def test_module_that_is_not_there_and_comes() -> None:
    module = FakeModule()
    module.missing = "not loaded"
    plane = ModulePlane(module, UserSpace())

    assert plane.check() == "not loaded"
    with pytest.raises(PlaneLost, match="not loaded"):
        plane.add(FLOW)
    module.missing = None
    plane.check()
    plane.add(FLOW)

    assert module.forward(NEAR, ALICE, b"packet")
    plane.close()


def test_refused_flow_is_not_tried_again(scene: Scene) -> None:
    """Else the plane would be lost and found again every second."""
    scene.module.refuses = errno.ENOMEM
    with pytest.raises(PlaneLost):
        scene.plane.add(FLOW)
    scene.module.refuses = 0

    assert not scene.plane.can(FLOW)
    assert scene.plane.can(FLOW._replace(tos=0))
    assert scene.module.forward(NEAR, ALICE, b"packet") is None


def test_missing_rule_is_noticed_and_so_is_its_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule the canary's packets come to its socket."""
    scene = Scene()

    assert scene.plane.check() == (
        "no rule in `ip` and `ip6 filter` shows packets to the kernel module (ngcp-rtpengine-rule)"
    )

    def caught(_: socket.socket, to: Address) -> None:
        scene.module.forward(to, to, b"canary")

    monkeypatch.setattr("ngcp.rtpengine.canary.fly", caught)
    assert scene.plane.check() is None
    monkeypatch.undo()
    assert scene.plane.check()
    scene.plane.close()


def test_table_without_module(tmp_path: Path) -> None:
    with pytest.raises(PlaneLost, match="not loaded"):
        KernelTable(0, tmp_path / "rtpengine").open()
