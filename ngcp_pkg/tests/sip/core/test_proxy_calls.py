"""Calls through one stateful proxy, as their users see them (RFC 3261 §16)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from ngcp.sip.core.proxy import Returning
from sip.core.proxy_node import ProxyNode
from sip.messages import ALICE, BOB, HERE
from sip.phone import Phone
from sip.wire import LATENCY, Wire

URI = "sip:bob@example.org"
SILENT: Sequence[tuple[float, int]] = ((0.1, 180),)


class Scene(NamedTuple):
    """Alice, a proxy, Bob and what is between them."""

    alice: Phone
    proxy: ProxyNode
    bob: Phone
    wire: Wire

    def assert_at_rest(self) -> None:
        """Nobody waits for anything any more."""
        assert (self.alice.transactions, self.proxy.engine.transactions, self.bob.transactions) == (0, 0, 0)
        assert self.proxy.next_timer() is None


@pytest.fixture(params=["udp", "tcp"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """One scene where Alice uses UDP and one where she uses TCP."""
    return make_scene(request.param)


def make_scene(transport: str = "udp") -> Scene:
    alice, bob = Phone("alice", ALICE, HERE, transport), Phone("bob", BOB, HERE)
    proxy = ProxyNode(HERE, {"bob": [(BOB, 1.0)]})
    return Scene(alice, proxy, bob, Wire(alice, proxy, bob))


def lose(part: bytes) -> Callable[[int, bytes], Sequence[float]]:
    """Let the wire lose what has `part` in its start line."""
    return lambda number, data: () if part in data.split(b"\r\n")[0] else (LATENCY,)


def test_an_answered_call_takes_thirteen_messages(scene: Scene) -> None:
    """Figure 1 of §4 with one proxy, its 100 and Bob's ringing."""
    scene.alice.call(URI)
    scene.wire.run(10)
    scene.alice.hang_up(10)
    scene.wire.run()

    a, p, b = ALICE[0], HERE[0], BOB[0]
    assert scene.wire.log == [
        f"{a} > {p} INVITE",
        f"{p} > {a} 100",
        f"{p} > {b} INVITE",
        f"{b} > {p} 180",
        f"{p} > {a} 180",
        f"{b} > {p} 200",
        f"{p} > {a} 200",
        f"{a} > {p} ACK",
        f"{p} > {b} ACK",
        f"{a} > {p} BYE",
        f"{p} > {b} BYE",
        f"{b} > {p} 200",
        f"{p} > {a} 200",
    ]
    assert scene.proxy.ended == 2
    scene.assert_at_rest()


def test_a_busy_callee(scene: Scene) -> None:
    scene.bob.answers = ((0.1, 486),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 486]
    assert [request.method for request in scene.bob.requests] == ["INVITE"]  # its ACK ended the transaction
    assert f"{HERE[0]} > {BOB[0]} ACK" in scene.wire.log
    scene.assert_at_rest()


def test_a_cancelled_call(scene: Scene) -> None:
    """§16.10: 200 for the CANCEL, 487 for the INVITE; the callee stops ringing and knows why."""
    scene.bob.answers = SILENT
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200, 487]
    assert [request.method for request in scene.bob.requests] == ["INVITE", "CANCEL"]
    assert scene.bob.requests[1].get("Reason") == 'SIP;cause=487;text="Caller gave up"'
    assert scene.proxy.returned == [180, 487]
    assert scene.proxy.ended == 1
    scene.assert_at_rest()


def test_a_call_that_is_cancelled_before_anybody_rang_is_cancelled_once_somebody_does(scene: Scene) -> None:
    """§9.1: CANCEL waits for a provisional response."""
    scene.bob.answers = ((3.0, 180),)
    scene.wire.fate = lose(b" 100 ")
    scene.alice.call(URI)
    scene.wire.run(1)
    scene.alice.cancel(1)
    scene.wire.run(2)
    assert [request.method for request in scene.bob.requests] == ["INVITE"]

    scene.wire.run()
    assert [request.method for request in scene.bob.requests] == ["INVITE", "CANCEL"]
    assert scene.alice.heard[-1] == 487
    scene.assert_at_rest()


