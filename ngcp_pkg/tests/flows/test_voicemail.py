"""Messages through the whole node: load-balancer, proxy and app server, on the virtual clock."""

from pathlib import Path

import pytest

from appserver.house import best_match, make_prompts, speech
from flows.attempts import IS_BUSY, SDP, Script
from flows.phones import Call
from flows.test_forwards import assert_nothing_is_left, forward, statuses
from flows.voicebox import VoiceBox
from flows.whole import Node
from ngcp.provisioning.voicemail import Greeting

RINGS_ON: Script = ((0.1, 180),)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def box(node: Node, tmp_path: Path) -> VoiceBox:
    return VoiceBox(node, make_prompts(tmp_path))


def call_bob(node: Node) -> Call:
    call = node.registered("alice", "192.0.2.10").call("bob")
    assert node.wire.run_until(lambda: call.is_up)
    node.wire.run(1.5)  # greeting and beep
    return call


def test_what_was_spoken_is_what_is_stored(node: Node, box: VoiceBox) -> None:
    node.change("bob", forwards=(forward("cfna", "sip:vmu4311002@voicebox.local"),))
    node.prefer("alice", cli="4311001")
    call, spoken = call_bob(node), speech(3.0)
    assert call.attempt is not None
    assert call.attempt.responses[-1].get("server") == "NGCP Voicebox Server"

    box.speak(call, spoken)
    call.hang_up()
    node.wire.run(1.0)

    message = box.house.message
    assert (message.mailbox, message.duration) == ("uuid-bob", 3)
    assert message.caller == "<4311001>"
    likeness, place = best_match(spoken, box.house.stored())
    assert likeness > 0.999
    assert place == 0
    assert_nothing_is_left(node)
    assert box.house.is_idle


@pytest.mark.parametrize(
    ("kind", "script", "greeting"),
    [
        ("cfb", IS_BUSY, Greeting.BUSY),
        ("cft", RINGS_ON, Greeting.UNAVAILABLE),
        ("cfu", RINGS_ON, Greeting.UNAVAILABLE),
    ],
)
def test_whoever_does_not_answer_has_messages_taken(
    node: Node, box: VoiceBox, kind: str, script: Script, greeting: Greeting
) -> None:
    node.registered("bob", "192.0.2.20", script=script)
    node.change("bob", forwards=(forward(kind, "sip:vmu4311002@voicebox.local"),))
    node.prefer("bob", ringtimeout="5")
    call = call_bob(node)
    assert box.house.asked == [("uuid-bob", greeting)]

    box.speak(call, speech(1.0))
    call.hang_up()
    node.wire.run(1.0)

    assert box.house.message.mailbox == "uuid-bob"
    assert_nothing_is_left(node)


def test_a_message_ends_with_silence(node: Node, box: VoiceBox) -> None:
    node.change("bob", forwards=(forward("cfna", "sip:vmu4311002@voicebox.local"),))
    call = call_bob(node)
    box.speak(call, speech(2.0))

    box.until(lambda: call.is_ended)

    assert box.house.message.duration == 2
    assert_nothing_is_left(node)


def test_a_codec_that_the_voicebox_does_not_speak(node: Node, box: VoiceBox) -> None:
    node.change("bob", forwards=(forward("cfna", "sip:vmu4311002@voicebox.local"),))
    alice = node.registered("alice", "192.0.2.10")

    call = alice.call("bob", body=SDP.replace(b"RTP/AVP 8", b"RTP/AVP 18"))
    node.wire.run(5.0)

    assert statuses(call)[-1] == 488
    assert_nothing_is_left(node)
    assert box.house.is_idle


def test_two_callers_leave_messages_at_a_time(node: Node, box: VoiceBox) -> None:
    node.change("bob", forwards=(forward("cfna", "sip:vmu4311002@voicebox.local"),))
    phones = node.registered("alice", "192.0.2.10"), node.registered("carol", "192.0.2.30")
    first, second = (phone.call("bob") for phone in phones)
    node.wire.run(4.0)
    assert first.is_up and second.is_up

    box.speak(first, speech(1.0, 1))
    box.speak(second, speech(1.0, 2))
    first.hang_up()
    second.hang_up()
    node.wire.run(1.0)

    stored = {message.caller for message in box.house.messages}
    assert stored == {"<alice>", "<carol>"}
    assert_nothing_is_left(node)
