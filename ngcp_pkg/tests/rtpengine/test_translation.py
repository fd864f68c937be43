"""Calls between phones that have no codec in common (ng protocol, key `codec`)."""

import pytest

from audio.spectrum import loudest
from ngcp.audio.codecs import CODECS
from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.tones import tone
from ngcp.ng.bencode import Value
from ngcp.rtp import Packet
from ngcp.sdp import Description
from ngcp.sdp.formats import read_formats, read_ptime
from rtpengine.harness import VIDEO, Phone, Relay, answer, offer
from rtpengine.test_transcoding import SSRC, hear, keyed, speak

OPUS = "rtpmap:96 opus/48000/2"
PCMU, PCMA = "rtpmap:0 PCMU/8000", "rtpmap:8 PCMA/8000"
EVENTS = "rtpmap:101 telephone-event/8000"


def formats(reply: dict[str, Value]) -> list[str]:
    """Return the codecs of the audio that a reply describes."""
    return [one.name for one in read_formats(Description.parse(str(reply["sdp"]).encode()).media[0])]


def sent(sender: Phone, packets: list[Packet]) -> list[Packet]:
    """Return what the other side gets of `packets`."""
    got = []
    for packet in packets:
        sender.send(bytes(packet))
        got += [Packet.parse(left) for left in sender.relay.wire.left]
    return got


def test_opus_and_g711_understand_each_other(alice: Phone, bob: Phone) -> None:
    offered = offer(alice, bob, alice.body(OPUS), codec={"transcode": ["PCMA"]})
    answered = answer(alice, bob, bob.body(PCMA))

    assert (formats(offered), formats(answered)) == (["opus", "PCMA"], ["opus"])
    bob.hears(alice), alice.hears(bob)  # whom they hear is learned
    heard = sent(alice, speak(CODECS["opus"], tone([1000], 16_000, range(8000))))
    assert {packet.payload_type for packet in heard} == {8}
    assert loudest(hear(CODECS["pcma"], heard), 8000) == [pytest.approx(1000, abs=4)]
    heard = sent(bob, speak(CODECS["pcma"], tone([700], 8000, range(4000))))
    assert {packet.payload_type for packet in heard} == {96}
    assert loudest(hear(CODECS["opus"], heard), 16_000) == [pytest.approx(700, abs=4)]


def test_who_has_a_codec_in_common_speaks_it(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(PCMU), codec={"transcode": ["PCMA"]})
    answered = answer(alice, bob, bob.body(PCMU))

    assert formats(answered) == ["PCMU"]
    assert not relay.wire.processed


def test_codecs_are_stripped_and_sorted(alice: Phone, bob: Phone) -> None:
    offered = offer(alice, bob, alice.body(OPUS, PCMU, PCMA), codec={"strip": "opus", "offer": ["PCMA"]})

    assert formats(offered) == ["PCMA", "PCMU"]


def test_words_of_flags_say_the_same(alice: Phone, bob: Phone) -> None:
    flags: Value = ["codec-strip-opus", "codec-offer-PCMA"]

    assert formats(offer(alice, bob, alice.body(OPUS, PCMU, PCMA), flags=flags)) == ["PCMA", "PCMU"]


def test_packets_get_longer(alice: Phone, bob: Phone) -> None:
    offered = offer(alice, bob, alice.body(PCMA), ptime=60)
    answer(alice, bob, bob.body(PCMA))

    assert read_ptime(Description.parse(str(offered["sdp"]).encode()).media[0]) == 60
    got = sent(alice, speak(CODECS["pcma"], tone([700], 8000, range(4800))))
    assert [len(packet.payload) for packet in got] == [480] * 10


def test_keys_are_heard_by_who_knows_no_events(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(PCMA, EVENTS), flags=["always transcode"])
    answered = answer(alice, bob, bob.body(PCMA))

    assert formats(answered) == ["PCMA", "telephone-event"]
    voice = speak(CODECS["pcma"], tone([400], 8000, range(1600)))
    detector = KeyDetector()
    detector(hear(CODECS["pcma"], sent(alice, [*voice, *keyed("5", voice[-1])])) + bytes(1600))
    assert detector.heard() == "5"


def test_blocked_keys_are_not_translated_either(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(PCMA, EVENTS), flags=["always transcode"])
    answer(alice, bob, bob.body(PCMA))
    relay.ask(command="block DTMF", call_id="call")

    voice = speak(CODECS["pcma"], tone([400], 8000, range(1600)))
    assert len(sent(alice, [*voice, *keyed("5", voice[-1])])) == len(voice)


def test_translation_outlives_a_new_offer(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(OPUS), codec={"transcode": ["PCMA"]})
    answer(alice, bob, bob.body(PCMA))
    words = speak(CODECS["pcma"], tone([700], 8000, range(3200)))
    sent(bob, words[:10])

    offered = offer(bob, alice, bob.body(PCMA, "sendonly"), to_tag="alice")
    answered = answer(bob, alice, alice.body(OPUS, "recvonly"))

    assert (formats(offered), formats(answered)) == (["PCMA", "opus"], ["PCMA"])
    heard = sent(bob, words[10:])
    assert {(packet.payload_type, packet.ssrc) for packet in heard} == {(96, SSRC)}


def test_sections_that_shall_go_are_offered_no_more(relay: Relay, alice: Phone, bob: Phone) -> None:
    """They stay in their place, as the answer has to have them (RFC 3264 §6)."""
    body = alice.body(PCMA, sections=VIDEO)
    reply = offer(alice, bob, body, sdp_media_remove=["video", "message"])

    media = Description.parse(str(reply["sdp"]).encode()).media
    assert [(one.kind, one.is_rejected) for one in media] == [("audio", False), ("video", True)]
    assert len(relay.wire.bound) == 4


def test_formats_that_we_do_not_understand_are_left_alone(relay: Relay, alice: Phone, bob: Phone) -> None:
    body = alice.body(PCMU).replace("RTP/AVP 0", "RTP/AVP 0 strange")

    assert "RTP/AVP 0 strange" in str(offer(alice, bob, body, codec={"strip": ["PCMU"]})["sdp"])
