"""What was asked failed, and others are asked before the caller hears of it (RFC 3261 §16.7 step 4)."""

from typing import NamedTuple

import pytest

from ngcp.sip.core.decision import Decision, Relay, Reply, Target
from ngcp.sip.core.proxy import Returning
from ngcp.sip.transport import Flow
from sip.core.proxy_node import ProxyNode
from sip.messages import ALICE, BOB, CAROL, HERE
from sip.phone import Phone
from sip.wire import Wire

URI = "sip:bob@example.org"


class Scene(NamedTuple):
    """Alice calls bob, and carol is asked once he has failed."""

    alice: Phone
    proxy: ProxyNode
    bob: Phone
    carol: Phone
    wire: Wire

    def assert_at_rest(self) -> None:
        assert [phone.transactions for phone in (self.alice, self.bob, self.carol)] == [0, 0, 0]
        assert self.proxy.engine.transactions == 0
        assert self.proxy.next_timer() is None
        assert self.proxy.ended == 1


@pytest.fixture
def scene() -> Scene:
    alice, bob, carol = Phone("alice", ALICE, HERE), Phone("bob", BOB, HERE), Phone("carol", CAROL, HERE)
    proxy = ProxyNode(HERE, {"bob": [(BOB, 1.0)]})
    target = Target("sip:carol@192.0.2.3", Flow("udp", HERE, CAROL))

    def ask_carol(returning: Returning) -> Decision | None:
        response = returning.response
        if response.status < 300 or carol.requests:
            return None
        return Relay(returning.context.incoming.request, (target,), timer_c=5.0)

    proxy.second_thought = ask_carol
    return Scene(alice, proxy, bob, carol, Wire(alice, proxy, bob, carol))


def test_the_next_one_gets_the_call(scene: Scene) -> None:
    scene.bob.answers = ((0.1, 486),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    assert (scene.bob.confirmed, scene.carol.confirmed) == (0, 1)
    scene.assert_at_rest()


def test_who_rang_too_long_is_cancelled_first(scene: Scene) -> None:
    scene.proxy.timer_c = 3.0
    scene.bob.answers = ((0.1, 180),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200]
    assert [request.method for request in scene.bob.requests] == ["INVITE", "CANCEL"]
    scene.assert_at_rest()


def test_nobody_left_the_last_failure_is_told(scene: Scene) -> None:
    scene.bob.answers, scene.carol.answers = ((0.1, 486),), ((0.1, 603),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 603]
    scene.assert_at_rest()


def test_caller_gives_up_while_the_next_one_rings(scene: Scene) -> None:
    scene.bob.answers, scene.carol.answers = ((0.1, 486),), ((0.1, 180),)
    scene.alice.call(URI)
    scene.wire.run(until=2.0)
    scene.alice.cancel(scene.wire.now)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200, 487]
    assert [request.method for request in scene.carol.requests] == ["INVITE", "CANCEL"]
    scene.assert_at_rest()


def test_failure_in_other_words(scene: Scene) -> None:
    scene.proxy.second_thought = lambda returning: Reply(480, "Offline")
    scene.bob.answers = ((0.1, 404),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 480]
    assert scene.alice.responses[-1].reason == "Offline"
    scene.assert_at_rest()


def test_who_heeds_no_cancel_does_not_keep_the_next_one_waiting(scene: Scene) -> None:
    scene.proxy.timer_c = 3.0
    scene.bob.answers, scene.bob.heeds_cancel = ((0.1, 180),), False
    scene.alice.call(URI)
    scene.wire.run(until=8.0)

    assert scene.alice.heard == [100, 180, 180, 200]
    scene.wire.run()
    assert scene.proxy.engine.transactions == 0


def test_an_answer_that_comes_late_ends_the_search_for_others(scene: Scene) -> None:
    """§16.7 step 10: a 2xx goes upstream whenever it comes, and whoever rings is cancelled."""
    scene.proxy.timer_c = 3.0
    scene.bob.answers, scene.bob.heeds_cancel = ((0.1, 180), (6.0, 200)), False
    scene.carol.answers = ((0.1, 180),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200]
    assert [request.method for request in scene.carol.requests] == ["INVITE", "CANCEL"]
    assert (scene.bob.confirmed, scene.carol.confirmed) == (1, 0)
    scene.assert_at_rest()


def test_an_answer_that_comes_too_late_reaches_the_caller_all_the_same(scene: Scene) -> None:
    """§16.7 step 5: who called hangs up one of the two."""
    scene.proxy.timer_c = 3.0
    scene.bob.answers, scene.bob.heeds_cancel = ((0.1, 180), (8.0, 200)), False
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200, 200]
    assert (scene.bob.confirmed, scene.carol.confirmed) == (1, 1)
    scene.assert_at_rest()


def test_who_is_given_up_is_not_heard_ringing(scene: Scene) -> None:
    scene.proxy.timer_c = 3.0
    scene.bob.answers, scene.bob.heeds_cancel = ((0.1, 180), (6.0, 183)), False
    scene.carol.answers = ((3.0, 200),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]


def test_a_word_to_the_caller_meanwhile(scene: Scene) -> None:
    def forward(returning: Returning) -> Decision | None:
        scene.proxy.engine.inform(returning.context.incoming, 181, "Call Is Being Forwarded", scene.wire.now)
        return None

    scene.proxy.second_thought = forward
    scene.bob.answers = ((0.1, 486),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 181, 486]
    scene.assert_at_rest()
