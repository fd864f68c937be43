"""One callee at several places (RFC 3261 §16.6, §16.7)."""

from typing import NamedTuple

import pytest

from ngcp.sip.core.forwarding import add_challenges, best
from ngcp.sip.syntax import Response
from sip.core.proxy_node import ProxyNode
from sip.messages import ALICE, BOB, CAROL, HERE, make_request
from sip.phone import Phone
from sip.wire import LATENCY, Wire

URI = "sip:team@example.org"
RINGS = ((0.1, 180),)


class Scene(NamedTuple):
    """Alice calls a team of two."""

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


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def make_scene(q: float = 1.0) -> Scene:
    alice, bob, carol = Phone("alice", ALICE, HERE), Phone("bob", BOB, HERE), Phone("carol", CAROL, HERE)
    proxy = ProxyNode(HERE, {"team": [(CAROL, q), (BOB, 1.0)]})
    return Scene(alice, proxy, bob, carol, Wire(alice, proxy, bob, carol))


def methods(phone: Phone) -> list[str]:
    return [request.method for request in phone.requests]


def test_the_first_to_answer_gets_the_call(scene: Scene) -> None:
    """§16.7 step 10: the others are cancelled, and know that it is no missed call (RFC 3326)."""
    scene.carol.answers = RINGS
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200]
    assert methods(scene.carol) == ["INVITE", "CANCEL"]
    assert scene.carol.requests[1].get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    assert (scene.bob.confirmed, scene.carol.confirmed) == (1, 0)
    assert scene.proxy.ended == 1
    scene.assert_at_rest()


def test_two_answers_at_the_same_moment_both_reach_the_caller(scene: Scene) -> None:
    """§16.7 step 5: every 2xx of an INVITE goes upstream; who called hangs up one of them."""
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200, 200]
    assert {response.to.tag for response in scene.alice.responses[-2:]} == {"bob", "carol"}
    assert (scene.bob.confirmed, scene.carol.confirmed) == (1, 1)
    scene.assert_at_rest()


def test_one_refusal_does_not_end_the_call(scene: Scene) -> None:
    scene.carol.answers = ((0.1, 486),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    scene.assert_at_rest()


def test_all_refuse(scene: Scene) -> None:
    """§16.7 step 6: one answer, of the lowest class."""
    scene.bob.answers = ((0.1, 500),)
    scene.carol.answers = ((0.5, 486),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 486]
    assert scene.proxy.returned == [486]
    scene.assert_at_rest()


def test_6xx_cancels_the_others_and_wins(scene: Scene) -> None:
    """§16.7 steps 5 and 6: nobody else is asked further, the answer waits for their 487."""
    scene.bob.answers = ((1.0, 603),)
    scene.carol.answers = RINGS
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 603]
    assert methods(scene.carol) == ["INVITE", "CANCEL"]
    scene.assert_at_rest()


def test_an_answer_that_crosses_the_cancel_of_a_6xx_is_not_lost(scene: Scene) -> None:
    """§16.7 step 5: 2xx is forwarded whatever else came."""
    scene.bob.answers = ((1.0, 603),)
    scene.carol.answers = ((1.005, 200),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard[-1] == 200
    assert scene.carol.confirmed == 1
    scene.assert_at_rest()


def test_the_caller_gives_up_and_all_phones_stop(scene: Scene) -> None:
    scene.bob.answers = scene.carol.answers = RINGS
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 180, 200, 487]
    assert (methods(scene.bob), methods(scene.carol)) == (["INVITE", "CANCEL"], ["INVITE", "CANCEL"])
    scene.assert_at_rest()


def test_a_dead_phone_does_not_hide_what_the_other_says(scene: Scene) -> None:
    """486 tells the caller more than that one of two phones said nothing."""
    scene.bob.answers = ((0.1, 486),)
    scene.wire.fate = lambda number, data: () if data.startswith(b"INVITE sip:team@192.0.2.4") else (LATENCY,)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 486]
    scene.assert_at_rest()


def test_lower_q_is_tried_once_all_before_refused() -> None:
    """§16.6: targets of equal q ring together, the others in sequence."""
    scene = make_scene(q=0.5)
    scene.bob.answers = ((2.0, 486),)
    scene.alice.call(URI)
    scene.wire.run(1.5)
    assert methods(scene.carol) == []

    scene.wire.run()
    assert scene.alice.heard == [100, 180, 200]
    assert scene.carol.confirmed == 1
    scene.assert_at_rest()


