"""What user space does with packets beyond relaying them: open, process, protect, and choose the exit."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from ngcp.rtp import is_rtcp
from ngcp.rtp.srtp import SrtpError, SrtpReceiver, SrtpSender

from .flows import Address, Exit, Flow, Keys, Position

#: Keys of a participant that are remembered: each offer may bring new ones.
MAX_KEYS: Final = 16


class Parcel(NamedTuple):
    """A packet on its way out."""

    packet: bytes
    exit: Exit


class Refused(Exception):
    """A packet that nobody sent who has the keys; the text says more."""


class Work:
    """Serves the packets of one flow."""

    def __init__(self, flow: Flow, receiver: SrtpReceiver | None, sender: SrtpSender | None) -> None:
        self.flow = flow
        self.receiver = receiver
        self.sender = sender
        self._exit = Exit(flow.send_from, flow.send_to)

    def take(self, packet: bytes, now: float) -> list[Parcel]:
        """Return what leaves in place of a packet that has arrived, or raise `Refused`."""
        if self.receiver is not None:
            try:
                packet = self.receiver.unprotect(packet)
            except SrtpError as error:
                raise Refused(str(error)) from None
        process = self.flow.process
        return self.put([packet] if process is None else process(packet, now))

    def positions(self) -> dict[int, Position]:
        """Return how far each source of protected RTP is."""
        came = self.receiver.indexes() if self.receiver else {}
        left = self.sender.indexes() if self.sender else {}
        return {one: Position(came.get(one, -1), left.get(one, -1)) for one in came or left}

    def resume(self, positions: Mapping[int, Position]) -> None:
        """Go on where somebody else has stopped."""
        for source, (came, left) in positions.items():
            with contextlib.suppress(SrtpError):  # more sources than we remember
                if self.receiver is not None:
                    self.receiver.advance(source, came)
                if self.sender is not None:
                    self.sender.advance(source, left)

    def succeed(self, positions: Mapping[int, Position], rtcp_before: int) -> None:
        """Go on for somebody who is not there any more; what SRTCP index he was at, nobody knows."""
        if self.sender is not None:
            self.sender.rtcp_before = max(self.sender.rtcp_before, rtcp_before)
        self.resume(positions)

    def put(self, packets: Iterable[bytes]) -> list[Parcel]:
        """Return plain packets as they leave."""
        parcels = []
        for packet in packets:
            rtcp = self.flow.rtcp
            way = rtcp if rtcp is not None and is_rtcp(packet) else self._exit
            if way.send_to is not None:
                sealed = self._seal(packet)
                if sealed is not None:
                    parcels.append(Parcel(sealed, way))
        return parcels

    def _seal(self, packet: bytes) -> bytes | None:
        """Protect a packet; None if it was sent before, or is nothing that belongs into SRTP."""
        if self.sender is None:
            return packet
        try:
            return self.sender.protect(packet)
        except SrtpError:
            return None


class Workshop:
    """Makes the work of flows.

    What counts the packets under a key is kept while any port has had the key since it was opened: counted
    anew, the same keystream would be used twice.
    """

    def __init__(self) -> None:
        self._senders: WeakValueDictionary[Keys, SrtpSender] = WeakValueDictionary()
        self._held: dict[Address, _Held] = {}

    def work_of(self, flow: Flow) -> Work | None:
        """Return the work of a flow; None if it is a plain one."""
        if not _needs_work(flow):
            return None
        held = self._held.setdefault(flow.local, _Held({}, {}))
        receiver = sender = None
        if flow.decrypt is not None:
            receiver = held.receivers.setdefault(flow.decrypt, SrtpReceiver(flow.decrypt))
            _shorten(held.receivers)
        if flow.encrypt is not None:
            sender = self._senders.get(flow.encrypt) or SrtpSender(flow.encrypt)
            self._senders[flow.encrypt] = held.senders[flow.encrypt] = sender
        return Work(flow, receiver, sender)

    def forget(self, local: Address) -> None:
        """Let go of what a port has had."""
        self._held.pop(local, None)


class _Held(NamedTuple):
    """What one port has had."""

    receivers: dict[Keys, SrtpReceiver]
    senders: dict[Keys, SrtpSender]


def _shorten(receivers: dict[Keys, SrtpReceiver]) -> None:
    """Let nobody fill our memory with keys; without an old one, its owner could replay himself at most."""
    while len(receivers) > MAX_KEYS:
        del receivers[next(iter(receivers))]


def is_handshake(packet: bytes) -> bool:
    """Whether this is STUN or DTLS, by its first byte (RFC 7983 §7)."""
    return bool(packet) and (packet[0] < 4 or 20 <= packet[0] < 64)


def _needs_work(flow: Flow) -> bool:
    """Whether more is to be done with a packet than to relay it."""
    return flow.is_guarded or any((flow.process, flow.rtcp, flow.decrypt, flow.encrypt))
