"""Which codecs each side of a media section is offered and answered, and what that makes of its packets.

The offer is rewritten by what a command wishes of codecs; the answer is matched back to what the offerer
offered. What both sides understand passes as it is; for the rest there is a `Plan` of transcoding.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ngcp.audio.codecs import CODECS
from ngcp.sdp import SdpError
from ngcp.sdp.formats import USUAL_PTIME, Format, find, free_type, with_types_of

from .codecs import EVENTS, PLAIN, Plan, codec_of, is_event, is_speakable
from .flags import Wishes

_EVERYTHING: Final = frozenset({"all", "full"})
#: Formats that can be added to an offer, by name in lower case; their payload types are chosen then.
_OWN: Final = {
    **{
        name: Format(
            -1 if codec.payload_type is None else codec.payload_type, codec.name, codec.clock, codec.channels
        )
        for name, codec in CODECS.items()
    },
    EVENTS: Format(-1, EVENTS, 8000, parameters="0-15"),
}


class Spec(NamedTuple):
    """A codec as commands name it: `opus`, `opus/48000`, `opus/48000/2/24000`, or a payload type."""

    name: str
    clock: int
    channels: int
    bitrate: int

    @classmethod
    def read(cls, text: str) -> "Spec":
        """Read what a command says; numbers that are none are 0: any."""
        name, *numbers = text.split("/")
        clock, channels, bitrate = [int(one) if one.isdecimal() else 0 for one in (*numbers, "", "", "")[:3]]
        return cls(name.lower(), clock, channels, bitrate)

    def fits(self, one: Format) -> bool:
        """Whether it names this format. Opus is written with two channels, however many it has (RFC 7587)."""
        is_it = self.name in (one.name.lower(), str(one.payload_type))
        channels = 0 if one.name.lower() == "opus" else self.channels
        return is_it and self.clock in (0, one.clock) and channels in (0, one.channels)


def unsupported(wishes: Wishes) -> list[str]:
    """Return the codecs that shall be added and cannot be."""
    return [text for text in wishes.codec.get("transcode", ()) if _own(Spec.read(text)) is None]


def _own(spec: Spec) -> Format | None:
    own = _OWN.get(spec.name)
    return own if own and is_speakable(own) else None


@dataclass(slots=True)
class Side:
    """What one side of a section has said of formats."""

    said: Sequence[Format] = ()
    """Its own offer or answer."""
    told: Sequence[Format] = ()
    """What it was offered or answered in the name of the other."""
    ptime: int = 0
    """How many milliseconds of media it wants in a packet; 0: it did not say."""
    _agreed: tuple[Sequence[Format], Sequence[Format], bool] | None = None

    def agree(self, *, has_offered: bool) -> None:
        """Take what it said and was told for what holds from now on."""
        self._agreed = self.said, self.told, has_offered

    @property
    def gets(self) -> Sequence[Format]:
        """What it understands, the best first, by its own payload types."""
        if self._agreed is None:
            return self.said
        said, told, has_offered = self._agreed
        return with_types_of(told, said) if has_offered else said

    @property
    def sends(self) -> Sequence[Format]:
        """What may come from it."""
        if self._agreed is None:
            return self.said
        said, told, has_offered = self._agreed
        return told if has_offered else [*with_types_of(said, told), *said]


@dataclass(slots=True)
class _Offer:
    """An offer that waits for its answer."""

    side: int
    usable: Sequence[Format]
    """What the offerer may be answered."""
    kept: frozenset[Format]
    """What it is answered even if the other side refuses it."""
    wishes: Wishes
    is_engaged: bool


@dataclass(slots=True)
class Negotiation:
    """The formats of one media section, offer after offer."""

    is_audio: bool = True
    """Whether codecs may be added: we speak those of audio."""
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    plans: list[Plan] = field(default_factory=lambda: [PLAIN, PLAIN])
    """What becomes of what each side sends."""
    _offers: dict[int, _Offer] = field(default_factory=dict)
    _dialled: set[int] = field(default_factory=set)

    def offer(self, side: int, said: Sequence[Format], ptime: int | None, wishes: Wishes) -> list[Format]:
        """Take what `side` offers; return what the other side is to be offered."""
        here, there = self.sides[side], self.sides[1 - side]
        here.said, here.ptime = list(said), ptime or 0
        is_engaged = _is_engaged(wishes) or any(plan.is_translated for plan in self.plans)
        if not is_engaged:
            there.told = here.said
            self._offers[side] = _Offer(side, here.said, frozenset(), wishes, False)
            return list(here.said)
        selection = _select(here.said, wishes)
        added = _added(selection, wishes, there.said) if self.is_audio else []
        offered = selection.offered + added
        there.told = offered if any(not is_event(one) for one in offered) else here.said
        self._offers[side] = _Offer(side, selection.usable, _kept(selection, wishes), wishes, True)
        return list(there.told)

    def answer(
        self, side: int, said: Sequence[Format], ptime: int | None, wishes: Wishes
    ) -> tuple[list[Format], int]:
        """Take the answer to the offer of `side`; return the formats and ptime that it is to be answered.

        A ptime of 0 leaves that as it is.
        """
        offer = self._offers.get(side)
        if offer is None:
            return list(said), 0
        self._offers.pop(1 - side, None)
        here, there = self.sides[offer.side], self.sides[1 - offer.side]
        there.said, there.ptime = list(said), ptime or 0
        here.told = there.said
        if offer.is_engaged or "single-codec" in wishes.flags | offer.wishes.flags:
            here.told = _answer(offer, there.said, wishes) or there.said
        here.agree(has_offered=True)
        there.agree(has_offered=False)
        self.plans = [PLAIN, PLAIN]
        if offer.is_engaged and here.told is not there.said:
            self._plan(offer)
        for each in self._dialled:
            self.dial(each)
        return list(here.told), offer.wishes.ptime_reverse

    def dial(self, side: int) -> bool:
        """Make ready for keys that are pressed in the name of `side`; False if nobody would hear them."""
        plan, here, there = self.plans[side], self.sides[side], self.sides[1 - side]
        self._dialled.add(side)
        if not plan.is_plain:
            return plan.target is not None
        understood = there.gets
        target = next((one for one in understood if codec_of(one)), None)
        if target is None:
            return False
        passing = {one.payload_type: find(understood, one) or one for one in here.sends}
        keys = next((one for one in understood if is_event(one)), None)
        self.plans[side] = Plan(passing, target=target, keys=keys, is_dialled=True)
        return True

    def _plan(self, offer: _Offer) -> None:
        here, there = self.sides[offer.side], self.sides[1 - offer.side]
        wishes, added, set_ = offer.wishes, _specs(offer.wishes, "transcode"), _specs(offer.wishes, "set")
        forward = _Packets(wishes.ptime, there.ptime, here.ptime)
        backward = _Packets(wishes.ptime_reverse, here.ptime, there.ptime)
        self.plans[offer.side] = _plan(here.sends, there.gets, forward, [*added, *set_])
        self.plans[1 - offer.side] = _plan(there.sends, here.gets, backward, set_)


class _Selection(NamedTuple):
    """What is left of an offer."""

    offered: list[Format]
    """What the other side gets to see of it."""
    usable: list[Format]
    """What we may speak with the offerer."""
    restorable: list[Format]
    """What went because everything did, and may come back."""


class _Packets(NamedTuple):
    """How long packets are."""

    wanted: int
    """By the command; 0: it does not say."""
    receiver: int
    """As the receiver likes it; 0: it does not say."""
    sender: int
    """As the sender likes its own, which says how it sends."""

    @property
    def is_forced(self) -> bool:
        """Whether packets have to be made anew for their length's sake."""
        return self.wanted not in (0, self.sender or USUAL_PTIME)


