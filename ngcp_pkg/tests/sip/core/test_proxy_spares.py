"""Elements that stand in for each other: one does not serve, the next is asked in the same transaction."""

from typing import NamedTuple

import pytest

from sip.core.proxy_node import ProxyNode
from sip.messages import ALICE, BOB, CAROL, HERE
from sip.phone import Phone
from sip.wire import Wire

URI = "sip:team@example.org"
PATIENCE = 2.0
#: Seconds beyond the end of every test.
NEVER = 10_000.0


class Scene(NamedTuple):
    """Alice calls; Bob is asked, and Carol stands in for him."""

    alice: Phone
    proxy: ProxyNode
    bob: Phone
    carol: Phone
    wire: Wire

    def assert_at_rest(self) -> None:
        phones = (self.alice, self.bob, self.carol)
        assert [phone.transactions for phone in phones] == [0, 0, 0]
        assert self.proxy.engine.transactions == 0
        assert self.proxy.next_timer() is None
        assert self.proxy.ended == 1


@pytest.fixture
def scene() -> Scene:
    alice, bob, carol = Phone("alice", ALICE, HERE), Phone("bob", BOB, HERE), Phone("carol", CAROL, HERE)
    proxy = ProxyNode(HERE, {"team": [(BOB, 1.0), (CAROL, 1.0)]})
    proxy.has_spares, proxy.patience = True, PATIENCE
    return Scene(alice, proxy, bob, carol, Wire(alice, proxy, bob, carol))


def methods(phone: Phone) -> list[str]:
    return [request.method for request in phone.requests]


def test_who_serves_keeps_the_call(scene: Scene) -> None:
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert methods(scene.carol) == []
    assert scene.proxy.forsaken == []
    scene.assert_at_rest()


def test_who_rings_longer_than_patience_keeps_the_call(scene: Scene) -> None:
    scene.bob.answers = ((0.1, 180), (30.0, 200))
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert methods(scene.carol) == []
    scene.assert_at_rest()


def test_timer_c_runs_from_the_first_answer(scene: Scene) -> None:
    """§16.6 step 11: patience is about silence only."""
    scene.proxy.timer_c = 20.0
    scene.bob.answers = ((0.1, 180),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 408]
    assert methods(scene.bob) == ["INVITE", "CANCEL"]
    assert methods(scene.carol) == []
    scene.assert_at_rest()


def test_503_moves_the_call_on(scene: Scene) -> None:
    """§16.7 step 6 leaves the next target to us; the caller notices nothing."""
    scene.bob.answers = ((0.1, 503),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert scene.carol.confirmed == 1
    assert scene.proxy.forsaken == [BOB]
    scene.assert_at_rest()


@pytest.mark.parametrize("status", [404, 408, 486, 500, 603])
def test_other_refusals_do_not(scene: Scene, status: int) -> None:
    scene.bob.answers = ((0.1, status),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, status]
    assert methods(scene.carol) == []
    scene.assert_at_rest()


def test_silence_moves_the_call_on(scene: Scene) -> None:
    scene.wire.distances[BOB] = NEVER
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert scene.proxy.forsaken == [BOB]
    asked = f"{HERE[0]} > {BOB[0]} INVITE"
    assert scene.wire.log.count(asked) == 3, "at 0, 0.5 and 1.5 s, and then no more"
    scene.assert_at_rest()


def test_an_unreachable_one_moves_the_call_on_at_once(scene: Scene) -> None:
    scene.wire.distances[BOB] = NEVER
    scene.alice.call(URI)
    scene.wire.run(0.1)
    scene.proxy.transport_failed(BOB, 0.1)
    scene.wire.run(0.2)

    assert methods(scene.carol) == ["INVITE"]
    scene.wire.run()
    assert scene.alice.heard == [100, 180, 200]
    scene.assert_at_rest()


def test_one_that_was_only_slow_is_cancelled(scene: Scene) -> None:
    """§9.1: as soon as it shows that it lives."""
    scene.wire.distances[BOB] = 3.0
    scene.bob.answers = ((0.1, 180), (20.0, 200))
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert methods(scene.bob) == ["INVITE", "CANCEL"]
    assert (scene.bob.confirmed, scene.carol.confirmed) == (0, 1)
    scene.assert_at_rest()


def test_a_late_503_asks_nobody_again(scene: Scene) -> None:
    scene.wire.distances[BOB] = 3.0
    scene.bob.answers = ((0.1, 503),)
    scene.carol.answers = ((0.1, 180), (10.0, 486))
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 486]
    assert methods(scene.carol) == ["INVITE"]
    scene.assert_at_rest()


def test_nobody_serves(scene: Scene) -> None:
    scene.wire.distances |= {BOB: NEVER, CAROL: NEVER}
    scene.alice.call(URI)
    scene.wire.run(2 * PATIENCE + 0.1)

    assert scene.alice.heard == [100, 503]


def test_the_caller_gives_up_while_the_first_is_silent(scene: Scene) -> None:
    """§9.1: no CANCEL without a response, and nobody else is asked."""
    scene.wire.distances[BOB] = NEVER
    scene.alice.call(URI)
    scene.wire.run(1.0)
    scene.alice.cancel(1.0)
    scene.wire.run(PATIENCE + 0.1)

    assert scene.alice.heard == [100, 200, 487]
    assert f"{HERE[0]} > {BOB[0]} CANCEL" not in scene.wire.log
    assert methods(scene.carol) == []
    scene.wire.run()
    scene.assert_at_rest()


def test_the_caller_gives_up_while_the_second_rings(scene: Scene) -> None:
    scene.wire.distances[BOB] = NEVER
    scene.carol.answers = ((0.1, 180),)
    scene.alice.call(URI)
    scene.wire.run(3.0)
    scene.alice.cancel(3.0)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200, 487]
    assert methods(scene.carol) == ["INVITE", "CANCEL"]
    scene.assert_at_rest()


def test_a_request_that_is_no_invite_moves_on_too(scene: Scene) -> None:
    scene.wire.distances[BOB] = NEVER
    scene.alice.send("REGISTER", URI)
    scene.wire.run()

    assert scene.alice.heard == [200]
    assert methods(scene.carol) == ["REGISTER"]
    assert scene.wire.log.count(f"{HERE[0]} > {BOB[0]} REGISTER") == 3
    scene.assert_at_rest()
