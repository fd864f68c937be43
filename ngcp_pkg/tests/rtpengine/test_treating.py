"""Media are blocked, silenced and listened to while a call goes on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.ng.bencode import Value
from ngcp.rtpengine.treatments import Gate, Treatment, silenced
from rtpengine.harness import LISTENER, RELAY, RTCP, RTP, Phone, Relay, answer, establish, offer

#: A digit by telephone-event, payload type 101.
KEY = bytes.fromhex("80 65 0002 000000a0 decafbad 050a00a0")
EVENTS = ("rtpmap:101 telephone-event/8000",)


@pytest.fixture
def talk(alice: Phone, bob: Phone) -> None:
    """A call between alice and bob, who press keys, too."""
    offer(alice, bob, alice.body(*EVENTS), label="caller")
    answer(alice, bob, bob.body(*EVENTS), label="callee")
    bob.hears(alice)
    alice.hears(bob)


def do(relay: Relay, command: str, **more: Value) -> None:
    assert relay.ask(command=command, call_id="call", **more) == {"result": "ok"}
    assert relay.notes == []


@pytest.mark.usefixtures("talk")
class TestTreating:
    """While they talk."""

    def test_blocked_call_is_silent_both_ways_and_keys_pass(
        self, relay: Relay, alice: Phone, bob: Phone
    ) -> None:
        do(relay, "block media")
        assert alice.send() is None
        assert bob.send() is None
        assert bob.hears(alice, KEY)
        assert bob.hears(alice, RTCP)
        do(relay, "unblock media")
        assert bob.hears(alice)
        assert alice.hears(bob)

    @pytest.mark.parametrize(
        "who",
        [{"from_tag": "alice"}, {"label": "caller"}, {"from_label": "caller"}, {"address": "198.51.100.10"}],
        ids=lambda who: next(iter(who)),
    )
    def test_one_participant_is_blocked(
        self, relay: Relay, alice: Phone, bob: Phone, who: dict[str, Value]
    ) -> None:
        do(relay, "block media", **who)
        assert alice.send() is None
        assert alice.hears(bob)
        do(relay, "unblock media", **who)
        assert bob.hears(alice)

    def test_end_for_the_call_is_none_for_the_participant_unless_all_are_meant(
        self, relay: Relay, alice: Phone, bob: Phone
    ) -> None:
        do(relay, "block media", from_tag="alice")
        do(relay, "unblock media")
        assert alice.send() is None
        do(relay, "unblock media", flags=["all"])
        assert bob.hears(alice)
        do(relay, "block media", all="all")
        do(relay, "unblock media", all="all")
        assert alice.hears(bob)

    def test_blocked_keys_leave_the_voice(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        do(relay, "block DTMF", from_tag="alice")
        assert alice.send(KEY) is None
        assert bob.hears(alice)
        assert alice.hears(bob, KEY)
        do(relay, "unblock DTMF", from_tag="alice")
        assert bob.hears(alice, KEY)

    def test_silenced_voice_is_silence_of_the_same_length(
        self, relay: Relay, alice: Phone, bob: Phone
    ) -> None:
        do(relay, "silence media", from_tag="alice")
        assert bob.hears(alice)
        assert relay.wire.left == [RTP[:12] + b"\xd5" * 160]
        assert bob.hears(alice, KEY)
        assert relay.wire.left == [KEY]
        do(relay, "unsilence media", from_tag="alice")
        assert bob.hears(alice)
        assert relay.wire.left == [RTP]

    def test_copy_goes_to_who_listens(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        do(relay, "start forwarding", from_tag="alice")
        do(relay, "block media")
        alice.send()
        bob.send()
        assert relay.wire.sent == [((RELAY, alice.told[0]), LISTENER, RTP)]
        do(relay, "stop forwarding", from_tag="alice")
        alice.send()
        assert len(relay.wire.sent) == 1

    def test_what_is_done_to_a_call_holds_for_its_new_branches(self, relay: Relay, alice: Phone) -> None:
        do(relay, "block media")
        carol = Phone(relay, "carol", "192.0.2.30", 6000)
        offer(alice, carol, via_branch="b2")
        answer(alice, carol, via_branch="b2")
        assert carol.send() is None

    def test_reinvite_does_not_unblock(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        do(relay, "block media")
        establish(alice, bob)
        assert alice.send() is None

    def test_untouched_flows_stay_with_the_fast_plane(self, relay: Relay, alice: Phone) -> None:
        do(relay, "block media", from_tag="alice")
        assert relay.wire.processed == {alice.told[0]}
        do(relay, "unblock media", from_tag="alice")
        assert not relay.wire.processed

    def test_label_is_reported(self, relay: Relay) -> None:
        tags = relay.ask(command="query", call_id="call")["tags"]
        assert isinstance(tags, dict)
        labels = {name: tag["label"] for name, tag in tags.items() if isinstance(tag, dict)}
        assert labels == {"alice": "caller", "bob": "callee"}

    @pytest.mark.parametrize("who", [{"from_tag": "eve"}, {"label": "eve"}, {"address": "192.0.2.99"}])
    def test_nobody_of_that_name(self, relay: Relay, who: dict[str, Value]) -> None:
        reply = relay.ask(command="block media", call_id="call", **who)
        assert reply["error-reason"] == "No matching call participant"


@pytest.mark.parametrize(
    "command",
    ["block media", "unblock media", "block DTMF", "unblock DTMF", "silence media", "unsilence media"],
)
def test_call_that_is_none(relay: Relay, command: str) -> None:
    assert relay.ask(command=command)["error-reason"] == "No call-id in message"
    assert relay.ask(command=command, call_id="1")["error-reason"] == "Unknown call-id"


def test_nobody_listens(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    relay.processing.forward_to = None
    reply = relay.ask(command="start forwarding", call_id="call")
    assert reply["error-reason"] == "No forwarding destination configured"
    assert relay.ask(command="stop forwarding", call_id="call") == {"result": "ok"}


@pytest.mark.parametrize(
    ("codec", "payload"),
    [("PCMU", b"\xff" * 160), ("PCMA", b"\xd5" * 160), ("G722", b"\xfa" * 160), ("OPUS", b"\xf8\xff\xfe")],
)
def test_silence_of_each_codec(codec: str, payload: bytes) -> None:
    assert silenced(RTP, codec) == (RTP[:12] + payload,)


def test_silence_of_other_codecs_is_nothing() -> None:
    assert silenced(RTP, "G729") == ()
    assert silenced(RTP, "") == ()


def test_header_is_kept_and_padding_is_not() -> None:
    sources_extension = bytes.fromhex("b1 08 0001 000000a0 decafbad 00000001 bede0001 10aa0000")
    packet = sources_extension + bytes(160) + b"\0\0\0\x04"
    assert silenced(packet, "PCMA") == (b"\x91" + sources_extension[1:] + b"\xd5" * 160,)


PACKETS: st.SearchStrategy[bytes] = st.builds(
    lambda head, rest: bytes([0x80 | head & 0x3F]) + rest, st.integers(0, 255), st.binary(max_size=100)
)


@settings(deadline=None)
@given(PACKETS, st.sampled_from(list(Treatment)), st.sampled_from(["PCMU", "OPUS", "TELEPHONE-EVENT", ""]))
def test_any_packet_passes_or_not(packet: bytes, treatment: Treatment, codec: str) -> None:
    gate = Gate(treatment, dict.fromkeys(range(128), codec))
    for left in gate(packet, 0.0):
        assert left[1:12] == packet[1:12]
        assert len(left) <= len(packet) + 3