def _is_engaged(wishes: Wishes) -> bool:
    return bool(wishes.codec or wishes.ptime or wishes.ptime_reverse or "always-transcode" in wishes.flags)


def _specs(wishes: Wishes, *actions: str) -> list[Spec]:
    return [Spec.read(text) for action in actions for text in wishes.codec.get(action, ())]


def _names(one: Format, specs: Iterable[Spec]) -> bool:
    return any(spec.fits(one) for spec in specs)


def _select(said: Sequence[Format], wishes: Wishes) -> _Selection:
    """Take out what is to be stripped or masked, and put what is to be offered first in its order."""
    stripped, masked = _specs(wishes, "strip", "ignore"), _specs(wishes, "mask", "consume")
    listed = _specs(wishes, "offer")
    saved = [*listed, *_specs(wishes, "except")]
    all_go = any(spec.name in _EVERYTHING for spec in stripped)
    all_hide = any(spec.name in _EVERYTHING for spec in masked)
    is_soft = not any(spec.name == "full" for spec in (*stripped, *masked))
    offered: list[Format] = []
    usable: list[Format] = []
    restorable: list[Format] = []
    for one in said:
        if _names(one, stripped):
            continue
        is_saved = _names(one, saved)
        if is_saved or not all_go:
            usable.append(one)
        if is_saved or not (all_go or all_hide or _names(one, masked)):
            offered.append(one)
        elif is_soft and not _names(one, masked):
            restorable.append(one)
    rank = {one: place for place, spec in enumerate(listed) for one in reversed(offered) if spec.fits(one)}
    offered.sort(key=lambda one: rank.get(one, len(listed)))
    return _Selection(offered, usable, restorable)


