"""Which fast plane forwards when there are several."""

from typing import Final

import pytest

from ngcp.rtpengine.flows import Address, Counters, Flow
from ngcp.rtpengine.forwarding import Forwarding
from ngcp.rtpengine.planes import CHOICES, Best, fast_plane
from ngcp.rtpengine.userspace import UserspacePlane
from rtpengine.harness import MemoryWire

LEFT, RIGHT = ("203.0.113.1", 30000), ("203.0.113.1", 30002)
ALICE, BOB = ("198.51.100.1", 4000), ("198.51.100.2", 5000)
FLOWS: Final = (Flow(LEFT, ALICE, RIGHT, BOB, 184), Flow(RIGHT, BOB, LEFT, ALICE, 184))


class Plane:
    def __init__(self, name: str, problem: str | None = None) -> None:
        self.name = name
        self.problem = problem
        self.flows: dict[Address, Flow] = {}
        self.is_closed = False

    def can(self, flow: Flow) -> bool:
        return True

    def add(self, flow: Flow) -> None:
        self.flows[flow.local] = flow

    def remove(self, local: Address) -> None:
        self.flows.pop(local, None)

    def counters(self, local: Address) -> Counters:
        return Counters(len(self.name))

    def check(self) -> str | None:
        return self.problem

    def close(self) -> None:
        self.is_closed = True


class Scene:
    """A call that a slow wire carries, and two planes that could."""

    def __init__(self, first: str | None, second: str | None) -> None:
        self.first, self.second = Plane("first", first), Plane("second", second)
        self.best = Best([self.first, self.second])
        userspace = MemoryWire()
        self.forwarding = Forwarding(userspace, self.best)
        self.forwarding.check()
        for flow in FLOWS:
            userspace.bind(flow.local)
        for flow in FLOWS:
            self.forwarding.add(flow)

    def forwarders(self) -> str:
        """Name who forwards both directions."""
        return " ".join(plane.name for plane in (self.first, self.second) if len(plane.flows) == 2)


@pytest.mark.parametrize(
    ("first", "second", "forwarder"),
    [(None, None, "first"), ("gone", None, "second"), (None, "gone", "first"), ("gone", "gone", "")],
)
def test_the_first_that_works_forwards(first: str | None, second: str | None, forwarder: str) -> None:
    scene = Scene(first, second)

    assert scene.forwarders() == forwarder
    assert scene.forwarding.status == (
        f"2 of 2 flows by {forwarder}" if forwarder else "forwarding in user space, first failed: gone; gone"
    )


def test_another_takes_over_and_gives_back() -> None:
    scene = Scene(None, None)

    scene.first.problem = "no rule"
    assert scene.forwarding.check() == "first failed, forwarding in user space: no rule; second takes over"
    assert scene.forwarders() == ""
    assert scene.forwarding.check() == "second works again"
    assert scene.forwarders() == "second"

    scene.first.problem = None
    scene.forwarding.check()
    assert scene.forwarders() == ""
    scene.forwarding.check()
    assert scene.forwarders() == "first"


def test_counters_are_those_of_the_forwarder() -> None:
    scene = Scene("gone", None)

    assert scene.forwarding.counters(LEFT).packets == len("second")


def test_the_end_closes_all() -> None:
    scene = Scene(None, None)

    scene.best.close()

    assert scene.first.is_closed
    assert scene.second.is_closed


def test_choices_of_operators() -> None:
    userspace = UserspacePlane()

    assert fast_plane("userspace", 0, 100, userspace) is None
    for choice in CHOICES.keys() - {"userspace"}:
        assert fast_plane(choice, 0, 100, userspace)
    userspace.stop()
