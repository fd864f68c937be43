"""Sound is the same in every codec, and its packets are in one row (RFC 3550 §7.2, RFC 4733)."""

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise, product

import pytest

from audio.spectrum import loudest, loudness, purity
from ngcp.audio.codecs import CODECS, OPUS, Codec
from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.resampling import Resampler
from ngcp.audio.tones import key_tone, tone
from ngcp.rtp import Packet, is_rtcp, is_rtp
from ngcp.rtp.events import Event, press
from ngcp.rtpengine.codecs import Plan
from ngcp.rtpengine.transcoding import Transcoder
from ngcp.sdp.formats import Format
from rtp.test_mutations import mutate

ALL = list(CODECS.values())
SSRC = 0xDECAFBAD
EVENT = Format(101, "telephone-event", 8000)


def form(codec: Codec) -> Format:
    number = 96 if codec.payload_type is None else codec.payload_type
    return Format(number, codec.name, codec.clock, codec.channels)


def speak(codec: Codec, samples: bytes, ptime: int = 20, first: Packet | None = None) -> list[Packet]:
    """Return the packets of a phone that says `samples`, which are of the codec's best rate."""
    encode, rate = codec.new_encoder(codec.rates[0], None), codec.rates[0]
    sequence, timestamp = (first.sequence, first.timestamp) if first else (65_530, 0xFFFFFF00)
    packets = []
    for at in range(0, len(samples), size := 2 * rate * ptime // 1000):
        payload = encode(samples[at : at + size])
        packets.append(Packet(form(codec).payload_type, sequence, timestamp, SSRC, payload, at == 0))
        sequence, timestamp = sequence + 1, timestamp + codec.clock * ptime // 1000
    return packets


def hear(codec: Codec, packets: Iterable[Packet]) -> bytes:
    decode = codec.new_decoder(codec.rates[0])
    return b"".join(decode(packet.payload) for packet in packets)


def through(transcoder: Transcoder, packets: Iterable[Packet]) -> list[Packet]:
    return [Packet.parse(result) for packet in packets for result in transcoder(bytes(packet), 0.0)]


def plan(source: Codec, target: Codec, ptime: int = 20) -> Plan:
    return Plan(converting={form(source).payload_type: form(source)}, target=form(target), ptime=ptime)


def steps(packets: Sequence[Packet]) -> set[tuple[int, int]]:
    """Return how far sequence numbers and timestamps advance from packet to packet."""
    return {
        (after.sequence - before.sequence & 0xFFFF, after.timestamp - before.timestamp & 0xFFFFFFFF)
        for before, after in pairwise(packets)
    }


@pytest.mark.parametrize(("source", "target"), product(ALL, ALL), ids=lambda codec: codec.name)
def test_a_tone_is_the_same_in_every_pair_of_codecs(source: Codec, target: Codec) -> None:
    rate = source.rates[0]
    samples = tone([1000], rate, range(rate))

    packets = through(Transcoder(plan(source, target)), speak(source, samples))

    heard = hear(target, packets)
    assert len(packets) == 50
    assert loudest(heard, target.rates[0]) == [pytest.approx(1000, abs=2)]
    assert purity(heard, target.rates[0], 1000) > 0.95
    assert loudness(heard[target.rates[0] // 2 :]) == pytest.approx(loudness(samples), rel=0.15)
    assert steps(packets) == {(1, target.clock // 50)}
    assert {(packet.ssrc, packet.payload_type) for packet in packets} == {(SSRC, form(target).payload_type)}
    assert [packet.is_marked for packet in packets] == [True] + [False] * 49


@pytest.mark.parametrize(("came", "leaves"), product([10, 20, 40, 60], repeat=2))
def test_packets_are_as_long_as_wanted(came: int, leaves: int) -> None:
    source, target = CODECS["pcma"], OPUS
    samples = tone([700], 8000, range(9600))

    packets = through(Transcoder(plan(source, target, leaves)), speak(source, samples, came))

    assert len(packets) == 1200 // leaves
    assert steps(packets) == {(1, 48 * leaves)}
    assert loudest(hear(target, packets), 16_000) == [pytest.approx(700, abs=2)]


@pytest.mark.parametrize("target", ALL, ids=lambda codec: codec.name)
def test_what_is_lost_stays_lost(target: Codec) -> None:
    """The receiver conceals it, and its reports tell the truth."""
    packets = speak(CODECS["pcmu"], tone([1000], 8000, range(8000)))
    del packets[20:23]

    results = through(Transcoder(plan(CODECS["pcmu"], target)), packets)

    assert len(results) == 47
    tick = target.clock // 50
    assert steps(results) == {(1, tick), (4, 4 * tick)}


def test_late_and_repeated_packets_are_dropped() -> None:
    packets = speak(CODECS["pcmu"], tone([1000], 8000, range(1600)))
    disorder = [*packets[:5], packets[3], packets[4], *packets[5:]]

    assert through(Transcoder(plan(CODECS["pcmu"], OPUS)), disorder) == through(
        Transcoder(plan(CODECS["pcmu"], OPUS)), packets
    )


def test_silence_is_a_gap_in_time_and_none_in_numbers() -> None:
    """A talkspurt begins with the marker (RFC 3551 §4.1)."""
    first, second = (speak(CODECS["pcmu"], tone([1000], 8000, range(800))) for _ in range(2))
    last = first[-1]
    second = [
        packet._replace(sequence=last.sequence + 1 + place, timestamp=last.timestamp + 16_000 + 160 * place)
        for place, packet in enumerate(second)
    ]

    results = through(Transcoder(plan(CODECS["pcmu"], CODECS["g722"])), [*first, *second])

    assert steps(results) == {(1, 160), (1, 16_000)}
    assert [packet.is_marked for packet in results] == [True, *[False] * 4, True, *[False] * 4]


def test_another_source_is_another_source() -> None:
    packets = speak(CODECS["pcmu"], tone([1000], 8000, range(800)))
    others = [packet._replace(ssrc=7, timestamp=packet.timestamp + 12_345) for packet in packets]

    results = through(Transcoder(plan(CODECS["pcmu"], CODECS["pcma"])), [*packets, *others])

    assert [packet.ssrc for packet in results] == [SSRC] * 5 + [7] * 5
    assert steps(results[:5]) == steps(results[5:]) == {(1, 160)}


def test_what_both_speak_passes_in_the_row_of_what_is_encoded() -> None:
    """Opus and PCMA in turn, as one source may send them."""
    moved = Format(18, "PCMA", 8000)
    mixed = Plan(passing={8: moved}, converting={96: form(OPUS)}, target=moved)
    opus = speak(OPUS, tone([1000], 16_000, range(1600)))
    last = opus[-1]._replace(sequence=opus[-1].sequence + 1)
    pcma = speak(CODECS["pcma"], tone([1000], 8000, range(800)), first=last)

    results = through(Transcoder(mixed), [*opus, *pcma])

    assert [packet.payload_type for packet in results] == [18] * 10
    assert [packet.payload for packet in results[5:]] == [packet.payload for packet in pcma]
    assert steps(results) == {(1, 160)}


def keyed(key: str, first: Packet, milliseconds: int = 100) -> list[Packet]:
    """Return the events of a key behind the packet `first`."""
    return [
        Packet(101, first.sequence + 1 + place, first.timestamp + 160, SSRC, bytes(event), place == 0)
        for place, event in enumerate(press(key, 8 * milliseconds, 160))
    ]


def detected(samples: bytes, rate: int) -> str:
    detector, narrow = KeyDetector(), Resampler(rate, 8000)
    size = rate // 25
    for at in range(0, len(samples), size):
        detector(narrow(samples[at : at + size]))
    detector(bytes(800))
    return detector.heard()


@pytest.mark.parametrize("target", ALL, ids=lambda codec: codec.name)
@pytest.mark.parametrize("key", "159D*")
def test_keys_become_tones(target: Codec, key: str) -> None:
    voice = speak(CODECS["pcmu"], tone([400], 8000, range(1600)))
    way = plan(CODECS["pcmu"], target)._replace(sounding={101: EVENT})
    keys = keyed(key, voice[-1])
    later = voice[-1]._replace(sequence=keys[-1].sequence + 1, timestamp=voice[-1].timestamp + 160 * 7)

    results = through(Transcoder(way), [*voice, *keys, later])

    assert {packet.payload_type for packet in results} == {form(target).payload_type}
    assert detected(hear(target, results), target.rates[0]) == key
    assert steps(results) == {(1, target.clock // 50), (1, target.clock // 25)}  # the pause behind the key


def test_voice_is_silent_while_a_key_sounds() -> None:
    """Phones may send both at once; a tone in speech would not be heard."""
    voice = speak(CODECS["pcmu"], tone([400], 8000, range(1600)))
    way = Plan(passing={0: form(CODECS["pcmu"])}, target=form(CODECS["pcmu"]), sounding={101: EVENT})
    both = []
    for place, (word, event) in enumerate(zip(voice, [None, *press("5", 800, 160)], strict=False)):
        both.append(word._replace(sequence=2 * place))
        if event:
            both.append(Packet(101, 2 * place + 1, voice[1].timestamp, SSRC, bytes(event)))

    results = through(Transcoder(way), both)

    heard = hear(CODECS["pcmu"], results)
    assert detected(heard, 8000) == "5"


@pytest.mark.parametrize("source", ALL, ids=lambda codec: codec.name)
def test_tones_become_keys(source: Codec) -> None:
    rate = source.rates[0]
    words = tone([400], rate, range(rate // 5))
    keys = [key_tone("7", rate, range(rate // 5)), key_tone("#", rate, range(rate // 10))]
    said = words + keys[0] + words + keys[1] + words
    way = plan(source, CODECS["pcma"])._replace(pressing=EVENT)

    results = through(Transcoder(way), speak(source, said))

    events = [(packet, Event.parse(packet.payload)) for packet in results if packet.payload_type == 101]
    endings = [event for _, event in events if event.is_ending]
    assert [event.key for event in endings] == ["7"] * 3 + ["#"] * 3
    assert endings[0].duration == pytest.approx(1600, abs=480)
    assert endings[3].duration == pytest.approx(800, abs=480)
    assert len({packet.timestamp for packet, _ in events}) == 2
    assert sum(packet.is_marked for packet, _ in events) == 2
    assert {sequence for sequence, _ in steps(results)} == {1}
    heard = hear(CODECS["pcma"], (packet for packet in results if packet.payload_type == 8))
    assert len(detected(heard, 8000)) == 0


def test_tones_in_a_codec_that_passes_become_keys_too() -> None:
    way = Plan(passing={0: form(CODECS["pcmu"])}, target=form(CODECS["pcmu"]), pressing=EVENT)
    said = tone([400], 8000, range(1600)) + key_tone("3", 8000, range(1600)) + bytes(3200)

    results = through(Transcoder(way), speak(CODECS["pcmu"], said))

    assert {packet.payload_type for packet in results[:10]} == {0}
    assert {Event.parse(packet.payload).key for packet in results if packet.payload_type == 101} == {"3"}


def test_reports_pass() -> None:
    report = bytes.fromhex("80 c9 0001 decafbad")

    assert Transcoder(plan(OPUS, CODECS["pcmu"]))(report, 0.0) == (report,)


def test_a_forged_event_makes_no_flood() -> None:
    way = plan(CODECS["pcmu"], OPUS)._replace(sounding={101: EVENT})
    event = Packet(101, 1, 1, SSRC, bytes(Event(5, 0xFFFF)))

    assert len(Transcoder(way)(bytes(event), 0.0)) <= 10


@pytest.mark.parametrize("source", ALL, ids=lambda codec: codec.name)
def test_mutated_packets_are_transcoded_or_dropped(source: Codec) -> None:
    """2,500 of each codec: what comes out is RTP, and little of it."""
    chance = random.Random(7)
    rate = source.rates[0]
    originals = speak(source, tone([440], rate, range(rate)))
    way = plan(source, OPUS)._replace(sounding={101: EVENT}, pressing=EVENT)
    transcoder, made = Transcoder(way), 0
    for number in range(2500):
        original = chance.choice(originals)._replace(sequence=number)
        for result in transcoder(mutate(chance, bytes(original)), number / 50):
            made += 1
            assert is_rtp(result) or is_rtcp(result)

    assert 100 < made < 50_000
