"""What `query` and `delete` tell of a call, in the layout of the ng protocol."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ngcp.ng.bencode import Value

from .dialogs import Dialog, Media
from .flows import Address, Counters
from .quality import Sample, Source
from .streams import Stream, Trust
from .transport import Outcome


class Forwarder(Protocol):
    """Who forwards, and what."""

    @property
    def fast_name(self) -> str:
        """What the fast plane is called; empty without one."""

    def is_fast(self, local: Address) -> bool:
        """Whether the fast plane forwards what arrives at `local`."""

    def counters(self, local: Address) -> Counters:
        """Return what has arrived at `local`."""


UnixTime = Callable[[float], float]


class Reporter:
    """Describes dialogues; times of the core's clock become seconds of the Unix epoch."""

    def __init__(self, forwarder: Forwarder, unix_time: UnixTime) -> None:
        self._forwarder = forwarder
        self._counters = forwarder.counters
        self._unix_time = unix_time

    def describe(self, created: float, dialogs: Iterable[Dialog]) -> dict[str, Value]:
        """Return the reply's keys beside `result` for the call that was `created` then."""
        dialogs = list(dialogs)
        tags: dict[str, dict[str, Value]] = {}
        for dialog in dialogs:
            for side in (0, 1):
                for tag, seen in (dialog.sides[side].tags or {"": dialog.created}).items():
                    self._add_tag(tags, dialog, side, (tag, seen))
        return {
            "created": self._seconds(created),
            "last signal": self._seconds(max(dialog.last_signal for dialog in dialogs)),
            "tags": {tag: known for tag, known in tags.items()},
            "SSRC": {
                f"{ssrc}": self._source(source)
                for dialog in dialogs
                for media in dialog.media.values()
                for ssrc, source in media.quality.sources.items()
            },
            "totals": {
                "RTP": self._total(
                    media.rtp.streams for dialog in dialogs for media in dialog.media.values()
                ),
                "RTCP": self._total(
                    media.rtcp.streams for dialog in dialogs for media in dialog.media.values()
                ),
            },
        }

    def _add_tag(
        self, tags: dict[str, dict[str, Value]], dialog: Dialog, side: int, tag: tuple[str, float]
    ) -> None:
        """Describe one tag; one that takes part in several branches gets the media of all."""
        name, seen = tag
        known = tags.setdefault(name, {"tag": name, "created": self._seconds(seen), "medias": []})
        known["in dialogue with"] = dialog.sides[1 - side].tag
        if dialog.sides[side].label:
            known["label"] = dialog.sides[side].label
        medias = known["medias"]
        if isinstance(medias, list) and name == dialog.sides[side].tag:
            medias += [self._media(index, media, side) for index, media in sorted(dialog.media.items())]

    def _media(self, index: int, media: Media, side: int) -> dict[str, Value]:
        said = media.said[side] or media.said[1 - side]
        return {
            "index": index + 1,
            "type": said.kind if said else "",
            "protocol": said.protocol if said else "",
            "flags": ["initialized", *_carriage(media.rtp.streams[side].outcome)] if media.said[side] else [],
            "streams": [
                self._stream("RTP", media.rtp.streams[side]),
                self._stream("RTCP", media.rtcp.streams[side]),
            ],
        }

    def _stream(self, kind: str, stream: Stream) -> dict[str, Value]:
        counters = self._counters(stream.local)
        flags: list[Value] = [kind]
        result: dict[str, Value] = {
            "local port": stream.local[1],
            "flags": flags,
            "stats": _stats([counters]),
        }
        for name, address in (("endpoint", stream.target), ("advertised endpoint", stream.endpoint.address)):
            if address:
                host, port = address
                family = "IPv6" if ":" in host else "IPv4"
                result[name] = {"family": family, "address": host, "port": port}
        if stream.target:
            flags.append("filled")
        if stream.trust > Trust.NOBODY:
            flags.append("confirmed")
        if self._forwarder.is_fast(stream.local):
            flags.append("kernelized")
        if stream.suite:
            result["crypto suite"] = stream.suite
        if counters.last_packet is not None:
            result["last packet"] = self._seconds(counters.last_packet)
        return result

    def _source(self, source: Source) -> dict[str, Value]:
        """Describe how a source is heard: score in tenths, jitter in ms, round trip in µs, loss in %."""
        average, lowest, highest = source.average, source.lowest, source.highest
        if average is None or lowest is None or highest is None:
            return {}
        ends = source.progression[0].reported, source.progression[-1].reported
        return {
            "cumulative loss": source.lost,
            "average MOS": {**_sample(average), "samples": source.count},
            "lowest MOS": self._dated(lowest),
            "highest MOS": self._dated(highest),
            "MOS progression": {
                "interval": int((ends[1] - ends[0]) / 10),
                "entries": [self._dated(one) for one in source.progression],
            },
        }

    def _dated(self, sample: Sample) -> dict[str, Value]:
        return {**_sample(sample), "reported at": self._seconds(sample.reported)}

    def _total(self, links: Iterable[Iterable[Stream]]) -> dict[str, Value]:
        return _stats([self._counters(stream.local) for streams in links for stream in streams])

    def _seconds(self, moment: float) -> int:
        return int(self._unix_time(moment))


def _sample(sample: Sample) -> dict[str, Value]:
    return {
        "MOS": round(10 * sample.score),
        "round-trip time": round(1_000_000 * sample.round_trip),
        "jitter": round(1000 * sample.jitter),
        "packet loss": round(100 * sample.loss),
    }


def _carriage(outcome: Outcome) -> Iterator[Value]:
    """Say how a side and we have agreed to carry media, in the protocol's words."""
    if outcome.is_muxed:
        yield "rtcp-mux"
    if outcome.is_protected:
        yield "DTLS-SRTP" if outcome.role else "SDES"
    if outcome.ice is not None:
        yield "ICE"


def _stats(counters: list[Counters]) -> dict[str, Value]:
    return {
        "packets": sum(one.packets for one in counters),
        "bytes": sum(one.bytes for one in counters),
        "errors": sum(one.errors for one in counters),
    }