def test_nobody_answers_a_ringing_phone(scene: Scene) -> None:
    """§16.8: timer C cancels; what the caller hears is that time ran out."""
    scene.proxy.timer_c = 60.0
    scene.bob.answers = SILENT
    scene.alice.call(URI)
    scene.wire.run(60.05)
    assert scene.alice.heard == [100, 180]

    scene.wire.run()
    assert scene.alice.heard == [100, 180, 408]
    assert [request.method for request in scene.bob.requests] == ["INVITE", "CANCEL"]
    scene.assert_at_rest()


def test_a_provisional_response_starts_timer_c_anew(scene: Scene) -> None:
    """§16.7 step 2; 100 does not count."""
    scene.proxy.timer_c = 60.0
    scene.bob.answers = ((0.1, 180), (50.0, 182), (100.0, 200))
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 182, 200]
    scene.assert_at_rest()


def test_a_dead_phone(scene: Scene) -> None:
    """§16.8 with timer B: nothing came from the callee within 32 s."""
    scene.bob.answers = ()
    scene.wire.fate = lose(b" sip:bob@192.0.2.3")
    scene.alice.call(URI)
    scene.wire.run(31)
    assert scene.alice.heard == [100]

    scene.wire.run()
    assert scene.alice.heard == [100, 408]
    scene.assert_at_rest()


def test_a_cancelled_dead_phone(scene: Scene) -> None:
    """The caller who gave up hears 487, not that time ran out."""
    scene.wire.fate = lose(b" sip:bob@192.0.2.3")
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert scene.alice.heard == [100, 200, 487]
    scene.assert_at_rest()


def test_a_phone_that_dies_while_it_rings(scene: Scene) -> None:
    """§9.1: a CANCEL without effect ends the branch after 32 s."""
    scene.bob.answers = SILENT
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.wire.fate = lose(b"@192.0.2.3")
    scene.alice.cancel(5)
    scene.wire.run(36)
    assert scene.alice.heard == [100, 180, 200]

    scene.wire.run()
    assert scene.alice.heard == [100, 180, 200, 487]
    assert scene.proxy.ended == 1
    assert scene.proxy.engine.transactions == 0


def test_an_unknown_callee(scene: Scene) -> None:
    scene.alice.call("sip:nobody@example.org")
    scene.wire.run()

    assert scene.alice.heard == [404]
    assert scene.alice.responses[0].get("Server") == "Test"
    assert scene.alice.responses[0].to.tag
    assert scene.proxy.ended == 0
    scene.assert_at_rest()


def test_a_phone_that_cannot_be_reached_counts_as_503(scene: Scene) -> None:
    """§16.9."""
    scene.wire.fate = lose(b"INVITE sip:bob@192")
    scene.alice.call(URI)
    scene.wire.run(0.3)
    scene.proxy.transport_failed(BOB, 0.3)
    scene.wire.run()

    assert scene.alice.heard == [100, 503]
    scene.assert_at_rest()


def test_a_ringing_phone_outlives_its_connection(scene: Scene) -> None:
    """§17.1.1.2: Proceeding hears no transport error; the answer may come by another connection."""
    scene.alice.call(URI)
    scene.wire.run(0.5)
    scene.proxy.transport_failed(BOB, 0.5)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200]
    scene.assert_at_rest()


def test_a_slow_decision_is_bridged_by_100(scene: Scene) -> None:
    """§17.2.1: 200 ms."""
    scene.proxy.holds = True
    scene.alice.call(URI)
    scene.wire.run(3)
    assert scene.alice.heard == [100]
    assert len(scene.proxy.held) == 1

    scene.proxy.holds = False
    scene.proxy.decide_all(3)
    scene.wire.run()
    assert scene.alice.heard == [100, 180, 200]
    scene.assert_at_rest()


def test_a_call_that_is_cancelled_before_the_decision_goes_nowhere(scene: Scene) -> None:
    """§9.2, §16.10: the daemon sees one Returning with 487, so that it can clear up."""
    scene.proxy.holds = True
    scene.alice.call(URI)
    scene.wire.run(3)
    scene.alice.cancel(3)
    scene.wire.run(4)
    assert scene.alice.heard == [100, 200]

    scene.proxy.decide_all(4)
    scene.wire.run()
    assert scene.alice.heard == [100, 200, 487]
    assert scene.bob.requests == []
    assert (scene.proxy.returned, scene.proxy.ended) == ([487], 1)
    scene.assert_at_rest()