def _added(selection: _Selection, wishes: Wishes, known: Sequence[Format]) -> list[Format]:
    """Return what is offered beside; of formats that we cannot speak, none may stay then.

    `known` is what the other side said before: it goes on to get that, even if this command does not wish it.
    """
    added: list[Format] = []
    wanted = [_restored(spec, selection) or _own(spec) for spec in _specs(wishes, "transcode")]
    if not wishes.codec:
        wanted += [one for one in known if is_speakable(one)]
    for one in wanted:
        offered = [*selection.offered, *added]
        if one is not None and find(offered, one) is None:
            with contextlib.suppress(SdpError):  # no number is left for it
                added.append(_numbered(one, offered, selection.usable))
    restored = [one for one in added if one in selection.restorable]
    selection.usable.extend(one for one in restored if one not in selection.usable)
    if len(added) > len(restored):
        selection.offered[:] = [one for one in selection.offered if is_speakable(one)]
    return added


def _numbered(one: Format, offered: Sequence[Format], usable: Sequence[Format]) -> Format:
    """Return a format with a payload type that the offer does not have yet; its own, if it can be."""
    taken = {other.payload_type for other in offered}
    if one.payload_type >= 0 and one.payload_type not in taken:
        return one
    return one._replace(payload_type=free_type(taken | {other.payload_type for other in usable}))


def _restored(spec: Spec, selection: _Selection) -> Format | None:
    return next((one for one in selection.restorable if spec.fits(one)), None)


def _kept(selection: _Selection, wishes: Wishes) -> frozenset[Format]:
    """Return what the offerer is answered whatever the other side says."""
    specs = _specs(wishes, "accept", "mask", "consume")
    is_all = "always-transcode" in wishes.flags or any(spec.name in _EVERYTHING for spec in specs)
    return frozenset(one for one in selection.usable if is_speakable(one) and (is_all or _names(one, specs)))


def _answer(offer: _Offer, said: Sequence[Format], wishes: Wishes) -> list[Format]:
    """Return what the offerer is answered: what both have, then what we stand in for."""
    common = with_types_of(said, offer.usable)
    has_audio = any(not is_event(one) for one in common)
    can_convert = any(codec_of(one) for one in said)
    own = [
        one
        for one in offer.usable
        if one not in common
        and (one in offer.kept or (not has_audio and codec_of(one) is not None))
        and can_convert
    ]
    speech = [one for one in (*common, *own) if not is_event(one)]
    if "single-codec" in wishes.flags | offer.wishes.flags:
        speech = speech[:1]
    return [*speech, *(one for one in (*common, *own) if is_event(one))] if speech else []


def _plan(
    incoming: Sequence[Format], outgoing: Sequence[Format], packets: _Packets, bitrates: Sequence[Spec]
) -> Plan:
    """Say what becomes of `incoming` formats for who wants `outgoing` ones."""
    target = next((one for one in outgoing if codec_of(one)), None)
    keys = next((one for one in outgoing if is_event(one)), None)
    passing: dict[int, Format] = {}
    converting: dict[int, Format] = {}
    sounding: dict[int, Format] = {}
    for one in incoming:
        same = find(outgoing, one)
        if is_event(one) and not (same or keys):
            sounding.setdefault(one.payload_type, one)
        elif same and not (packets.is_forced and target and codec_of(one)):
            passing.setdefault(one.payload_type, same)
        elif is_event(one) and keys:
            passing.setdefault(one.payload_type, keys)
        elif target and codec_of(one):
            converting.setdefault(one.payload_type, one)
    hears = keys is not None and not any(is_event(one) for one in incoming)
    return Plan(
        passing,
        converting,
        target,
        next((spec.bitrate for spec in bitrates if target and spec.bitrate and spec.fits(target)), None),
        _ptime(packets, target),
        sounding if target else {},
        keys if hears else None,
        keys,
    )


def _ptime(packets: _Packets, target: Format | None) -> int:
    codec = codec_of(target) if target else None
    wanted = packets.wanted or packets.receiver
    return wanted if codec and wanted in codec.ptimes else USUAL_PTIME
