"""SRTP: against another implementation, by published vectors, and with packets that nobody should send."""

import random
import struct
from itertools import pairwise
from typing import Final, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp.ciphers import derive
from ngcp.rtp.srtp import MAX_SOURCES, SrtpError, SrtpReceiver, SrtpSender
from ngcp.rtp.suites import SUITES, Keys
from rtp.libre import SUITES as LIBRE_SUITES
from rtp.libre import LibreSrtp
from rtp.libsrtp import PROFILES, LibSrtp

MUTATIONS = 10_000
RTCP = bytes.fromhex("80c80006 decafbad") + bytes(20)

every_suite = pytest.mark.parametrize("suite", SUITES)
#: Other implementations, each with a suite that it has.
PEERS: Final = [(LibreSrtp, suite) for suite in LIBRE_SUITES] + [(LibSrtp, suite) for suite in PROFILES]
every_peer = pytest.mark.parametrize(("peer", "suite"), PEERS)


class Peer(Protocol):
    """One direction of a stream, elsewhere."""

    def __init__(self, keys: Keys) -> None: ...
    def encrypt(self, packet: bytes) -> bytes: ...
    def decrypt(self, packet: bytes) -> bytes: ...


def keys(suite: str, mki: bytes = b"") -> Keys:
    return Keys(suite, bytes(range(1, 1 + SUITES[suite].master_length)), mki)


def extended(sequence: int) -> bytes:
    """Return a packet with two contributing sources and a header extension, which stay readable."""
    packet = rtp(sequence)
    return b"\xb2" + packet[1:12] + bytes(8) + bytes.fromhex("bede0001 51000100") + packet[12:]


def reports(peer: type[Peer], suite: str) -> list[bytes]:
    """Return an RTCP packet, unless the peer is wrong about it.

    libre lets SRTCP have the short tag of the suites `_32`; RFC 4568 §6.2.2 does not.
    """
    return [] if peer is LibreSrtp and suite.endswith("_32") else [RTCP]


def rtp(sequence: int, source: int = 0xDECAFBAD, payload: bytes = bytes(160)) -> bytes:
    return struct.pack("!BBHLL", 0x80, 8, sequence & 0xFFFF, 160 * sequence & 0xFFFFFFFF, source) + payload


@every_peer
def test_another_implementation_understands_us(peer: type[Peer], suite: str) -> None:
    sender, receiver = SrtpSender(keys(suite)), peer(keys(suite))
    for packet in (rtp(1), extended(2), *reports(peer, suite), rtp(3), *reports(peer, suite)):
        protected = sender.protect(packet)
        assert protected[-30:-10] not in packet
        assert receiver.decrypt(protected) == packet


@every_peer
def test_we_understand_another_implementation(peer: type[Peer], suite: str) -> None:
    sender, receiver = peer(keys(suite)), SrtpReceiver(keys(suite))
    for packet in (rtp(1), extended(2), *reports(peer, suite), rtp(3), *reports(peer, suite)):
        assert receiver.unprotect(sender.encrypt(packet)) == packet


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"])
def test_sequence_numbers_wrap(suite: str) -> None:
    """RFC 3711 §3.3.1: the rollover counter goes on, in both directions, also across a loss."""
    corners = [65_530, 65_534, 65_535, 65_536, 65_540, 131_070, 131_073]
    numbers = [number for low, high in pairwise(corners) for number in range(low, high, 9000)]
    sender, libre = SrtpSender(keys(suite)), LibreSrtp(keys(suite))
    back, receiver = LibreSrtp(keys(suite)), SrtpReceiver(keys(suite))
    for number in numbers:
        assert libre.decrypt(sender.protect(rtp(number))) == rtp(number)
        assert receiver.unprotect(back.encrypt(rtp(number))) == rtp(number)


def test_a_packet_before_the_wrap_may_be_overtaken() -> None:
    sender, receiver = SrtpSender(keys("AEAD_AES_128_GCM")), SrtpReceiver(keys("AEAD_AES_128_GCM"))
    packets = {number: sender.protect(rtp(number)) for number in (65_533, 65_534, 65_535, 65_536)}
    for number in (65_533, 65_536, 65_534, 65_535):
        assert receiver.unprotect(packets[number]) == rtp(number)


def test_a_leap_within_the_first_round_is_no_wrap() -> None:
    sender, receiver = SrtpSender(keys("AEAD_AES_128_GCM")), LibSrtp(keys("AEAD_AES_128_GCM"))
    for number in (1, 40_000):
        assert receiver.decrypt(sender.protect(rtp(number))) == rtp(number)


def test_sources_have_counters_of_their_own() -> None:
    """A transfer or a conference changes the source within a stream."""
    sender, receiver = SrtpSender(keys("AES_CM_128_HMAC_SHA1_80")), LibreSrtp(keys("AES_CM_128_HMAC_SHA1_80"))
    for number, source in ((65_535, 1), (9, 2), (65_536, 1), (10, 2), (65_537, 1)):
        assert receiver.decrypt(sender.protect(rtp(number, source))) == rtp(number, source)


