"""Sounds for participants, and keys pressed in their name (ng protocol: play media, play DTMF)."""

from itertools import pairwise

import pytest

from audio.spectrum import loudest
from ngcp.audio.codecs import CODECS, Codec
from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.tones import tone
from ngcp.audio.wav import write
from ngcp.rtp import Packet
from ngcp.rtp.events import Event
from ngcp.rtpengine.flows import Address
from rtpengine.harness import RTCP, RTP, Phone, Relay, answer, establish, offer
from rtpengine.test_transcoding import hear, speak

SOUND = write(tone([1000], 8000, range(4000)))
BLOB = SOUND.decode("utf-8", "surrogateescape")
EVENTS = "rtpmap:101 telephone-event/8000"


def played(relay: Relay) -> dict[Address, list[Packet]]:
    """Return what was sent to each since this was asked last."""
    found: dict[Address, list[Packet]] = {}
    for _, to, packet in relay.wire.sent:
        found.setdefault(to, []).append(Packet.parse(packet))
    relay.wire.sent.clear()
    return found


@pytest.mark.usefixtures("talking")
class TestPlaying:
    """In an answered call by PCMA."""

    def test_a_sound_is_heard_by_whom_it_is_for(self, relay: Relay, alice: Phone) -> None:
        reply = relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)
        relay.play(1)

        assert reply == {"result": "ok", "duration": 500}
        heard = played(relay)
        assert heard.keys() == {alice.address}
        packets = heard[alice.address]
        assert len(packets) == 25
        assert loudest(hear(CODECS["pcma"], packets), 8000) == [pytest.approx(1000, abs=2)]
        assert {packet.payload_type for packet in packets} == {8}
        assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(packets)} == {160}
        assert {b.sequence - a.sequence & 0xFFFF for a, b in pairwise(packets)} == {1}
        assert [packet.is_marked for packet in packets] == [True] + [False] * 24

    def test_it_takes_its_time(self, relay: Relay, alice: Phone) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)
        relay.play(0.1)

        assert len(played(relay)[alice.address]) in (5, 6)

    def test_the_other_side_is_not_heard_meanwhile(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)
        assert not alice.hears(bob)
        assert alice.hears(bob, RTCP)
        assert bob.hears(alice)

        relay.play(1)

        assert alice.hears(bob)
        assert not relay.wire.processed

    def test_everybody_hears_it_if_wanted(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        relay.ask(command="play media", call_id="call", flags=["all"], blob=BLOB)
        relay.play(1)

        assert played(relay).keys() == {alice.address, bob.address}

    def test_it_is_repeated(self, relay: Relay, alice: Phone) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB, repeat_times=3)
        relay.play(2)

        assert len(played(relay)[alice.address]) == 75

    def test_it_stops(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)
        relay.play(0.1)
        reply = relay.ask(command="stop media", call_id="call", from_tag="alice")
        played(relay)
        relay.play(1)

        assert reply["last-frame-pos"] in (800, 960)
        assert played(relay) == {}
        assert alice.hears(bob)

    def test_it_goes_on_where_it_stopped(self, relay: Relay, alice: Phone) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB, start_pos=3200)
        relay.play(1)

        assert len(played(relay)[alice.address]) == 5

    def test_a_file_is_played(self, relay: Relay, alice: Phone) -> None:
        relay.shelf.sounds["ring.wav"] = SOUND

        reply = relay.ask(command="play media", call_id="call", from_tag="alice", file="ring.wav")
        relay.play(1)

        assert reply["duration"] == 500
        assert len(played(relay)[alice.address]) == 25

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"file": "none.wav"}, "Failed to open media file: No such file or directory"),
            ({"blob": "MP3"}, "Failed to read media file: no WAV file"),
            ({}, "No media file specified"),
            ({"from_tag": "carol", "blob": BLOB}, "No matching call participant"),
            ({"call_id": "other", "blob": BLOB}, "Unknown call-id"),
            ({"blob": BLOB, "repeat_times": -1}, "Invalid repeat-times in message"),
        ],
    )
    def test_what_cannot_be_played_is_refused(
        self, relay: Relay, fields: dict[str, str | int], reason: str
    ) -> None:
        reply = relay.ask(**{"command": "play media", "call_id": "call", "from_tag": "alice", **fields})

        assert reply == {"result": "error", "error-reason": reason}

    def test_a_call_that_ends_ends_its_sounds(self, relay: Relay) -> None:
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB, repeat_times=100)
        relay.ask(command="delete", call_id="call", from_tag="alice")
        relay.play(1)

        assert relay.is_idle
        assert played(relay) == {}

    def test_who_was_late_leaves_out_what_nobody_can_hear(self, relay: Relay, alice: Phone) -> None:
        """The process stood still for ten seconds; nobody wants them at once."""
        relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB, repeat_times=100)
        relay.wire.now += 10
        relay.calls.handle_sounds(relay.wire.now)

        assert len(played(relay)[alice.address]) < 10


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_a_sound_speaks_the_listener_s_codec(relay: Relay, alice: Phone, bob: Phone, codec: Codec) -> None:
    channels = "/2" if codec.channels == 2 else ""
    number = 96 if codec.payload_type is None else codec.payload_type
    body = f"rtpmap:{number} {codec.name}/{codec.clock}{channels}"
    offer(alice, bob, alice.body(body))
    answer(alice, bob, bob.body(body))

    relay.ask(command="play media", call_id="call", from_tag="bob", blob=BLOB)
    relay.play(1)

    packets = played(relay)[bob.address]
    assert loudest(hear(codec, packets), codec.rates[0]) == [pytest.approx(1000, abs=4)]
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(packets)} == {codec.clock // 50}


def test_a_caller_hears_a_sound_before_anybody_answers(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)

    relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)
    relay.play(1)

    assert len(played(relay)[alice.address]) == 25


