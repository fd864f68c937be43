"""How well each side of a section hears: from the reports of the receivers (RTCP), or from packets we handle.

A report says what was lost and how it jittered; the round trip follows from reports that pass us both ways
(RFC 3550 §6.4.1), one leg at a time.
"""

import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ngcp.rtp import Packet, RtpError, is_rtcp
from ngcp.rtp.quality import score
from ngcp.rtp.reception import Reception
from ngcp.rtp.rtcp import Block, reports

#: Sources of a section that are kept: a phone has one, and a new one after each transfer.
MAX_SOURCES: Final = 16
#: Sender reports that a receiver may refer to.
MAX_REPORTS: Final = 16
#: Samples of a source that tell how it went on.
MAX_SAMPLES: Final = 10
#: Seconds of a round trip that are believed.
MAX_ROUND_TRIP: Final = 10.0
_USUAL_CLOCK: Final = 8000


class Sample(NamedTuple):
    """What one report says."""

    score: float
    """The mean opinion score."""
    round_trip: float
    """Seconds, both legs."""
    jitter: float
    """Seconds."""
    loss: float
    """Share of packets, 0 to 1."""
    reported: float
    """When, on the clock of `now`."""


_NOTHING: Final = Sample(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Source:
    """What is known of one source of packets."""

    count: int = 0
    """Reports about it."""
    lost: int = 0
    """Packets, altogether."""
    total: Sample = _NOTHING
    """The sums of all samples."""
    lowest: Sample | None = None
    highest: Sample | None = None
    progression: list[Sample] = field(default_factory=list)
    """Samples all along, at most `MAX_SAMPLES`."""
    _stride: int = 1

    def add(self, sample: Sample, lost: int) -> None:
        """Take one more report."""
        if self.count % self._stride == 0:
            self.progression.append(sample)
            if len(self.progression) > MAX_SAMPLES:
                self.progression = self.progression[::2]
                self._stride *= 2
        self.count += 1
        self.lost = lost
        self.total = Sample(*(a + b for a, b in zip(self.total, sample, strict=True)))
        self.lowest = sample if self.lowest is None else min(self.lowest, sample)
        self.highest = sample if self.highest is None else max(self.highest, sample)

    @property
    def average(self) -> Sample | None:
        """The mean of all samples."""
        return Sample(*(one / self.count for one in self.total)) if self.count else None


class Quality:
    """One section of a dialogue."""

    def __init__(self) -> None:
        self.clocks = [_USUAL_CLOCK, _USUAL_CLOCK]
        """Ticks a second of what each side hears."""
        self.watches = (Watch(self, 0), Watch(self, 1))
        """Who reads the reports of each side."""
        self.meters = (Meter(), Meter())
        """Who counts the packets of each side, where we handle them."""
        self._sources: dict[int, Source] = {}
        self._sent: list[deque[tuple[int, float]]] = [deque(maxlen=MAX_REPORTS) for _ in self.clocks]
        self._own: list[deque[tuple[int, float]]] = [deque(maxlen=MAX_REPORTS) for _ in self.clocks]
        self._round_trips = [0.0, 0.0]

    def hear(self, side: int, compound: bytes, now: float) -> None:
        """Take reports that `side` sent; raises `RtpError`."""
        for report in reports(compound):
            if report.sent is not None:
                self._sent[side].append((report.sent.reference, now))
            for block in report.blocks:
                self._judge(side, block, now)

    @property
    def sources(self) -> dict[int, Source]:
        """What is known, by source; where nobody reported, by what we counted ourselves."""
        found = dict(self._sources)
        for meter in self.meters:
            for ssrc, sample, lost in meter.samples():
                if ssrc not in found:
                    found[ssrc] = Source()
                    found[ssrc].add(sample, lost)
        return found

    def note_own(self, side: int, reference: int, now: float) -> None:
        """Know that `side` has had a report from ourselves, and how it will refer to that."""
        self._own[side].append((reference, now))

    def last_report(self, side: int) -> tuple[int, float] | None:
        """Return how receivers refer to the last report that `side` sent as a sender, and when it came."""
        return self._sent[side][-1] if self._sent[side] else None

    def _judge(self, side: int, block: Block, now: float) -> None:
        source = self._sources.get(block.ssrc)
        if source is None:
            if len(self._sources) >= MAX_SOURCES:
                return
            source = self._sources[block.ssrc] = Source()
        known = (*self._sent[1 - side], *self._own[side])
        sent = next((when for reference, when in known if reference == block.last_report), None)
        if block.last_report and sent is not None:
            trip = now - sent - block.delay / 65_536
            if 0 <= trip < MAX_ROUND_TRIP:
                self._round_trips[side] = trip
        jitter, loss = block.jitter / self.clocks[side], block.fraction_lost / 256
        trips = sum(self._round_trips)
        source.add(Sample(score(loss, jitter, trips), trips, jitter, loss, now), block.lost)


class Watch:
    """Reads the reports of one side, and lets them pass (a `Process`)."""

    def __init__(self, quality: Quality, side: int) -> None:
        self._quality = quality
        self._side = side

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet."""
        if is_rtcp(packet):
            with contextlib.suppress(RtpError):
                self._quality.hear(self._side, packet, now)
        return (packet,)


class Meter:
    """Counts the packets of one side, and lets them pass (a `Process`)."""

    def __init__(self) -> None:
        self.clock = _USUAL_CLOCK
        self._receptions: dict[int, Reception] = {}
        self._last = 0.0
        self._source = -1

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet."""
        if not is_rtcp(packet):
            with contextlib.suppress(RtpError):
                self._count(Packet.parse(packet), now)
        return (packet,)

    def _count(self, came: Packet, now: float) -> None:
        reception = self._receptions.get(came.ssrc)
        if reception is None:
            if len(self._receptions) >= MAX_SOURCES:
                return
            reception = self._receptions[came.ssrc] = Reception()
        reception.take(came.sequence, came.timestamp, now * self.clock)
        self._last, self._source = now, came.ssrc

    @property
    def current(self) -> tuple[int, Reception] | None:
        """The source that sent last."""
        reception = self._receptions.get(self._source)
        return None if reception is None else (self._source, reception)

    def samples(self) -> Iterable[tuple[int, Sample, int]]:
        """Go through what was counted: source, sample and packets lost."""
        for ssrc, reception in self._receptions.items():
            loss = max(0, reception.lost) / reception.expected
            jitter = reception.jitter / self.clock
            yield ssrc, Sample(score(loss, jitter, 0.0), 0.0, jitter, loss, self._last), reception.lost
