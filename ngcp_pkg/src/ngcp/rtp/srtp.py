"""SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714): plain packets to protected ones and back.

One object serves one direction of one stream under one master key, with all its synchronization sources. It
counts packets (rollover counter, replay window), so it lives as long as its keys: a second one for the same
keys would use a keystream twice.
"""

import struct
from dataclasses import dataclass
from typing import Final

from .ciphers import RTCP, RTP, CounterMode, Forged, GaloisMode, Labels, Transform
from .header import is_rtcp, is_rtp
from .suites import SUITES, Keys

#: Sources in one stream; each costs memory, and to forget one would be to repeat its keystream.
MAX_SOURCES: Final = 64
#: How far a packet may be overtaken (§3.3.2 wants 64 at least).
WINDOW: Final = 128
#: An SRTCP index has 31 bits; the one before them says that the packet is encrypted (§3.4).
MAX_INDEX: Final = 1 << 31
_ENCRYPTED: Final = 1 << 31

_WORD: Final = struct.Struct("!L")
_RTP: Final = struct.Struct("!BBHLL")


class SrtpError(Exception):
    """A packet that cannot be protected, or is none that we may believe; the text says why."""


@dataclass(slots=True)
class Source:
    """What has been seen of one synchronization source: of its RTP, or of its RTCP."""

    highest: int = -1
    """The highest index."""
    seen: int = 0
    """Which of the `WINDOW` indexes up to it, the highest in bit 0."""

    def index_of(self, sequence: int) -> int:
        """Return the index of an RTP packet: its sequence number and how often that began anew (§3.3.1)."""
        if self.highest < 0:
            return sequence
        rounds, last = self.highest >> 16, self.highest & 0xFFFF
        if last < 0x8000 and sequence - last > 0x8000 and rounds:
            rounds -= 1
        elif last >= 0x8000 and last - 0x8000 > sequence:
            rounds += 1
        return rounds << 16 | sequence

    def check(self, index: int) -> None:
        """Raise `SrtpError` unless this index is new (§3.3.2)."""
        behind = self.highest - index
        if behind >= WINDOW or (behind >= 0 and self.seen >> behind & 1):
            raise SrtpError("replayed packet")

    def take(self, index: int) -> None:
        """Remember that this index has been seen."""
        ahead = index - self.highest
        if ahead > 0:
            self.seen = (self.seen << ahead | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
            self.highest = index
        else:
            self.seen |= 1 << -ahead


class _Direction:
    """What sender and receiver share."""

    def __init__(self, keys: Keys) -> None:
        """Take `keys`, or raise `SrtpError` if they do not fit their suite."""
        suite = SUITES[keys.suite]
        if len(keys.key) != suite.master_length:
            raise SrtpError(f"{keys.suite} takes {suite.master_length} bytes of key and salt")
        self._mki = keys.mki
        #: AEAD has its tag within the ciphertext, so that nothing follows the identifier.
        self._tags = (0, 0) if suite.is_aead else (suite.tag_length, max(suite.tag_length, 10))
        self._rtp = self._transform(keys, RTP)
        self._rtcp = self._transform(keys, RTCP)
        self._sources: dict[int, tuple[Source, Source]] = {}
        self.rtcp_before = -1
        """The SRTCP index before the first of a source: more than any that the keys have seen elsewhere."""

    def _transform(self, keys: Keys, labels: Labels) -> Transform:
        if SUITES[keys.suite].is_aead:
            return GaloisMode(keys, labels)
        return CounterMode(keys, labels, self._tags[labels is RTCP])

    def _source(self, number: int) -> tuple[Source, Source]:
        """Return what is known of a source: its RTP, its RTCP. A new one is kept by `_keep` only."""
        known = self._sources.get(number)
        if known is None:
            if len(self._sources) >= MAX_SOURCES:
                raise SrtpError("too many sources")
            known = Source(), Source(self.rtcp_before)
        return known

    def indexes(self) -> dict[int, int]:
        """Return the highest index of RTP of each source (§3.3.1), in the order in which they came."""
        return {number: rtp.highest for number, (rtp, _) in self._sources.items() if rtp.highest >= 0}

    def advance(self, number: int, index: int) -> None:
        """Take all RTP of a source up to `index` for seen: somebody else has served it meanwhile."""
        known = self._source(number)
        if index > known[0].highest:
            known[0].highest, known[0].seen = index, (1 << WINDOW) - 1
            self._sources[number] = known

    def _insert_mki(self, packet: bytes, behind: int) -> bytes:
        """Put the master key identifier before the tag, which has `behind` bytes (§3.1, RFC 7714 §8.1)."""
        place = len(packet) - behind
        return packet[:place] + self._mki + packet[place:] if self._mki else packet

    def _remove_mki(self, packet: bytes, behind: int) -> bytes:
        """Take the identifier out, or raise `SrtpError` if it is another one."""
        if not self._mki:
            return packet
        place = len(packet) - behind
        start = place - len(self._mki)
        if start < 0 or packet[start:place] != self._mki:
            raise SrtpError("unknown master key identifier")
        return packet[:start] + packet[place:]


class SrtpSender(_Direction):
    """Protects what we send."""

    def protect(self, packet: bytes) -> bytes:
        """Return RTP as SRTP, RTCP as SRTCP, or raise `SrtpError`: also on a packet sent before (§9.1)."""
        if is_rtcp(packet):
            return self._protect_rtcp(packet)
        start, sequence, number = _read_rtp(packet)
        known = self._source(number)
        index = known[0].index_of(sequence)
        known[0].check(index)
        known[0].take(index)
        self._sources[number] = known
        clear = packet[:start]
        sealed = self._rtp.seal(clear, packet[start:], number, index, self._mark(index))
        return self._insert_mki(clear + sealed, self._tags[0])

    def _protect_rtcp(self, packet: bytes) -> bytes:
        (number,) = _WORD.unpack_from(packet, 4)
        known = self._source(number)
        index = known[1].highest + 1
        if index >= MAX_INDEX:
            raise SrtpError("key is used up")
        known[1].take(index)
        self._sources[number] = known
        clear, mark = packet[:8], _WORD.pack(_ENCRYPTED | index)
        sealed = self._rtcp.seal(clear, packet[8:], number, index, mark)
        place = len(sealed) - self._tags[1]
        return self._insert_mki(clear + sealed[:place] + mark + sealed[place:], self._tags[1])

    def _mark(self, index: int) -> bytes:
        """Return what of the index is authenticated: the rollover counter, or nothing with AEAD."""
        return _WORD.pack(index >> 16) if self._tags[0] else b""


class SrtpReceiver(_Direction):
    """Opens what we receive."""

    def unprotect(self, packet: bytes) -> bytes:
        """Return SRTP as RTP, SRTCP as RTCP, or raise `SrtpError`: forged, damaged, or seen before (§3.3)."""
        if is_rtcp(packet):
            return self._unprotect_rtcp(packet)
        start, sequence, number = _read_rtp(packet)
        packet = self._remove_mki(packet, self._tags[0])
        known = self._source(number)
        index = known[0].index_of(sequence)
        known[0].check(index)
        mark = _WORD.pack(index >> 16) if self._tags[0] else b""
        plain = packet[:start] + _open(self._rtp, packet[:start], packet[start:], (number, index, mark))
        known[0].take(index)
        self._sources[number] = known
        return plain

    def _unprotect_rtcp(self, packet: bytes) -> bytes:
        (number,) = _WORD.unpack_from(packet, 4)
        packet = self._remove_mki(packet, self._tags[1])
        place = len(packet) - self._tags[1] - _WORD.size
        if place < 8:
            raise SrtpError("too short")
        mark = packet[place : place + _WORD.size]
        index = _WORD.unpack(mark)[0]
        sealed = packet[8:place] + packet[place + _WORD.size :]
        if not index & _ENCRYPTED:
            raise SrtpError("not encrypted")
        known = self._source(number)
        index -= _ENCRYPTED
        known[1].check(index)
        plain = packet[:8] + _open(self._rtcp, packet[:8], sealed, (number, index, mark))
        known[1].take(index)
        self._sources[number] = known
        return plain


def _open(transform: Transform, clear: bytes, sealed: bytes, place: tuple[int, int, bytes]) -> bytes:
    try:
        return transform.open(clear, sealed, *place)
    except Forged:
        raise SrtpError("authentication failed") from None


def _read_rtp(packet: bytes) -> tuple[int, int, int]:
    """Return where the payload begins, the sequence number and the source; raise `SrtpError` if none is."""
    if not is_rtp(packet):
        raise SrtpError("neither RTP nor RTCP")
    first, _, sequence, _, number = _RTP.unpack_from(packet)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:  # a header extension (RFC 3550 §5.3.1)
        if len(packet) < start + 4:
            raise SrtpError("header extension cut short")
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
        if len(packet) < start:
            raise SrtpError("header extension cut short")
    return start, sequence, number
