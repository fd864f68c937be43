"""How well each side hears, as `query` and `delete` tell it: keys `SSRC` and `MOS` of the ng protocol."""

import random

import pytest

from ngcp.ng.bencode import Value
from ngcp.rtp import Packet
from ngcp.rtp.rtcp import Block, Report, Sent, ntp
from ngcp.rtpengine.quality import MAX_SAMPLES, MAX_SOURCES, Quality
from rtp.test_mutations import mutate
from rtpengine.harness import RTP, Phone, Relay

ALICE, BOB = 0xA11CE, 0xB0B
#: Seconds between the relay and either phone, there and back.
NEAR, FAR = 0.02, 0.08


def report(phone: Phone, packet: bytes) -> None:
    """Send RTCP."""
    relay = phone.relay
    host, port = phone.address
    relay.wire.arrive(("203.0.113.1", phone.told[0] + 1), (host, port + 1), packet)


def converse(relay: Relay, alice: Phone, bob: Phone, lost: int = 0, jitter: int = 0) -> None:
    """Let both report, each with what the other said last."""
    clock = relay.wire
    for sender, receiver, ssrc, trip in ((alice, bob, ALICE, FAR), (bob, alice, BOB, NEAR)):
        sent = Sent(ntp(clock.now), 160, 50, 8000)
        report(sender, bytes(Report(ssrc, sent, ())))
        clock.now += trip + 1.0
        block = Block(ssrc, lost, lost, 50, jitter, sent.reference, 65_536)
        report(receiver, bytes(Report(7, None, (block,))))


def scores(relay: Relay, command: str = "query") -> dict[str, Value]:
    found = relay.ask(command=command, call_id="call", from_tag="alice")["SSRC"]
    assert isinstance(found, dict)
    return found


@pytest.mark.usefixtures("talking")
class TestReports:
    """Phones that send RTCP."""

    def test_a_good_call_scores_high(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        for _ in range(3):
            converse(relay, alice, bob)

        found = scores(relay)
        assert found.keys() == {f"{ALICE}", f"{BOB}"}
        ours = found[f"{ALICE}"]
        assert isinstance(ours, dict)
        assert ours["cumulative loss"] == 0
        average = ours["average MOS"]
        assert isinstance(average, dict)
        assert (average["MOS"], average["samples"]) == (44, 3)
        assert (average["jitter"], average["packet loss"]) == (0, 0)

    def test_round_trips_are_those_of_both_legs(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        converse(relay, alice, bob)
        converse(relay, alice, bob)

        last = scores(relay)[f"{BOB}"]
        assert isinstance(last, dict)
        lowest = last["lowest MOS"]
        assert isinstance(lowest, dict)
        assert lowest["round-trip time"] == pytest.approx(1_000_000 * (NEAR + FAR), abs=1000)

    def test_loss_and_jitter_lower_the_score(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        converse(relay, alice, bob)
        converse(relay, alice, bob, lost=51, jitter=400)

        ours = scores(relay)[f"{ALICE}"]
        assert isinstance(ours, dict)
        lowest, highest, progression = ours["lowest MOS"], ours["highest MOS"], ours["MOS progression"]
        assert isinstance(lowest, dict)
        assert isinstance(highest, dict)
        assert isinstance(progression, dict)
        assert (lowest["packet loss"], lowest["jitter"]) == (20, 50)
        assert isinstance(lowest["MOS"], int)
        assert lowest["MOS"] < 30
        assert highest["MOS"] == 44
        entries = progression["entries"]
        assert isinstance(entries, list)
        assert len(entries) == 2
        assert ours["cumulative loss"] == 51

    def test_the_reply_to_delete_tells_it(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        converse(relay, alice, bob)

        assert scores(relay, "delete").keys() == {f"{ALICE}", f"{BOB}"}
        assert relay.is_idle

    def test_reports_are_relayed(self, relay: Relay, alice: Phone, bob: Phone) -> None:
        packet = bytes(Report(ALICE, None, ()))
        report(alice, packet)

        assert relay.wire.left == [packet]

    def test_a_call_without_reports_has_no_score(self, relay: Relay) -> None:
        assert scores(relay) == {}


@pytest.mark.usefixtures("talking")
def test_packets_that_we_handle_tell_it_where_nobody_reports(relay: Relay, alice: Phone) -> None:
    relay.ask(command="block DTMF", call_id="call")
    for sequence in range(100):
        relay.wire.now += 0.02
        if sequence % 10:
            alice.send(bytes(Packet(8, sequence, 160 * sequence, ALICE, bytes(160))))

    ours = scores(relay)[f"{ALICE}"]
    assert isinstance(ours, dict)
    average = ours["average MOS"]
    assert isinstance(average, dict)
    assert (average["packet loss"], average["jitter"]) == (9, 0)
    assert average["MOS"] == 35


def test_what_is_kept_is_bounded() -> None:
    quality = Quality()
    for number in range(100):
        quality.hear(0, bytes(Report(1, None, (Block(number % 50, 0, 0, 0, 0, 0, 0),))), number)
    for number in range(1000):
        quality.hear(0, bytes(Report(1, None, (Block(0, 0, 0, 0, 0, 0, 0),))), number)
    for ssrc in range(100):
        quality.meters[0](RTP[:8] + ssrc.to_bytes(4, "big"), 0.0)

    assert len(quality.sources) <= 3 * MAX_SOURCES
    assert len(quality.sources[0].progression) <= MAX_SAMPLES


def test_a_round_trip_that_cannot_be_is_not_believed() -> None:
    quality = Quality()
    sent = Sent(ntp(0.0), 0, 0, 0)
    quality.hear(0, bytes(Report(ALICE, sent, ())), 0.0)
    for delay in (0xFFFFFFFF, 65_536 * 5):
        block = Block(ALICE, 0, 0, 0, 0, sent.reference, delay)
        quality.hear(1, bytes(Report(BOB, None, (block,))), 1.0)

    average = quality.sources[ALICE].average
    assert average is not None
    assert average.round_trip == 0


def test_mutated_reports_pass_and_harm_nobody() -> None:
    """Ten thousand of them."""
    chance = random.Random(11)
    quality = Quality()
    blocks = (Block(ALICE, 1, 2, 3, 4, 5, 6), Block(BOB, 1, 2, 3, 4, 5, 6))
    original = bytes(Report(ALICE, Sent(1, 2, 3, 4), blocks))
    for number in range(10_000):
        packet = mutate(chance, original)
        assert quality.watches[number % 2](packet, number / 10) == (packet,)

    assert 0 < len(quality.sources) <= MAX_SOURCES
    for source in quality.sources.values():
        assert source.average is not None
        assert 1 <= source.average.score <= 4.5
