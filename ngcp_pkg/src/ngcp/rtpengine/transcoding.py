"""Transcode what one side sends: packets in, by a plan, packets out (a `Process`).

Formats that both sides speak pass with their payload untouched, but in one row of numbers with those that
are encoded anew. Keys that come as events become tones for who knows no events, and tones become events for
who was promised some; a key silences the voice.
"""

from collections.abc import Callable, Sequence
from typing import Final

from ngcp.audio.codecs import Codec, Convert
from ngcp.audio.dtmf import RATE as DETECTOR_RATE
from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.errors import AudioError
from ngcp.audio.framing import Framer
from ngcp.audio.resampling import Resampler
from ngcp.audio.tones import key_tone
from ngcp.rtp import Packet, RtpError, is_rtcp
from ngcp.rtp.events import ENDINGS, KEYS, MAX_DURATION, Event, EventFollower
from ngcp.sdp.formats import Format

from .codecs import Plan, codec_of, decoder
from .dialling import Dialler
from .timeline import Timeline

#: Seconds of tone that one packet of an event can ask for: a forged one shall not cost more.
MAX_TONE: Final = 0.2
#: Seconds that voice stays silent when the next packet of an event does not come.
PATIENCE: Final = 0.1
#: Packets that wait until it is clear whether they are a key.
MAX_WAITING: Final = 2


