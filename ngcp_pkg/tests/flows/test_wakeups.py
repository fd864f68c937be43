"""Wake-up calls through a node, on a virtual clock: who answers is told, who does not is called again."""

import logging
from collections.abc import Sequence

import pytest

from appserver.wakers import Waker
from flows.attempts import IS_BUSY, RINGS, SDP, Script
from flows.whole import PROXY, Node
from flows.wire import Packet, Wire
from ngcp.appserver.reminders import Terms
from ngcp.appserver.wakeup import PAUSE, TIMES, TONE
from ngcp.provisioning.reminder_calls import Wakeup
from ngcp.sip.syntax import Request, parse

ANSWERS_AT_ONCE: Script = ((0.0, 180), (0.1, 200))


@pytest.fixture
def node() -> Node:
    """A node whose media relay is not looked at: sessions are as phones have them."""
    node = Node()
    node.wire.inspectors.clear()  # the relay in memory leaves our address in the session
    return node


def alone() -> Waker:
    """An app server whose proxy hears, and says nothing."""
    return Waker(Wire())


def invites(packets: list[Packet]) -> list[Request]:
    found: dict[str, Request] = {}
    for packet in packets:
        if packet.destination == PROXY and packet.source[1] == 5070 and packet.start.startswith("INVITE"):
            request = parse(packet.data)
            assert isinstance(request, Request)
            found.setdefault(request.call_id, request)
    return list(found.values())


def starts(node: Node, host: str) -> list[float]:
    """Return when the calls began that came to a phone."""
    found: dict[str, float] = {}
    for packet in node.wire.sent_to((host, 5060)):
        if packet.start.startswith("INVITE"):
            found.setdefault(parse(packet.data).call_id, packet.at)
    return list(found.values())


class Broken(dict[str, Sequence[bytes]]):
    """Prompts of which the first that is asked for breaks something."""

    was_asked = False

    def get(self, *_: object) -> Sequence[bytes]:
        self.was_asked, was_asked = True, self.was_asked
        if not was_asked:
            raise RuntimeError("broken")
        return TONE


def test_who_answers_hears_it_and_is_called_once(node: Node) -> None:
    waker, bob = Waker(node.wire), node.registered("bob", "192.0.2.20", script=ANSWERS_AT_ONCE)
    waker.book.order("bob", waker.now + 30)

    node.wire.run(29)
    assert bob.calls == []
    node.wire.run(120)

    (call,) = bob.calls
    assert call.is_ended
    assert call.invite.from_.address == "sip:reminder@voicebox.local"
    assert len(waker.packets) == TIMES * len(TONE) + (TIMES - 1) * len(PAUSE) + len(PAUSE)
    assert waker.book.planned == []
    assert waker.is_idle


def test_prompt_is_in_the_language_of_the_subscriber(node: Node) -> None:
    waker = Waker(node.wire)
    node.registered("bob", "192.0.2.20", script=ANSWERS_AT_ONCE)
    waker.prompts["reminder"] = TONE[:5]
    wakeup = Wakeup(1, waker.now, 1, waker.now, "uuid-bob", "bob", "example.org", "de", 7)
    waker.book.planned.append(wakeup)

    node.wire.run(60)

    assert [(wanted.language, wanted.sound_set) for wanted in waker.wanted] == [("de", 7)]
    assert len(waker.packets) == TIMES * (5 + len(PAUSE))


def test_who_presses_a_key_is_awake(node: Node) -> None:
    waker, bob = Waker(node.wire), node.registered("bob", "192.0.2.20", script=ANSWERS_AT_ONCE)
    waker.book.order("bob", waker.now)
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)

    (call,) = bob.calls
    bob.send_request("INFO", call.target, call, ["Content-Type: application/dtmf-relay"], b"Signal=1\r\n")
    node.wire.run(0.5)

    assert bob.calls[0].is_ended


def test_who_hangs_up_is_not_called_again(node: Node) -> None:
    waker, bob = Waker(node.wire), node.registered("bob", "192.0.2.20", script=ANSWERS_AT_ONCE)
    waker.book.order("bob", waker.now)
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)

    bob.calls[0].hang_up()
    node.wire.run(300)

    assert len(bob.calls) == 1
    assert waker.is_idle