def test_nobody_hears_what_he_has_no_codec_for(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body("rtpmap:18 G729/8000"))

    reply = relay.ask(command="play media", call_id="call", from_tag="alice", blob=BLOB)

    assert reply["error-reason"] == "No suitable codec or media for playback"


def dialled(relay: Relay, alice: Phone, count: int = 50) -> list[Packet]:
    """Return what leaves for Bob while Alice speaks."""
    got = []
    for packet in speak(CODECS["pcma"], tone([400], 8000, range(160 * count))):
        alice.send(bytes(packet))
        got += [Packet.parse(left) for left in relay.wire.left]
    return got


def test_keys_are_pressed_as_events_for_who_knows_them(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(EVENTS))
    answer(alice, bob, bob.body(EVENTS))
    alice.send(RTP)
    for digit in ("5", "#"):
        assert relay.ask(command="play DTMF", call_id="call", from_tag="alice", code=digit)["result"] == "ok"

    packets = dialled(relay, alice)

    events = [Event.parse(packet.payload) for packet in packets if packet.payload_type == 101]
    assert [event.key for event in events if event.is_ending] == ["5"] * 3 + ["#"] * 3
    assert {event.duration for event in events if event.is_ending} == {2000}
    assert {b.sequence - a.sequence & 0xFFFF for a, b in pairwise(packets)} == {1}
    assert [packet.payload_type for packet in packets][-5:] == [8] * 5


def test_keys_are_pressed_as_tones_for_who_does_not(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    alice.send(RTP)
    for digit in (1, "d", 11):
        relay.ask(command="play DTMF", call_id="call", from_tag="alice", digit=digit, duration=100)

    detector = KeyDetector()
    detector(hear(CODECS["pcma"], dialled(relay, alice)) + bytes(1600))
    assert detector.heard() == "1D#"


@pytest.mark.parametrize("code", ["", "E", 16, -1, "55"])
def test_what_is_no_key_is_refused(relay: Relay, alice: Phone, bob: Phone, code: str | int) -> None:
    establish(alice, bob)

    reply = relay.ask(command="play DTMF", call_id="call", from_tag="alice", code=code)

    assert reply["error-reason"] == "Invalid code in message"