def test_sources_are_bounded() -> None:
    """Nobody fills our memory, and none is forgotten: its keystream would begin anew."""
    sender, receiver = SrtpSender(keys("AEAD_AES_128_GCM")), SrtpReceiver(keys("AEAD_AES_128_GCM"))
    for source in range(MAX_SOURCES):
        receiver.unprotect(sender.protect(rtp(1, source)))
    with pytest.raises(SrtpError, match="too many sources"):
        sender.protect(rtp(1, MAX_SOURCES))
    stranger = LibreSrtp(keys("AEAD_AES_128_GCM")).encrypt(rtp(1, MAX_SOURCES))
    with pytest.raises(SrtpError, match="too many sources"):
        receiver.unprotect(stranger)
    assert receiver.unprotect(sender.protect(rtp(2, 0))) == rtp(2, 0)


@every_suite
def test_packets_count_once(suite: str) -> None:
    """§3.3.2: a replayed packet is refused, one that was overtaken is not."""
    sender, receiver = SrtpSender(keys(suite)), SrtpReceiver(keys(suite))
    first, second, third = (sender.protect(rtp(number)) for number in (1, 2, 3))
    report = sender.protect(RTCP)
    for packet in (first, third, second, report):
        receiver.unprotect(packet)
    for packet in (first, third, report):
        with pytest.raises(SrtpError, match="replay"):
            receiver.unprotect(packet)
    with pytest.raises(SrtpError, match="replay"):
        sender.protect(rtp(2))


@every_suite
@pytest.mark.parametrize("mki", [b"\0\0\0\1", b"x" * 128])
def test_master_key_identifiers(suite: str, mki: bytes) -> None:
    sender, receiver = SrtpSender(keys(suite, mki)), SrtpReceiver(keys(suite, mki))
    plain = SrtpSender(keys(suite))
    for packet in (rtp(1), RTCP):
        protected = sender.protect(packet)
        assert len(protected) == len(plain.protect(packet)) + len(mki)
        assert mki in protected
        assert receiver.unprotect(protected) == packet
    with pytest.raises(SrtpError, match="identifier"):
        receiver.unprotect(LibreSrtp(keys("AEAD_AES_128_GCM")).encrypt(rtp(3)))


def test_where_the_identifier_stands() -> None:
    """RFC 3711 §3.1: before the tag; RFC 7714 §8.1: AEAD has its tag within the ciphertext."""
    for suite, tag in (
        ("AES_CM_128_HMAC_SHA1_80", 10),
        ("AES_CM_128_HMAC_SHA1_32", 4),
        ("AEAD_AES_128_GCM", 0),
    ):
        plain = SrtpSender(keys(suite)).protect(rtp(1))
        marked = SrtpSender(keys(suite, b"mki")).protect(rtp(1))
        place = len(plain) - tag
        assert marked == plain[:place] + b"mki" + plain[place:]


def test_session_keys_by_the_vectors_of_rfc_6188() -> None:
    """§7.4: AES-192 derives by itself; the peers have no such suite, or derive otherwise."""
    master = "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1" + "c8522f3acd4ce86d5add78edbb11"
    given_ = Keys("AES_192_CM_HMAC_SHA1_80", bytes.fromhex(master))

    assert [derive(given_, label, size).hex() for label, size in ((0, 24), (2, 14), (1, 20))] == [
        "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
        "2372b82d639b6d8503a47adc0a6c",
        "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb",
    ]


@pytest.mark.parametrize("packet", [b"", b"\x80", bytes(20), b"\x16\xfe\xfd" + bytes(40), rtp(1)[:11]])
def test_what_is_no_packet_of_media_is_refused(packet: bytes) -> None:
    for refuse in (
        SrtpSender(keys("AEAD_AES_128_GCM")).protect,
        SrtpReceiver(keys("AEAD_AES_128_GCM")).unprotect,
    ):
        with pytest.raises(SrtpError):
            refuse(packet)


def test_keys_of_wrong_length_are_refused_and_keys_are_not_shown() -> None:
    key = b"\xfa" * 31
    with pytest.raises(SrtpError, match="30 bytes") as caught:
        SrtpSender(Keys("AES_CM_128_HMAC_SHA1_80", key))
    for shown in (str(caught.value), repr(Keys("AES_CM_128_HMAC_SHA1_80", key)), f"{[Keys('x', key)]}"):
        assert "fa" not in shown


@given(st.sampled_from(sorted(SUITES)), st.binary(max_size=8), st.lists(st.binary(max_size=1400), max_size=8))
def test_what_is_protected_comes_out_again(suite: str, mki: bytes, payloads: list[bytes]) -> None:
    sender, receiver = SrtpSender(keys(suite, mki)), SrtpReceiver(keys(suite, mki))
    for number, payload in enumerate(payloads):
        packet = rtp(number, payload=payload)
        assert receiver.unprotect(sender.protect(packet)) == packet


def test_mutated_packets_are_refused_and_the_stream_goes_on() -> None:
    luck = random.Random(3711)
    for suite in ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"):
        sender, receiver = SrtpSender(keys(suite)), SrtpReceiver(keys(suite))
        for number in range(MUTATIONS // 2):
            good = sender.protect(luck.choice([rtp(number), RTCP]))
            bad = bytearray(good)
            for _ in range(luck.randint(1, 4)):
                place = luck.randrange(len(bad))
                bad[place : place + luck.randint(0, 3)] = luck.randbytes(luck.randint(0, 3))
            if bytes(bad) != good:
                with pytest.raises(SrtpError):
                    receiver.unprotect(bytes(bad))
            assert receiver.unprotect(good)
