"""Reports of our own (flag `generate RTCP`): each side hears from us how its media arrive, and what we send.

What the sides report themselves is read and goes no further (RFC 3550 §6.4, §7.2: we stand between two
sessions, each with its own sources and its own losses).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ngcp.rtp import is_rtcp, is_rtp
from ngcp.rtp.header import payload_of
from ngcp.rtp.rtcp import Block, Report, Sent, description, ntp

from .dialogs import Media
from .flows import Plane

#: Seconds between two reports to a side, on average (RFC 3550 §6.2).
INTERVAL: Final = 5.0


def consume(packet: bytes, now: float) -> tuple[bytes, ...]:
    """Let no RTCP pass (a `Process`)."""
    return () if is_rtcp(packet) else (packet,)


@dataclass(slots=True)
class Tally:
    """Counts what leaves towards one side, and lets it pass (a `Process`)."""

    ssrc: int
    """Of the last packet; of nobody, before there was one."""
    packets: int = 0
    octets: int = 0
    _timestamp: int = 0
    _when: float = 0.0

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet."""
        if is_rtp(packet):
            ssrc = int.from_bytes(packet[8:12], "big")
            if ssrc != self.ssrc:
                self.ssrc, self.packets, self.octets = ssrc, 0, 0
            start, stop = payload_of(packet)
            self.packets += 1
            self.octets += stop - start
            self._timestamp, self._when = int.from_bytes(packet[4:8], "big"), now
        return (packet,)

    def sent(self, clock: int, now: float, unix: float) -> Sent | None:
        """Return what a report says of it; None if nothing has left since a report may have been."""
        if not self.packets or now - self._when > 2 * INTERVAL:
            return None
        timestamp = self._timestamp + int((now - self._when) * clock) & 0xFFFFFFFF
        return Sent(ntp(unix), timestamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)


@dataclass(slots=True)
class _Duty:
    """One section."""

    tallies: tuple[Tally, Tally]
    """What leaves towards each side."""
    due: list[float] = field(default_factory=list)
    """When each side hears from us next."""


class OwnReports:
    """All sections whose reports are our own."""

    def __init__(
        self, plane: Plane, ids: Callable[[int], int], unix: Callable[[float], float], name: str
    ) -> None:
        """`ids` returns random numbers of so many bits; `unix` translates `now`; `name` is our CNAME."""
        self._plane = plane
        self._ids = ids
        self._unix = unix
        self._name = name
        self._duties: dict[Media, _Duty] = {}

    def towards(self, media: Media, side: int, now: float) -> Tally:
        """Return who counts what leaves towards `side`, and report from now on."""
        duty = self._duties.get(media)
        if duty is None:
            duty = _Duty((Tally(self._ids(32)), Tally(self._ids(32))))
            duty.due = [self._after(now), self._after(now)]
            self._duties[media] = duty
        return duty.tallies[side]

    def forget(self, media: Media) -> None:
        """Report no more of a section."""
        self._duties.pop(media, None)

    def tick(self, now: float) -> None:
        """Send the reports that are due; to be called about once a second."""
        for media, duty in self._duties.items():
            for side in (0, 1):
                if now >= duty.due[side]:
                    duty.due[side] = self._after(now)
                    local = media.rtcp.streams[1 - side].local
                    self._plane.inject(local, self._report(media, duty, side, now))

    def _after(self, now: float) -> float:
        """Return a time that no other one of a thousand sections has (RFC 3550 §6.2)."""
        return now + INTERVAL * (0.5 + self._ids(16) / 65_536)

    def _report(self, media: Media, duty: _Duty, side: int, now: float) -> bytes:
        tally = duty.tallies[side]
        sent = tally.sent(media.quality.clocks[side], now, self._unix(now))
        if sent is not None:
            media.quality.note_own(side, sent.reference, now)
        report = Report(tally.ssrc, sent, tuple(_blocks(media, side, now)))
        return bytes(report) + description(tally.ssrc, self._name)


def _blocks(media: Media, side: int, now: float) -> list[Block]:
    """Say how what `side` sends arrives."""
    current = media.quality.meters[side].current
    if current is None:
        return []
    ssrc, reception = current
    last = media.quality.last_report(side)
    reference, delay = (last[0], int((now - last[1]) * 65_536)) if last else (0, 0)
    lost = max(-(1 << 23), min(reception.lost, (1 << 23) - 1))
    fraction = min(255, int(reception.lost_since() * 256))
    jitter = min(int(reception.jitter), 0xFFFFFFFF)
    return [Block(ssrc, fraction, lost, reception.highest, jitter, reference, min(delay, 0xFFFFFFFF))]
