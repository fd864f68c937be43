"""One dialogue of a call: two sides, the media between them, what each has announced.

Side 0 made the first offer. A side knows several tags when the call forked (RFC 3261 §12.1): the forks
share the ports that the one offer named, and the tag that answered last is in force. An offer within an
established dialogue takes effect with its answer, since a refused one changes nothing (RFC 3264 §8).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ngcp.sdp import Connection
from ngcp.sdp.formats import Format

from .bodies import Announcement
from .carriage import PROFILES, Carriage
from .crossing import Agreement, Crossing
from .errors import TooManyTags, UnexpectedAnswer
from .flags import Music, Wishes
from .flows import Address, Counters, Flow
from .interfaces import Interface
from .negotiation import Negotiation
from .paths import flows
from .ports import PortPair
from .quality import Quality
from .recording import Recording
from .streams import Link, Stream
from .transcoding import Transcoder
from .transport import Secrets
from .treatments import AS_IS, Treatment

#: A gateway may answer with a new tag for each announcement it plays; nobody has more phones than this.
MAX_TAGS: Final = 64
#: Of a side that has not been placed yet.
NOWHERE: Final = Interface()


@dataclass(slots=True, eq=False)
class Media:
    """One media section: its two links, and what either side says of it (None where it is rejected)."""

    rtp: Link
    rtcp: Link
    crossing: Crossing
    said: list[Announcement | None] = field(default_factory=lambda: [None, None])
    formats: Negotiation = field(default_factory=Negotiation)
    """What each side speaks."""
    transcoders: list[Transcoder | None] = field(default_factory=lambda: [None, None])
    """Who translates what each side says, as far as it has to be."""
    recording: Recording | None = None
    quality: Quality = field(default_factory=Quality)
    """How well each side hears."""
    has_listened: list[bool] = field(default_factory=lambda: [False, False])
    """Whether each side has ever been ready to hear the other."""

    @classmethod
    def between(cls, first: PortPair, second: PortPair, secrets: Secrets) -> "Media":
        """Connect the ports that face side 0 with those that face side 1."""
        rtp, rtcp = ((Stream(one), Stream(other)) for one, other in zip(first, second, strict=True))
        return cls(Link(rtp), Link(rtcp), Crossing(secrets))

    @property
    def links(self) -> tuple[Link, Link]:
        """RTP and RTCP."""
        return self.rtp, self.rtcp

    def ports(self, side: int) -> PortPair:
        """Return the ports that face `side`."""
        return PortPair(self.rtp.streams[side].local, self.rtcp.streams[side].local)

    def move(self, side: int, pair: PortPair) -> None:
        """Face `side` with other ports; it has to be learned anew."""
        for link, local in zip(self.links, pair, strict=True):
            link.streams[side].move(local)

    def announce(self, side: int, said: Announcement | None) -> None:
        """Take what `side` signalled; a rejected section leaves its endpoints as they were."""
        self.said[side] = said
        if said is not None:
            self.has_listened[side] |= said.can_listen
            self.rtp.streams[side].announce(said.rtp)
            self.rtcp.streams[side].announce(said.rtcp)

    def flows(self, tos: int) -> Iterator[Flow]:
        """Go through the flows, both ways."""
        is_rtp = any(one is not None and one.protocol.upper() in PROFILES for one in self.said)
        return flows(self.rtp, self.rtcp, is_rtp=is_rtp, tos=tos)

    def incoming(self, side: int) -> dict[int, Format]:
        """Return what comes from `side`, by payload type."""
        here = self.formats.sides[side]
        return {one.payload_type: one for one in (*here.said, *here.sends)}

    def codecs(self, side: int) -> dict[int, str]:
        """Return what the payload types that come from `side` are called, in capitals."""
        return {number: one.name.upper() for number, one in self.incoming(side).items()}

    def is_flowing(self, side: int) -> bool:
        """Whether the signalling lets us expect media from `side`: no hold, no rejection."""
        here, there = self.said[side], self.said[1 - side]
        return bool(here and there and here.can_send and there.can_receive and not there.rtp.is_muted)


@dataclass(slots=True)
class Side:
    """One side of a dialogue."""

    tag: str = ""
    """The tag in force; empty until the side has answered."""
    tags: dict[str, float] = field(default_factory=dict)
    """Every tag of this side, and when it was first seen."""
    interface: Interface = NOWHERE
    """The interface that faces it."""
    host: str = ""
    """The address of that interface that media ports are bound on."""
    family: str = ""
    """The family of IP that it wants whatever it announces; empty: the one that it announces."""
    label: str = ""
    """What commands call it."""
    treatment: Treatment = AS_IS
    """What is done with its media."""
    music: Music | None = None
    """What is heard by whom it puts on hold."""

    def place(self, interface: Interface, family: str) -> None:
        """Let it be faced by `interface`, with the address of `family` if there is one."""
        self.interface = interface
        self.host = interface.host(family)

    def adopt(self, tag: str, now: float) -> None:
        """Put `tag` in force."""
        if tag and tag not in self.tags and len(self.tags) >= MAX_TAGS:
            raise TooManyTags
        if tag:
            self.tags.setdefault(tag, now)
            self.tag = tag

    def drop(self, tag: str) -> None:
        """Forget `tag`; the newest of the others comes in force."""
        del self.tags[tag]
        if tag == self.tag:
            self.tag = next(reversed(self.tags), "")


class Dialog:
    """Two sides and the media between them."""

    def __init__(self, from_tag: str, to_tag: str, via_branch: str, now: float) -> None:
        self.via_branch = via_branch
        self.sides = (Side(), Side())
        self.sides[0].adopt(from_tag, now)
        self.sides[1].adopt(to_tag, now)
        self.created = self.last_signal = now
        self.is_answered = False
        self.is_strict = False
        """Whether nobody moves, once learned, without a signal."""
        self.is_reporting = False
        """Whether each side gets reports (RTCP) of ours, and not those of the other."""
        self.ends_at: float | None = None
        """When it ends, if somebody has said so."""
        self.treatment = AS_IS
        """What is done with the media of both sides."""
        self.recorded_as = ""
        """What its recordings are called; empty: there are none."""
        self.media: dict[int, Media] = {}
        """By place of the section in the body, which offers and answers keep (RFC 3264 §6, §8)."""
        self._offers: dict[int, Mapping[int, Announcement]] = {}

    def side_of(self, tag: str) -> int | None:
        """Return which side knows `tag`."""
        return next((side for side in (0, 1) if tag in self.sides[side].tags), None)

    def is_between(self, tag: str, other: str) -> bool:
        """Whether `tag` and `other` face each other here."""
        side = self.side_of(tag)
        return side is not None and other in self.sides[1 - side].tags

    def offer(self, side: int, said: Mapping[int, Announcement], now: float) -> None:
        """Take an offer that `side` made; media for its sections are there already."""
        self.last_signal = now
        self._offers[side] = said
        if not self.is_answered:
            self._apply(side, said)

    def heed(self, side: int, wishes: Wishes) -> None:
        """Take what `side` wishes beside its session."""
        self.sides[side].label = wishes.label or self.sides[side].label
        self.sides[side].music = wishes.music or self.sides[side].music
        self.is_strict = self.is_strict or "strict-source" in wishes.flags
        self.is_reporting = self.is_reporting or "generate-RTCP" in wishes.flags

    def announced_hosts(self, side: int) -> set[str]:
        """Return the addresses that `side` has announced."""
        endpoints = (media.rtp.streams[side].endpoint.address for media in self.media.values())
        return {address[0] for address in endpoints if address}

    @property
    def is_flowing(self) -> bool:
        """Whether the signalling lets us expect media from anybody."""
        return any(media.is_flowing(side) for media in self.media.values() for side in (0, 1))

    def place_of_offer(self, side: int, wished: str) -> str:
        """Return our address that has to face `side` once its offer is answered.

        It is another one than now if it has moved from one family of IP to the other, unless the one that it
        gets was once `wished`.
        """
        here = self.sides[side]
        here.family = wished or here.family
        for said in self._offers.get(side, {}).values():
            if said.rtp.address:
                return here.interface.host(here.family or Connection.of(said.rtp.address[0]).family)
        return here.host

    def check_answer(self, side: int) -> None:
        """Raise `UnexpectedAnswer` unless `side` has made an offer that the other side may answer."""
        if side not in self._offers:
            raise UnexpectedAnswer

    def carry(self, side: int, said: Mapping[int, Announcement], wishes: Wishes) -> dict[int, Carriage]:
        """Return how the other side is offered to carry the sections of an offer of `side`."""
        told = {index: self.media[index].crossing.offer(side, said[index].carriage, wishes) for index in said}
        return {index: carriage for index, carriage in told.items() if carriage is not None}

    def agree(self, side: int, said: Mapping[int, Announcement], wishes: Wishes) -> dict[int, Agreement]:
        """Return what comes of an answer to the offer of `side`, or raise `RelayError`; nothing holds yet."""
        agreed = {}
        for index, offered in self._offers[side].items():
            answered = said.get(index)
            if answered is not None and index in self.media:
                crossing = self.media[index].crossing
                agreed[index] = crossing.agree(side, offered.carriage, answered.carriage, wishes)
        return {index: agreement for index, agreement in agreed.items() if agreement is not None}

    def refused(self, side: int, said: Mapping[int, Announcement]) -> dict[int, Carriage]:
        """Return how sections that the answer to the offer of `side` rejects were offered."""
        offered = {index: one.carriage for index, one in self._offers[side].items() if index not in said}
        return {index: Carriage(one.profile) for index, one in offered.items() if one is not None}

    def answer(
        self, side: int, said: Mapping[int, Announcement], agreed: Mapping[int, Agreement], now: float
    ) -> list[Media]:
        """Take the answer to the offer of `side`; return the media that the offer has ended."""
        self.last_signal = now
        offered = self._offers[side]
        for index in said.keys() & offered.keys() & self.media.keys():
            both = offered[index].carriage, said[index].carriage
            self.media[index].crossing.settle(side, both, agreed.get(index))
        self._offers.pop(1 - side, None)
        self._apply(side, offered)
        self._apply(1 - side, said)
        self.is_answered = True
        return [self.media.pop(index) for index in self.media.keys() - offered.keys()]

    def ports(self, side: int) -> dict[int, PortPair]:
        """Return the ports that face `side`, by section."""
        return {index: media.ports(side) for index, media in self.media.items()}

    def flows(self, tos: int) -> Iterator[Flow]:
        """Go through the flows of all media, both ways."""
        for media in self.media.values():
            yield from media.flows(tos)

    def deadline(
        self, counters: Callable[[Address], Counters], timeout: float, silent_timeout: float
    ) -> float:
        """Return when this dialogue is dead if no more packets come.

        It lives as long as any stream does: `timeout` where media are due, `silent_timeout` where hold or a
        missing answer lets us expect none.
        """
        if not self.is_answered:
            return self.last_signal + silent_timeout
        deadlines = [self.last_signal + timeout]
        for media in self.media.values():
            for side in (0, 1):
                if media.said[0] and media.said[1]:
                    patience = timeout if media.is_flowing(side) else silent_timeout
                    last = [counters(address).last_packet or 0.0 for address in media.ports(side)]
                    deadlines.append(max(self.last_signal, *last) + patience)
        return max(deadlines)

    def _apply(self, side: int, said: Mapping[int, Announcement]) -> None:
        for index, media in self.media.items():
            media.announce(side, said.get(index))
