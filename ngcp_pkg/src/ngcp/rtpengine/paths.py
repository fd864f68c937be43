"""The flows of one media section: which port leads where, and how packets are treated on the way."""

from collections.abc import Iterator

from .flows import Address, Exit, Flow, Kind
from .streams import Link, Stream
from .transport import PLAIN


def flows(rtp: Link, rtcp: Link, *, is_rtp: bool, tos: int) -> Iterator[Flow]:
    """Go through the flows of a section, both ways; `is_rtp` says that it is one of RTP."""
    if all(stream.outcome is PLAIN for link in (rtp, rtcp) for stream in link.streams):
        yield from _plain_flows(rtp, Kind.RTP if is_rtp else Kind.OPAQUE, tos)
        yield from _plain_flows(rtcp, Kind.RTCP if is_rtp else Kind.OPAQUE, tos)
        return
    for side in (0, 1):
        for link in (rtp, rtcp):
            flow = _flow(link, side, rtp, tos)
            here, there = link.streams[side], rtcp.streams[1 - side]
            if link is rtp and here.outcome.is_muxed and not there.outcome.is_muxed:
                flow = flow._replace(rtcp=Exit(there.local, _target(here, there, rtp.streams[1 - side])))
            yield flow._replace(kind=_kind(link is rtp, here)) if is_rtp else flow


def _plain_flows(link: Link, kind: Kind, tos: int) -> Iterator[Flow]:
    for side in (0, 1):
        here, there = link.streams[side], link.streams[1 - side]
        yield Flow(
            here.local, here.learned, there.local, there.target, tos, kind, process=link.processes[side]
        )


def _flow(link: Link, side: int, rtp: Link, tos: int) -> Flow:
    here, there = link.streams[side], link.streams[1 - side]
    if there.outcome.is_muxed:
        there = rtp.streams[1 - side]
    arriving, leaving = here.keys, there.keys
    return Flow(
        here.local,
        here.learned,
        there.local,
        _target(here, there, there),
        tos,
        decrypt=arriving.theirs if arriving else None,
        encrypt=leaving.ours if leaving else None,
        is_guarded=here.outcome.is_guarded,
        process=link.processes[side],
    )


def _target(here: Stream, there: Stream, keeper: Stream) -> Address | None:
    """Return where packets go; nowhere while keys are due, or if `keeper` has others than `there`."""
    is_open = here.keys is not None and there.keys is not None and there.keys == keeper.keys
    return there.target if is_open else None


def _kind(is_first: bool, here: Stream) -> Kind:
    if not is_first:
        return Kind.RTCP
    return Kind.MUXED if here.outcome.is_muxed else Kind.RTP
