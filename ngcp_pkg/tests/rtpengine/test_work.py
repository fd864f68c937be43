"""What user space does with packets: opened, processed, protected, and counted once under each key."""

import pytest

from ngcp.rtp.srtp import SrtpReceiver, SrtpSender
from ngcp.rtp.suites import SUITES, Keys
from ngcp.rtpengine.flows import Exit, Flow, Kind
from ngcp.rtpengine.work import MAX_KEYS, Parcel, Refused, Work, Workshop, is_handshake
from rtpengine.harness import RTCP, RTP

LEFT, RIGHT, RIGHT_RTCP = ("203.0.113.1", 30000), ("203.0.113.1", 30002), ("203.0.113.1", 30003)
ALICE, BOB, BOB_RTCP = ("198.51.100.1", 4000), ("198.51.100.2", 5000), ("198.51.100.2", 5001)
PLAIN = Flow(LEFT, ALICE, RIGHT, BOB, 184)


def keys(number: int, suite: str = "AES_CM_128_HMAC_SHA1_80") -> Keys:
    return Keys(suite, bytes([number]) * SUITES[suite].master_length)


def rtp(number: int) -> bytes:
    return RTP[:2] + number.to_bytes(2, "big") + RTP[4:]


def work(workshop: Workshop, flow: Flow) -> Work:
    made = workshop.work_of(flow)
    assert made is not None
    return made


def test_a_plain_flow_is_no_work() -> None:
    assert Workshop().work_of(PLAIN) is None
    assert Workshop().work_of(PLAIN._replace(kind=Kind.RTP)) is None


def test_srtp_is_opened_and_protected_anew() -> None:
    made = work(Workshop(), PLAIN._replace(decrypt=keys(1), encrypt=keys(2, "AEAD_AES_256_GCM")))
    alice, bob = SrtpSender(keys(1)), SrtpReceiver(keys(2, "AEAD_AES_256_GCM"))
    for packet in (rtp(1), RTCP, rtp(2)):
        [(protected, way)] = made.take(alice.protect(packet), 0.0)
        assert way == (RIGHT, BOB)
        assert bob.unprotect(protected) == packet


def test_what_is_processed_is_plain() -> None:
    def twice(packet: bytes, now: float) -> list[bytes]:
        assert packet == rtp(1)
        return [rtp(8), rtp(9)]

    made = work(Workshop(), PLAIN._replace(decrypt=keys(1), encrypt=keys(2), process=twice))
    bob = SrtpReceiver(keys(2))

    parcels = made.take(SrtpSender(keys(1)).protect(rtp(1)), 0.0)

    assert [bob.unprotect(parcel.packet) for parcel in parcels] == [rtp(8), rtp(9)]


def test_forged_and_replayed_packets_are_refused() -> None:
    made = work(Workshop(), PLAIN._replace(decrypt=keys(1)))
    packet = SrtpSender(keys(1)).protect(rtp(1))
    assert made.take(packet, 0.0) == [Parcel(rtp(1), Exit(RIGHT, BOB))]
    for bad in (packet, SrtpSender(keys(3)).protect(rtp(2)), rtp(3), b"noise"):
        with pytest.raises(Refused):
            made.take(bad, 0.0)


def test_what_no_receiver_would_take_does_not_leave() -> None:
    made = work(Workshop(), PLAIN._replace(encrypt=keys(2)))
    assert len(made.take(rtp(1), 0.0)) == 1
    assert made.take(rtp(1), 0.0) == []
    assert made.take(b"noise", 0.0) == []


def test_multiplexed_rtcp_leaves_by_its_own_port() -> None:
    flow = PLAIN._replace(kind=Kind.MUXED, rtcp=Exit(RIGHT_RTCP, BOB_RTCP))
    assert work(Workshop(), flow).take(RTP, 0.0) == [Parcel(RTP, Exit(RIGHT, BOB))]
    assert work(Workshop(), flow).take(RTCP, 0.0) == [Parcel(RTCP, Exit(RIGHT_RTCP, BOB_RTCP))]
    nowhere = flow._replace(rtcp=Exit(RIGHT_RTCP, None), send_to=None)
    assert work(Workshop(), nowhere).take(RTCP, 0.0) == []
    assert work(Workshop(), nowhere).take(RTP, 0.0) == []


def test_counters_survive_a_change_of_the_flow() -> None:
    """A key that comes back goes on where it was, also at another port: no keystream is used twice."""
    workshop, bob = Workshop(), SrtpReceiver(keys(2))
    first = PLAIN._replace(encrypt=keys(2))
    steps = [first, first._replace(send_to=ALICE), PLAIN, first._replace(encrypt=keys(3)), first]
    steps.append(first._replace(local=RIGHT_RTCP))
    for flow in steps:
        made = workshop.work_of(flow)
        for parcel in made.put([RTCP]) if made else []:
            if flow.encrypt == keys(2):
                assert bob.unprotect(parcel.packet) == RTCP


def test_a_port_that_is_closed_leaves_nothing() -> None:
    workshop = Workshop()
    before = work(workshop, PLAIN._replace(encrypt=keys(2))).put([RTCP])
    workshop.forget(LEFT)
    assert work(workshop, PLAIN._replace(encrypt=keys(2))).put([RTCP]) == before


def test_keys_of_a_participant_are_bounded() -> None:
    workshop = Workshop()
    packet = SrtpSender(keys(0)).protect(rtp(1))
    work(workshop, PLAIN._replace(decrypt=keys(0))).take(packet, 0.0)
    for number in range(1, MAX_KEYS):
        workshop.work_of(PLAIN._replace(decrypt=keys(number)))
    with pytest.raises(Refused):
        work(workshop, PLAIN._replace(decrypt=keys(0))).take(packet, 0.0)
    workshop.work_of(PLAIN._replace(decrypt=keys(MAX_KEYS)))
    assert work(workshop, PLAIN._replace(decrypt=keys(0))).take(packet, 0.0)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"", False),
        (b"\x00\x01", True),
        (b"\x16\xfe", True),
        (b"\x3f", True),
        (b"\x80\x08", False),
        (b"\x40", False),
    ],
)
def test_handshakes_are_told_by_their_first_byte(packet: bytes, expected: bool) -> None:
    assert is_handshake(packet) == expected
