"""What user space does with the packets of a participant: the stages they pass, in their order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ngcp.rtp import is_rtp
from ngcp.sdp.formats import Format

from .dialogs import Dialog, Media
from .flows import Address, Process
from .music import Jukebox, Silence, Waiting
from .own_reports import OwnReports, consume
from .playing import Players, Seat
from .recording import Recording, Sink
from .transcoding import Transcoder
from .treatments import Copy, Gate, Treatment

#: What needs a look at each packet.
_GATED: Final = Treatment.BLOCK_MEDIA | Treatment.BLOCK_DTMF | Treatment.SILENCE


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages behind each other (a `Process`)."""

    stages: tuple[Process, ...]

    def __call__(self, packet: bytes, now: float) -> list[bytes]:
        """Return what comes out behind the last stage."""
        packets = [packet]
        for stage in self.stages:
            packets = [result for one in packets for result in stage(one, now)]
        return packets


@dataclass(frozen=True, slots=True)
class Archive:
    """Where recordings are kept."""

    open: Callable[[str, int], Sink | None] | None = None
    """Begins a file for a call, of so many channels; None: there is no place for files."""
    is_mixed: bool = True
    """Whether both sides are in one channel."""

    def recording(self, call_id: str) -> Recording | None:
        """Return a recording of a call; None if there is no place for any."""
        begin = self.open
        if begin is None:
            return None
        return Recording(lambda: begin(call_id, 1 if self.is_mixed else 2), is_mixed=self.is_mixed)


class Processing:
    """Knows which stages there are."""

    def __init__(
        self,
        send: Callable[[Address, Address, bytes], None],
        forward_to: Address | None,
        players: Players,
        archive: Archive = Archive(),
        jukebox: Jukebox | None = None,
        own_reports: OwnReports | None = None,
    ) -> None:
        """Let who listens be at `forward_to`, and packets to him leave by `send`."""
        self._send = send
        self.forward_to = forward_to
        self.players = players
        self.waiting = Waiting(players, jukebox or Silence())
        self.archive = archive
        self.own_reports = own_reports

    def of(self, dialog: Dialog, media: Media, side: int) -> Process | None:
        """Return what is done with the RTP that `side` sends; None leaves it to a fast plane."""
        stages = tuple(self._stages(dialog, media, side))
        if not stages:
            return None
        meter = media.quality.meters[side]
        meter.clock = _clock(media.incoming(side).values())
        return Chain((media.quality.watches[side], meter, *stages))  # reports may come on the same port

    def of_reports(self, dialog: Dialog, media: Media, side: int) -> Process | None:
        """Return what is done with the RTCP that `side` sends."""
        if not media.formats.is_audio:
            return None
        target = media.formats.plans[1 - side].target
        media.quality.clocks[side] = target.clock if target else _clock(media.formats.sides[side].said)
        watch = media.quality.watches[side]
        return Chain((watch, consume)) if self._is_reporting(dialog, media) else watch

    def _stages(self, dialog: Dialog, media: Media, side: int) -> Iterator[Process]:
        treatment = dialog.treatment | dialog.sides[side].treatment
        recording = self._recording(dialog, media)
        if recording is not None:
            yield recording.tap(side, media.incoming(side))
        if Treatment.FORWARD in treatment and self.forward_to is not None:
            yield Copy(self._send, media.rtp.streams[side].local, self.forward_to)
        if treatment & _GATED:
            yield Gate(treatment & _GATED, media.codecs(side))
        transcoder = _transcoder(media, side)
        if transcoder is not None:
            yield transcoder
        if self.players.is_playing(Seat(dialog, media, 1 - side)):
            yield hush
        if self.own_reports is not None and self._is_reporting(dialog, media):
            yield consume
            yield self.own_reports.towards(media, 1 - side, dialog.last_signal)

    def _is_reporting(self, dialog: Dialog, media: Media) -> bool:
        return self.own_reports is not None and dialog.is_reporting and media.formats.is_audio

    def handle_timer(self, now: float) -> set[Dialog]:
        """Send what is due every few seconds; return the dialogues whose music was late."""
        if self.own_reports is not None:
            self.own_reports.tick(now)
        return self.waiting.take_late()

    def close(self, media: Media) -> None:
        """End what goes on in a section that is gone."""
        self.players.forget(media)
        if self.own_reports is not None:
            self.own_reports.forget(media)
        if media.recording is not None:
            media.recording.close()
            media.recording = None

    def _recording(self, dialog: Dialog, media: Media) -> Recording | None:
        """Return what keeps what is said, if it is to be kept."""
        if dialog.recorded_as and media.recording is None and media.formats.is_audio:
            media.recording = self.archive.recording(dialog.recorded_as)
        elif not dialog.recorded_as and media.recording is not None:
            media.recording.close()
            media.recording = None
        return media.recording


def _clock(formats: Iterable[Format]) -> int:
    """Return the ticks a second of the format that is most likely spoken: the first."""
    return next((one.clock for one in formats if one.clock), 8000)


def hush(packet: bytes, now: float) -> Sequence[bytes]:
    """Let no RTP pass: its receiver hears a sound (a `Process`)."""
    return () if is_rtp(packet) else (packet,)


def _transcoder(media: Media, side: int) -> Transcoder | None:
    """Return who translates what `side` says; the same one as long as there is the same to do."""
    plan = media.formats.plans[side]
    known = media.transcoders[side]
    if known is None or known.plan != plan:
        media.transcoders[side] = None if plan.is_plain else Transcoder(plan, known)
    return media.transcoders[side]
