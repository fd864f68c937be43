"""What commands do to somebody's media: block them, block their keys, silence them, copy them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Final

from ngcp.rtp import is_rtp
from ngcp.rtp.header import payload_of

from .flows import Address


class Treatment(Flag):
    """Some of these at once."""

    BLOCK_MEDIA = auto()
    """Nothing passes but keys."""
    BLOCK_DTMF = auto()
    """No keys pass (telephone-event, RFC 4733)."""
    SILENCE = auto()
    """Audio passes as silence."""
    FORWARD = auto()
    """A copy goes to who listens."""


AS_IS: Final = Treatment(0)
#: What silence is: a byte for each byte of audio, or a whole packet.
SILENT_BYTES: Final[Mapping[str, bytes]] = {"PCMU": b"\xff", "PCMA": b"\xd5", "G722": b"\xfa"}
SILENT_PAYLOADS: Final[Mapping[str, bytes]] = {"OPUS": b"\xf8\xff\xfe"}
EVENT: Final = "TELEPHONE-EVENT"


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets pass what may (a `Process`)."""

    treatment: Treatment
    codecs: Mapping[int, str]
    """Names of the payload types, in capitals."""

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet, silence in its place, or nothing; RTCP passes."""
        if not is_rtp(packet):
            return (packet,)
        codec = self.codecs.get(packet[1] & 0x7F, "")
        if codec == EVENT:
            return () if Treatment.BLOCK_DTMF in self.treatment else (packet,)
        if Treatment.BLOCK_MEDIA in self.treatment:
            return ()
        return silenced(packet, codec) if Treatment.SILENCE in self.treatment else (packet,)


@dataclass(frozen=True, slots=True)
class Copy:
    """Sends a copy of each packet to who listens (a `Process`)."""

    send: Callable[[Address, Address, bytes], None]
    local: Address
    to: Address

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet as it is."""
        self.send(self.local, self.to, packet)
        return (packet,)


def silenced(packet: bytes, codec: str) -> tuple[bytes, ...]:
    """Return an RTP packet with silence of its codec; nothing if we do not know how that one is silent."""
    start, stop = payload_of(packet)
    if codec in SILENT_BYTES:
        payload = SILENT_BYTES[codec] * (stop - start)
    elif codec in SILENT_PAYLOADS:
        payload = SILENT_PAYLOADS[codec]
    else:
        return ()
    return (bytes((packet[0] & ~0x20,)) + packet[1:start] + payload,)