@pytest.mark.parametrize("script", [IS_BUSY, RINGS], ids=["busy", "no answer"])
def test_two_more_attempts(node: Node, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    waker, bob = Waker(node.wire), node.registered("bob", "192.0.2.20", script=script)
    waker.book.order("bob", waker.now + 20)

    node.wire.run(600)

    assert len(bob.calls) == 3
    first, second, third = starts(node, "192.0.2.20")
    assert 60 <= second - first <= 105 and 60 <= third - second <= 105
    told = [record.getMessage() for record in caplog.records if "bob" in record.getMessage()]
    assert [line.partition(": ")[2].partition(" (")[0] for line in told] == [*["tried again"] * 2, "given up"]
    assert waker.is_idle


def test_second_attempt_is_answered(node: Node) -> None:
    waker, bob = Waker(node.wire), node.registered("bob", "192.0.2.20", script=IS_BUSY)
    waker.book.order("bob", waker.now)
    node.wire.run(30)
    bob.script = ANSWERS_AT_ONCE

    node.wire.run(600)

    assert [call.status for call in bob.calls] == [486, 200]


def test_who_is_not_registered_is_called_when_he_is(node: Node) -> None:
    waker = Waker(node.wire)
    waker.book.order("bob", waker.now)
    node.wire.run(30)

    bob = node.registered("bob", "192.0.2.20", script=ANSWERS_AT_ONCE)
    node.wire.run(90)

    assert [call.status for call in bob.calls] == [200]


def test_many_are_called_one_after_the_other() -> None:
    waker = alone()
    for number in range(50):
        waker.book.order(f"s{number}", waker.now, number)
    waker.wire.run(10.5)
    assert len(invites(waker.wire.packets)) == 20
    waker.wire.run(1)
    assert len(invites(waker.wire.packets)) == 40
    waker.wire.run(1)
    assert len(invites(waker.wire.packets)) == 50


def test_attempt_that_is_too_late_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    waker = alone()
    waker.book.order("bob", waker.now - 301)
    waker.wire.run(10)
    assert invites(waker.wire.packets) == []
    assert "wake-up call of bob@example.org at" in caplog.text


def test_missed_calls_are_told(caplog: pytest.LogCaptureFixture) -> None:
    waker = alone()
    waker.book.missed.append(("bob@example.org", 1768024800.0))
    waker.wire.run(10)
    assert "wake-up call of bob@example.org at 2026-01-10 06:00 UTC was missed" in caplog.text


def test_database_that_is_away_delays(caplog: pytest.LogCaptureFixture) -> None:
    waker = alone()
    waker.book.dead = True
    waker.book.order("bob", waker.now)
    waker.wire.run(45)
    assert invites(waker.wire.packets) == []
    assert "wake-up calls: gone away" in caplog.text

    waker.book.dead = False
    waker.wire.run(11)
    assert len(invites(waker.wire.packets)) == 1


def test_database_that_is_away_when_a_call_fails_is_told_later() -> None:
    waker = alone()
    waker.book.order("bob", waker.now)
    waker.wire.run(5)
    waker.book.dead = True
    waker.wire.run(45)  # nobody answered
    waker.book.dead = False
    waker.wire.run(120)
    assert len(invites(waker.wire.packets)) == 2


def test_without_a_port_it_is_tried_again() -> None:
    waker = alone()
    waker.has_ports = False
    waker.book.order("bob", waker.now)
    waker.wire.run(30)
    assert waker.is_idle
    waker.has_ports = True
    waker.wire.run(60)
    assert len(invites(waker.wire.packets)) == 1


def test_one_call_that_cannot_be_begun_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    waker = alone()
    waker.prompts = Broken()
    waker.book.order("alice", waker.now, 1)
    waker.book.order("bob", waker.now, 2)

    waker.wire.run(20)

    (invite,) = invites(waker.wire.packets)
    assert invite.uri == "sip:bob@example.org"
    assert "wake-up call of alice@example.org" in caplog.text
    waker.wire.run(80)
    assert "sip:alice@example.org" in [request.uri for request in invites(waker.wire.packets)]


def test_who_stops_begins_nothing() -> None:
    waker = alone()
    waker.reminders.is_draining = lambda: True
    waker.book.order("bob", waker.now)
    waker.wire.run(20)
    assert invites(waker.wire.packets) == []
    assert len(waker.book.planned) == 1


@pytest.mark.parametrize("dead", [False, True])
def test_call_that_a_stop_ends_is_made_again_after_the_next_start(
    dead: bool, caplog: pytest.LogCaptureFixture
) -> None:
    waker = alone()
    waker.book.order("bob", waker.now)
    waker.wire.run(12)
    waker.reminders.is_draining = lambda: True
    waker.core.end(waker.wire.now)

    waker.book.dead = dead
    waker.wire.spawn(waker.reminders.close())

    assert [wakeup.attempt for wakeup in waker.book.planned] == ([] if dead else [2])
    assert ("1 wake-up calls are not tried again: gone away" in caplog.text) is dead


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"retries": 11}, "retries is from 0 to 10, not 11"),
        ({"wait_time": 1}, "wait_time is from 5 to 180, not 1"),
        ({"weekdays": (0, 8)}, "weekdays are numbers from 1"),
    ],
)
def test_terms_that_make_no_sense(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Terms(**wrong)  # type: ignore[arg-type] # that is what is tested


def test_session_is_ours() -> None:
    waker = alone()
    waker.book.order("bob", waker.now)
    waker.wire.run(11)
    (invite,) = invites(waker.wire.packets)
    assert b"m=audio 10000 RTP/AVP " in invite.body
    assert SDP not in invite.body