@pytest.mark.parametrize("answers", [((0.1, 200),), ((0.1, 603),), ((0.1, 180),)])
def test_lower_q_is_not_tried_after_an_answer_a_6xx_or_a_cancel(answers: tuple[tuple[float, int]]) -> None:
    scene = make_scene(q=0.5)
    scene.bob.answers = answers
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert methods(scene.carol) == []
    scene.assert_at_rest()


def test_a_forked_message_has_one_answer(scene: Scene) -> None:
    """§16.7 step 5: of other requests, only the first 2xx goes upstream."""
    scene.alice.send("MESSAGE", URI)
    scene.wire.run()

    assert scene.alice.heard == [200]
    assert (methods(scene.bob), methods(scene.carol)) == (["MESSAGE"], ["MESSAGE"])
    scene.assert_at_rest()


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((404, 486), 404),
        ((486, 404), 486),
        ((404, 603), 603),
        ((503, 404), 404),
        ((500, 302), 302),
        ((404, 407), 407),
        ((486, 401), 401),
        ((404, 484), 484),
        ((415, 401), 401),
        ((408, 486), 486),
        ((487, 480), 480),
        ((408, 503), 408),
        ((503, 500), 500),
        ((430, 404), 404),
        ((408,), 408),
    ],
)
def test_the_best_response(statuses: tuple[int, ...], expected: int) -> None:
    """§16.7 step 6: 6xx, else the lowest class, in it what helps the client most."""
    assert statuses[best([Response(status) for status in statuses])] == expected


def test_all_challenges_reach_the_client() -> None:
    """§16.7 step 7."""
    invite = make_request()
    first, second, third = invite.reply(407), invite.reply(401), invite.reply(404)
    first.append("Proxy-Authenticate", 'Digest realm="a", nonce="1"')
    second.append("WWW-Authenticate", 'Digest realm="b", nonce="2"')
    second.append("Proxy-Authenticate", 'Digest realm="c", nonce="3"')
    third.append("WWW-Authenticate", 'Digest realm="d", nonce="4"')

    add_challenges(first, [first, second, third])
    assert first.all("Proxy-Authenticate") == ['Digest realm="a", nonce="1"', 'Digest realm="c", nonce="3"']
    assert first.all("WWW-Authenticate") == ['Digest realm="b", nonce="2"']


def test_only_a_challenge_gathers_challenges() -> None:
    invite = make_request()
    found, challenge = invite.reply(404), invite.reply(401)
    challenge.append("WWW-Authenticate", 'Digest realm="b", nonce="2"')

    add_challenges(found, [found, challenge])
    assert "WWW-Authenticate" not in found


def test_all_together_ring_no_longer_than_the_limit() -> None:
    """Bob rings for 3 s, who then gets what is left of 5; a provisional answer gives nobody more."""
    scene = make_scene(q=0.5)
    scene.proxy.timer_c, scene.proxy.limit = 3.0, 5.0
    scene.bob.answers, scene.carol.answers = RINGS, ((0.1, 180), (1.5, 183))
    scene.alice.call(URI)
    scene.wire.run(5.2)

    assert scene.alice.heard == [100, 180, 180, 183, 408]
    assert methods(scene.carol) == ["INVITE", "CANCEL"]
    scene.wire.run()
    scene.assert_at_rest()


def test_nobody_else_is_asked_after_the_limit() -> None:
    scene = make_scene(q=0.5)
    scene.proxy.limit = 3.0
    scene.bob.answers = RINGS
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 408]
    assert methods(scene.carol) == []


def test_a_failure_that_stops_the_search() -> None:
    """What a caller wants of certain codes is what §16.7 step 5 wants of any 6xx."""
    for q in (1.0, 0.5):
        scene = make_scene(q)
        scene.proxy.stops = frozenset({486})
        scene.bob.answers, scene.carol.answers = ((0.5, 486),), RINGS
        scene.alice.call(URI)
        scene.wire.run()

        assert scene.alice.heard[-1] == 486
        assert methods(scene.carol) == (["INVITE", "CANCEL"] if q == 1.0 else [])
        scene.assert_at_rest()