def test_cancelling_nothing_is_answered_481(scene: Scene) -> None:
    """§9.2."""
    scene.alice.call(URI)
    scene.alice.messages_to_send()
    scene.alice.cancel(0)
    scene.wire.run(0.4)

    assert scene.alice.heard == [481]


def test_a_cancel_that_comes_too_late_changes_nothing(scene: Scene) -> None:
    """§9.2: it is answered 200 and has no effect."""
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert scene.alice.heard == [100, 180, 200, 200]
    assert scene.bob.confirmed == 1
    assert "CANCEL" not in [request.method for request in scene.bob.requests]
    scene.assert_at_rest()


def test_an_edited_answer_stays_edited_when_it_is_retransmitted() -> None:
    """The daemon edits 2xx once (SDP); retransmissions must not bring the original through."""
    scene = make_scene()

    def edit(returning: Returning) -> None:
        returning.response.append("X-Edited", str(len(scene.proxy.returned)))

    scene.proxy.edit = edit
    scene.wire.fate = lambda number, data: () if number in (7, 10) else (LATENCY,)  # two ACKs of Alice
    scene.alice.call(URI)
    scene.wire.run()

    oks = [response for response in scene.alice.responses if response.status == 200]
    assert len(oks) == 3
    assert {response.get("X-Edited") for response in oks} == {"2"}
    assert scene.proxy.returned == [180, 200]
    assert scene.bob.confirmed == 1
    scene.assert_at_rest()


def test_other_requests_go_through_too(scene: Scene) -> None:
    scene.alice.send("MESSAGE", URI)
    scene.wire.run()

    assert scene.alice.heard == [200]
    scene.assert_at_rest()


def test_a_lost_message_to_a_dead_phone_is_never_answered_408() -> None:
    """RFC 4320 §4.2: the sender's own timer F tells it; a 408 could only come later."""
    scene = make_scene()
    scene.wire.fate = lose(b" sip:bob@192.0.2.3")
    scene.alice.send("MESSAGE", URI)
    scene.wire.run()

    assert scene.alice.heard == [0]
    assert scene.proxy.ended >= 1
    scene.assert_at_rest()


LONGEST = 24


def assert_carried(scene: Scene) -> None:
    """Alice and Bob talked and hung up, whatever the wire did."""
    assert scene.bob.confirmed == 1
    assert set(scene.alice.heard) <= {100, 180, 200}
    assert scene.alice.heard[-1] == 200
    assert [request.method for request in scene.bob.requests if request.method != "ACK"] == ["INVITE", "BYE"]
    scene.assert_at_rest()


@pytest.mark.parametrize("lost", range(LONGEST))
def test_a_call_survives_the_loss_of_any_message(lost: int) -> None:
    scene = make_scene()
    scene.wire.fate = lambda number, data: () if number == lost else (LATENCY,)
    scene.alice.call(URI)
    scene.wire.run(20)
    scene.alice.hang_up(20)
    scene.wire.run()

    assert_carried(scene)


@pytest.mark.parametrize("doubled", range(LONGEST))
def test_a_call_survives_the_duplication_of_any_message(doubled: int) -> None:
    scene = make_scene()
    scene.wire.fate = lambda number, data: (LATENCY, 3 * LATENCY) if number == doubled else (LATENCY,)
    scene.alice.call(URI)
    scene.wire.run(20)
    scene.alice.hang_up(20)
    scene.wire.run()

    assert_carried(scene)


@pytest.mark.parametrize("lost", range(12))
@pytest.mark.parametrize("status", [404, 486, 603])
def test_a_refused_call_survives_the_loss_of_any_message(status: int, lost: int) -> None:
    scene = make_scene()
    scene.wire.fate = lambda number, data: () if number == lost else (LATENCY,)
    scene.bob.answers = ((0.1, status),)
    scene.alice.call(URI)
    scene.wire.run()

    assert scene.alice.heard[-1] == status
    scene.assert_at_rest()


@pytest.mark.parametrize("lost", range(16))
def test_a_cancelled_call_survives_the_loss_of_any_message(lost: int) -> None:
    scene = make_scene()
    scene.wire.fate = lambda number, data: () if number == lost else (LATENCY,)
    scene.bob.answers = SILENT
    scene.alice.call(URI)
    scene.wire.run(5)
    scene.alice.cancel(5)
    scene.wire.run()

    assert 487 in scene.alice.heard
    assert [request.method for request in scene.bob.requests] == ["INVITE", "CANCEL"]
    scene.assert_at_rest()
