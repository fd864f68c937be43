"""One dialogue of a call: two sides, the media between them, what each has announced.

Side 0 made the first offer. A side knows several tags when the call forked (RFC 3261 §12.1): the forks
share the ports that the one offer named, and the tag that answered last is in force. An offer within an
established dialogue takes effect with its answer, since a refused one changes nothing (RFC 3264 §8).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .bodies import Announcement
from .errors import TooManyTags, UnexpectedAnswer
from .flows import Address, Counters, Flow
from .ports import PortPair
from .streams import Link, Stream

#: A gateway may answer with a new tag for each announcement it plays; nobody has more phones than this.
MAX_TAGS: Final = 64


@dataclass(slots=True, eq=False)
class Media:
    """One media section: its two links, and what either side says of it (None where it is rejected)."""

    rtp: Link
    rtcp: Link
    said: list[Announcement | None] = field(default_factory=lambda: [None, None])

    @classmethod
    def between(cls, first: PortPair, second: PortPair) -> "Media":
        """Connect the ports that face side 0 with those that face side 1."""
        return cls(
            Link((Stream(first.rtp), Stream(second.rtp))), Link((Stream(first.rtcp), Stream(second.rtcp)))
        )

    @property
    def links(self) -> tuple[Link, Link]:
        """RTP and RTCP."""
        return self.rtp, self.rtcp

    def ports(self, side: int) -> PortPair:
        """Return the ports that face `side`."""
        return PortPair(self.rtp.streams[side].local, self.rtcp.streams[side].local)

    def announce(self, side: int, said: Announcement | None) -> None:
        """Take what `side` signalled; a rejected section leaves its endpoints as they were."""
        self.said[side] = said
        if said is not None:
            self.rtp.streams[side].announce(said.rtp)
            self.rtcp.streams[side].announce(said.rtcp)

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

    def check_answer(self, side: int) -> None:
        """Raise `UnexpectedAnswer` unless `side` has made an offer that the other side may answer."""
        if side not in self._offers:
            raise UnexpectedAnswer

    def answer(self, side: int, said: Mapping[int, Announcement], now: float) -> list[Media]:
        """Take the answer to the offer of `side`; return the media that the offer has ended."""
        self.last_signal = now
        offered = self._offers[side]
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
            for link in media.links:
                yield from (link.flow(side, tos) for side in (0, 1))

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