class Transcoder:
    """Carries out a plan for one direction of a stream."""

    def __init__(self, plan: Plan, former: "Transcoder | None" = None) -> None:
        """Go on where `former` ended, if the clock is the same."""
        self.plan = plan
        clock = plan.target.clock if plan.target else 8000
        dialler = former.dialler if former is not None else None
        is_same = dialler is not None and dialler.timeline.clock == clock
        self.dialler: Dialler = dialler if dialler and is_same else Dialler(Timeline(clock))
        """Presses keys."""
        timeline = self.dialler.timeline
        self._timeline = timeline
        self._voice = _Voice(plan, self._timeline) if plan.target else None
        self._presser = _Presser(plan, self._timeline) if plan.pressing else None
        self._follower = EventFollower()
        self._waiting: list[Callable[[], Sequence[bytes]]] = []

    def __call__(self, packet: bytes, now: float) -> Sequence[bytes]:
        """Return what leaves in place of `packet`; RTCP and formats that nobody agreed on pass."""
        if is_rtcp(packet):
            return (packet,)
        try:
            came = Packet.parse(packet)
            return self._treat(came)
        except (RtpError, AudioError):
            return ()

    def _treat(self, came: Packet) -> Sequence[bytes]:
        plan = self.plan
        event = plan.sounding.get(came.payload_type)
        source = plan.converting.get(came.payload_type) or event
        leaving = plan.passing.get(came.payload_type)
        place = self._timeline.follow(came, (source or leaving or _UNKNOWN).clock or self._timeline.clock)
        if place is None:
            return ()
        if event and self._voice:
            return self._sound(came, place, event, self._voice)
        spoken = source or leaving
        if self._voice and spoken and codec_of(spoken):
            pressed = self._dial(came, place, spoken, self._voice)
            if pressed is not None:
                return pressed
        if source and self._voice:
            return self._convert(came, place, source, self._voice)
        return self._pass(came, place, leaving)

    def _dial(self, came: Packet, place: int, spoken: Format, voice: "_Voice") -> Sequence[bytes] | None:
        """Return the key that sounds in place of a packet; None if none does."""
        found = self.dialler.sounding(place)
        if found is None:
            return None
        press, begin = found
        count = len(voice.decode(spoken, came.payload)) // 2
        end = place + count * self._timeline.clock // voice.rate
        if self.plan.keys:
            return self.dialler.events(found, place, end, self.plan.keys)
        first = (place - begin) * voice.rate // self._timeline.clock
        self.dialler.passed(end)
        return voice.speak(place, key_tone(press.key, voice.rate, range(first, first + count), -press.volume))

    def _sound(self, came: Packet, place: int, event: Format, voice: "_Voice") -> Sequence[bytes]:
        said = Event.parse(came.payload)
        if said.key is None:
            return ()
        added = self._follower.follow(came.timestamp, said)[-int(MAX_TONE * event.clock) :]
        begin, end = (
            place + tick * self._timeline.clock // event.clock for tick in (added.start, said.duration)
        )
        start, stop = (tick * voice.rate // event.clock for tick in (added.start, added.stop))
        samples = key_tone(said.key, voice.rate, range(start, stop), -said.volume)
        packets = voice.speak(begin, samples) if samples else ()
        voice.silent_until = end if said.is_ending else end + int(PATIENCE * self._timeline.clock)
        return packets

    def _convert(self, came: Packet, place: int, source: Format, voice: "_Voice") -> Sequence[bytes]:
        samples = voice.decode(source, came.payload)
        if place < voice.silent_until:
            return ()
        return self._guard(place, samples, lambda: voice.speak(place, samples, is_marked=came.is_marked))

    def _pass(self, came: Packet, place: int, leaving: Format | None) -> Sequence[bytes]:
        voice = self._voice
        if voice and leaving and codec_of(leaving):
            if place < voice.silent_until:
                return ()
            if self._presser:
                samples = voice.decode(leaving, came.payload)
                return self._guard(place, samples, lambda: self._relay(came, place, leaving))
        return self._relay(came, place, leaving)

    def _relay(self, came: Packet, place: int, leaving: Format | None) -> Sequence[bytes]:
        number = leaving.payload_type if leaving else came.payload_type
        packets = self._voice.finish() if self._voice else []
        self._timeline.skip(self._timeline.lost)
        return [*packets, self._timeline.packet(number, place, came.payload, is_marked=came.is_marked)]

    def _guard(self, place: int, samples: bytes, leave: Callable[[], Sequence[bytes]]) -> Sequence[bytes]:
        """Let what may be a key wait until it is clear: the far end shall not hear its beginning."""
        if self._presser is None or self._voice is None:
            return leave()
        events = self._presser(place, self._voice.narrow(samples))
        if events is not None:
            self._waiting.clear()
            return events
        self._waiting.append(leave)
        if self._presser.is_suspicious and len(self._waiting) <= MAX_WAITING:
            return ()
        waiting, self._waiting = self._waiting, []
        return [packet for one in waiting for packet in one()]


_UNKNOWN: Final = Format(0, "", 0)


class _Voice:
    """Sound on its way into packets of the plan's target."""

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        target = plan.target
        codec = codec_of(target) if target else None
        if target is None or codec is None:
            raise ValueError("a plan without target")
        self._codec = codec
        self._payload_type = target.payload_type
        self._timeline = timeline
        self.rate = _common_rate(codec, plan)
        self._encode = codec.new_encoder(self.rate, plan.bitrate)
        self._frame = Framer(2 * self.rate * plan.ptime // 1000)
        self._ticks = timeline.clock * plan.ptime // 1000
        self._decoders: dict[int, Convert] = {}
        self._narrow: Convert | None = None
        self._begin = 0  # the place of what the framer holds
        self._is_marked = True
        self.silent_until = 0
        """The place until which a key sounds."""

    def decode(self, source: Format, payload: bytes) -> bytes:
        """Return the samples of a packet."""
        decode = self._decoders.get(source.payload_type)
        if decode is None:
            decode = self._decoders[source.payload_type] = decoder(source, self.rate)
        return decode(payload)

    def narrow(self, samples: bytes) -> bytes:
        """Return the samples that the detector of keys takes."""
        if self.rate == DETECTOR_RATE:
            return samples
        if self._narrow is None:
            self._narrow = Resampler(self.rate, DETECTOR_RATE)
        return self._narrow(samples)

    def speak(self, place: int, samples: bytes, *, is_marked: bool = False) -> Sequence[bytes]:
        """Return the packets that `samples` at `place` complete."""
        self._timeline.end = place + len(samples) // 2 * self._timeline.clock // self.rate
        packets = self._close_gap(place)
        self._is_marked = self._is_marked or is_marked
        for frame in self._frame(samples):
            packets.append(self._packet(frame))
        return packets

    def finish(self) -> list[bytes]:
        """Return the packet that what is held makes with silence behind it."""
        rest = self._frame.flush()
        return [self._packet(rest)] if rest else []

    def _close_gap(self, place: int) -> list[bytes]:
        """Begin anew at `place` if what is held does not reach there."""
        held = self._frame.held // 2 * self._timeline.clock // self.rate
        gap = place - self._begin - held
        if held and abs(gap) < self._ticks // 2:
            return []
        packets = self.finish()
        if self._timeline.lost:
            self._timeline.skip(max(0, round(gap / self._ticks)))
        elif gap:
            self._is_marked = True
        self._begin = place
        return packets

    def _packet(self, frame: bytes) -> bytes:
        place, self._begin = self._begin, self._begin + self._ticks
        is_marked, self._is_marked = self._is_marked, False
        return self._timeline.packet(self._payload_type, place, self._encode(frame), is_marked=is_marked)


class _Presser:
    """Hears keys in the voice and sends them as events."""

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        self._format = plan.pressing or _UNKNOWN
        self._timeline = timeline
        self._detect = KeyDetector()
        self._key: str | None = None
        self._begin = 0
        self.is_suspicious = False
        """Whether the last samples may be the beginning of a key."""

    def __call__(self, place: int, samples: bytes) -> Sequence[bytes] | None:
        """Return the events that leave instead of the voice; None if it shall be heard."""
        key = self._detect(samples)
        self.is_suspicious = self._detect.is_suspicious
        passed = len(samples) // 2 * self._timeline.clock // DETECTOR_RATE
        packets: list[bytes] = []
        if self._key is not None and key != self._key:
            packets = [self._event(self._key, place, is_ending=True) for _ in range(ENDINGS)]
            self._key = None
        if key is not None:
            is_new = self._key is None
            self._key, self._begin = key, place if is_new else self._begin
            packets.append(self._event(key, place + passed, is_new=is_new))
        return packets or None

    def _event(self, key: str, place: int, *, is_new: bool = False, is_ending: bool = False) -> bytes:
        duration = (place - self._begin) * self._format.clock // self._timeline.clock
        event = Event(KEYS.index(key), min(duration, MAX_DURATION), is_ending)
        return self._timeline.packet(self._format.payload_type, self._begin, bytes(event), is_marked=is_new)


def _common_rate(codec: Codec, plan: Plan) -> int:
    """Return the samples a second that the target is encoded from: the best that a source can give."""
    sources = [codec_of(one) for one in plan.converting.values()]
    common = [rate for source in sources if source for rate in source.rates if rate in codec.rates]
    return min(common or codec.rates, key=codec.rates.index)
