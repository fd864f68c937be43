"""Reports of the relay's own (ng protocol: flag `generate RTCP`)."""

import pytest

from ngcp.ng.bencode import Value
from ngcp.rtp import Packet
from ngcp.rtp.rtcp import Block, Report, Sent, ntp, reports, split
from ngcp.rtpengine.flows import Address
from ngcp.rtpengine.own_reports import INTERVAL
from rtpengine.harness import EPOCH, RTCP, Phone, Relay, answer, offer

ALICE = 0xA11CE
FLAGS: list[Value] = ["generate RTCP"]


@pytest.fixture
def reporting(relay: Relay, alice: Phone, bob: Phone) -> Relay:
    """A call in which both have heard each other."""
    offer(alice, bob, flags=FLAGS)
    answer(alice, bob, flags=FLAGS)
    speak(alice, 1)
    alice.send(RTCP)
    bob.send(RTCP)
    bob.send()
    return relay


def speak(phone: Phone, *numbers: int) -> None:
    for number in numbers:
        phone.send(bytes(Packet(8, number, 160 * number, ALICE, bytes(160))))


def heard(relay: Relay, seconds: float = 1.5 * INTERVAL) -> dict[Address, list[Report]]:
    """Let time pass, and return who got which reports."""
    relay.wire.sent.clear()
    relay.wait(seconds + 1)
    found: dict[Address, list[Report]] = {}
    for _, to, packet in relay.wire.sent:
        assert len(split(packet)) == 2, "a report and who it is from"
        found.setdefault(to, []).extend(reports(packet))
    return found


def place(phone: Phone) -> Address:
    """Where a phone wants reports."""
    return phone.host, phone.port + 1


def test_who_hears_learns_what_was_sent(reporting: Relay, alice: Phone, bob: Phone) -> None:
    speak(alice, 2, 3, 4)
    got = heard(reporting)

    [first, *_] = got[place(bob)]
    assert (first.ssrc, first.sent and first.sent[2:]) == (ALICE, (4, 640))
    assert first.sent
    sent_at = first.sent.ntp / 2**32 - 2_208_988_800 - EPOCH
    assert 0 <= sent_at <= reporting.wire.now
    assert first.sent.timestamp == 640 + int(sent_at * 8000 + 0.001)


def test_who_speaks_learns_what_arrived(reporting: Relay, alice: Phone) -> None:
    speak(alice, 2, 3, 6)
    got = heard(reporting)

    [block] = got[place(alice)][0].blocks
    assert (block.ssrc, block.highest, block.lost, block.fraction_lost) == (ALICE, 6, 2, 85)


def test_reports_come_every_few_seconds(reporting: Relay, alice: Phone, bob: Phone) -> None:
    got = heard(reporting, 60)

    assert got.keys() == {place(alice), place(bob)}
    assert all(8 <= len(each) <= 24 for each in got.values())


def test_what_the_sides_report_goes_no_further(reporting: Relay, alice: Phone, bob: Phone) -> None:
    assert bob.send(RTCP) is None
    assert alice.send(RTCP) is None
    assert alice.hears(bob)


def test_a_round_trip_is_measured_by_our_own_report(reporting: Relay, alice: Phone, bob: Phone) -> None:
    [first, *_] = heard(reporting)[place(bob)]
    assert first.sent
    block = Block(ALICE, 0, 0, 1, 0, first.sent.reference, int(65_536 * 0.9))
    when = first.sent.ntp / 2**32 - 2_208_988_800 - EPOCH
    reporting.wire.now = when + 1.0
    host, port = place(bob)
    reporting.wire.arrive(("203.0.113.1", bob.told[0] + 1), (host, port), bytes(Report(7, None, (block,))))

    found = reporting.ask(command="query", call_id="call", from_tag="alice")["SSRC"]
    assert isinstance(found, dict)
    source = found[f"{ALICE}"]
    assert isinstance(source, dict)
    lowest = source["lowest MOS"]
    assert isinstance(lowest, dict)
    assert lowest["round-trip time"] == pytest.approx(100_000, abs=2000)


def test_the_answer_refers_to_the_last_report_of_the_sender(reporting: Relay, alice: Phone) -> None:
    sent = Sent(ntp(EPOCH), 0, 1, 160)
    host, port = place(alice)
    reporting.wire.arrive(("203.0.113.1", alice.told[0] + 1), (host, port), bytes(Report(ALICE, sent, ())))
    came = reporting.wire.now
    first = heard(reporting)[place(alice)][0]

    [block] = first.blocks
    assert block.last_report == sent.reference
    assert 0 < block.delay / 65_536 <= reporting.wire.now - came


def test_without_the_flag_everybody_reports_himself(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    answer(alice, bob)
    assert bob.hears(alice)
    assert bob.hears(alice, RTCP)
    assert heard(relay) == {}


def test_nothing_is_reported_of_a_call_that_is_over(reporting: Relay) -> None:
    reporting.ask(command="delete", call_id="call", from_tag="alice")

    assert heard(reporting) == {}
    assert reporting.is_idle
