"""The calls: who talks to whom, through which ports; offers and answers in, rewritten bodies and flows out.

Signals come typed from `control`, time as `now`. Flows go to the plane as soon as they change, ports come
from the interfaces and go back when a dialogue ends by `delete`, by its answer or by time-out.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ngcp.sdp import Connection, Description, SdpError

from . import music
from .bodies import Announcement, conceal, family_of, literal, read, redirect, respell
from .call import Call, Signal, fork_to_drop
from .carriage import Carriage
from .crossing import write
from .dialling import Press
from .dialogs import Dialog, Side
from .errors import OutOfPorts, UnknownCall, UnparsableSdp
from .flags import Wishes
from .flows import Address
from .playing import Seat, Sound
from .switchboard import Switchboard
from .totals import Cause


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all calls; times in seconds."""

    timeout: float
    """Without media, after which an answered dialogue is dead."""
    silent_timeout: float
    """The same for one that is on hold or has no answer."""
    final_timeout: float | None = None
    """The longest that a dialogue may be; None for no end."""
    delete_delay: float = 0.0
    """How long media go on after the end, unless the command says so itself."""


class Ended(NamedTuple):
    """A dialogue that has ended by itself."""

    call_id: str
    cause: Cause


class Sections(NamedTuple):
    """The sections of a body, by their place."""

    said: Mapping[int, Announcement]
    """What its sender says of those that we relay."""
    told: Mapping[int, Carriage]
    """How its receiver is told that they are carried, if not as they came."""


class Calls:
    """All calls of this relay."""

    def __init__(self, policy: Policy, switchboard: Switchboard) -> None:
        self._policy = policy
        self._switchboard = switchboard
        self.interfaces = switchboard.interfaces
        self.totals = switchboard.totals
        self._calls: dict[str, Call] = {}
        self._checks: dict[Dialog, float] = {}
        self._now = 0.0

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self._calls)

    @property
    def can_record(self) -> bool:
        """Whether there is a place for recordings."""
        return self._switchboard.processing.archive.open is not None

    @property
    def has_listener(self) -> bool:
        """Whether copies of media can be sent anywhere."""
        return self._switchboard.processing.forward_to is not None

    def find(self, call_id: str) -> Call:
        """Return the call, or raise `UnknownCall`."""
        call = self._calls.get(call_id)
        if call is None:
            raise UnknownCall
        return call

    def call_ids(self, limit: int | None = None) -> list[str]:
        """Return the Call-IDs of at most `limit` calls, the oldest first."""
        return list(itertools.islice(self._calls, limit))

    def get(self, call_id: str) -> Call | None:
        """Return the call, None if there is none."""
        return self._calls.get(call_id)

    def take_moved(self) -> set[Address]:
        """Return the local ports whose flows have changed since the last time."""
        return self._switchboard.take_moved()

    def restore(self, call_id: str, call: Call, now: float) -> None:
        """Let a call of an earlier daemon run on with the ports that it had, or raise `OutOfPorts`."""
        self._switchboard.claim(call.dialogs)
        self.totals.calls += 1
        self._calls[call_id] = call
        for dialog in call.dialogs:
            self._checks[dialog] = now + min(self._policy.timeout, self._policy.silent_timeout)
            self._switchboard.processing.waiting.prepare(dialog)
            self._attend(dialog, now)

    def offer(self, signal: Signal, now: float) -> bytes:
        """Open what an offer needs and return it rewritten; an error leaves everything as it was."""
        body = _parse(signal)
        for media in body.media:
            if media.kind in signal.wishes.removed:  # a section that is gone would shift those behind it
                media.replace_port(0)
        call = self._calls.get(signal.call_id) or Call(now, signal.call_id)
        known = call.for_offer(signal)
        dialog = known or self._begin(signal, body, now)
        side = dialog.side_of(signal.from_tag) or 0
        said = _read(body, dialog.sides[side], dialog.sides[1 - side], signal)
        if _has_passed(dialog, said):
            return bytes(body)
        self._open(dialog, said)
        if known is None:
            self._enter(signal.call_id, call, dialog)
        dialog.offer(side, said, now)
        self._heed(call, dialog, side, signal.wishes)
        _offer_formats(body, dialog, side, said, signal.wishes)
        music.offer(body, dialog, side, said)
        told = dialog.carry(side, said, signal.wishes)
        self._install(dialog, now)
        return _redirect(body, dialog, 1 - side, signal, Sections(said, told))

    def answer(self, signal: Signal, now: float) -> bytes:
        """Connect both sides and return the answer rewritten; the same answer again changes nothing."""
        body = _parse(signal)
        call = self.find(signal.call_id)
        dialog = call.for_answer(signal)
        side = dialog.side_of(signal.from_tag) or 0
        host = dialog.place_of_offer(side, signal.wishes.address_family)
        if host != dialog.sides[side].host:
            self._switchboard.move(dialog, side, host)
        said = _read(body, dialog.sides[1 - side], dialog.sides[side], signal)
        if _has_passed(dialog, said):
            return bytes(body)
        dialog.check_answer(side)
        agreed = dialog.agree(side, said, signal.wishes)
        told = {index: one.answered for index, one in agreed.items()} | dialog.refused(side, said)
        dialog.sides[1 - side].adopt(signal.to_tag, now)
        dialog.sides[side].adopt(signal.from_tag, now)
        self._switchboard.close(dialog.answer(side, said, agreed, now))
        self._heed(call, dialog, 1 - side, signal.wishes)
        _answer_formats(body, dialog, side, said, signal.wishes)
        music.answer(body, dialog, side, said)
        self._install(dialog, now)
        return _redirect(body, dialog, side, signal, Sections(said, told))

    def delete(self, signal: Signal, now: float) -> None:
        """End dialogues, or raise `UnknownCall`; both tags of a forked one end only that fork."""
        wished = signal.wishes.delete_delay
        delay = self._policy.delete_delay if wished is None else wished
        for dialog in self.find(signal.call_id).concerned(signal):
            fork = fork_to_drop(signal, dialog)
            if fork is not None:
                side, tag = fork
                dialog.sides[side].drop(tag)
            elif delay:
                dialog.ends_at = now + delay
            else:
                self._end(signal.call_id, dialog, Cause.DELETED, now)

    def refresh(self, call: Call) -> None:
        """Let the plane know of what a command has changed in a call."""
        for dialog in call.dialogs:
            call.pass_on(dialog)
            self._switchboard.install(dialog)

    def pause_recording(self, call: Call, *, is_paused: bool) -> None:
        """Keep nothing that is said while recordings are paused."""
        for dialog in call.dialogs:
            for media in dialog.media.values():
                if media.recording is not None:
                    media.recording.is_paused = is_paused

    def play(self, seat: Seat, sound: Sound, now: float) -> bool:
        """Let somebody hear a sound; False if he cannot."""
        is_heard = self._switchboard.processing.players.play(seat, sound, now)
        self._switchboard.install(seat.dialog)
        return is_heard

    def stop_playing(self, seat: Seat) -> int | None:
        """Let him hear the other side again; return the frame that would have come next."""
        place = self._switchboard.processing.players.stop(seat)
        self._switchboard.install(seat.dialog)
        return place

    def press(self, seat: Seat, press: Press) -> bool:
        """Press a key in somebody's name; False if the other side would not hear it."""
        if not seat.media.formats.dial(seat.side):
            return False
        self._switchboard.install(seat.dialog)
        transcoder = seat.media.transcoders[seat.side]
        if transcoder is not None:
            transcoder.dialler.press(press)
        return transcoder is not None

    @property
    def sound_due(self) -> float | None:
        """When `handle_sounds` has something to do."""
        return self._switchboard.processing.players.due

    def handle_sounds(self, now: float) -> None:
        """Send what is due of the sounds that are being played."""
        for dialog in self._switchboard.processing.players.tick(now):
            self._switchboard.install(dialog)

    def learn(self, local: Address, source: Address, packet: bytes) -> None:
        """Take a packet that came to `local` from another source than its flow expects."""
        self._switchboard.learn(local, source, packet, self._now)

    def handle_timer(self, now: float) -> list[Ended]:
        """End dialogues that are dead, and return which. To be called about once a second."""
        self._now = now
        self._switchboard.guard.handle_timer()
        late = self._switchboard.processing.handle_timer(now)
        ended = []
        for call_id, call in list(self._calls.items()):
            for dialog in list(call.dialogs):
                cause = self._cause(dialog, now)
                if cause is not None:
                    self._end(call_id, dialog, cause, now)
                    ended.append(Ended(call_id, cause))
                elif dialog in late:
                    self._attend(dialog, now)
        return ended

    def _cause(self, dialog: Dialog, now: float) -> Cause | None:
        """Say why a dialogue is over; counters are looked at only when the last look says that it may be."""
        final = self._policy.final_timeout
        if dialog.ends_at is not None and now >= dialog.ends_at:
            return Cause.DELETED
        if final is not None and now >= dialog.created + final:
            return Cause.TOO_LONG
        if now < self._checks[dialog]:
            return None
        deadline = dialog.deadline(
            self._switchboard.plane.counters, self._policy.timeout, self._policy.silent_timeout
        )
        self._checks[dialog] = deadline
        if now < deadline:
            return None
        if not dialog.is_answered:
            return Cause.NO_ANSWER
        return Cause.NO_MEDIA if dialog.is_flowing else Cause.SILENT

    def _heed(self, call: Call, dialog: Dialog, side: int, wishes: Wishes) -> None:
        """Take what `side` wishes beside its session."""
        dialog.heed(side, wishes)
        if wishes.music is not None:
            self._switchboard.processing.waiting.prepare(dialog)
        if wishes.record is not None:
            call.is_recorded = wishes.record
        call.pass_on(dialog)

    def _begin(self, signal: Signal, body: Description, now: float) -> Dialog:
        """Make the dialogue of an initial offer, and choose the addresses that face its sides."""
        dialog = Dialog(signal.from_tag, signal.to_tag, signal.via_branch, now)
        wishes, family = signal.wishes, _family(body, signal)
        here, there = (*wishes.direction, "", "")[:2]
        offerer, answerer = dialog.sides
        offerer.place(self.interfaces.named(here), family)
        ours = self.interfaces.owner(wishes.media_address)
        if ours:
            answerer.place(ours, Connection.of(wishes.media_address).family)
        else:
            answerer.place(self.interfaces.named(there), wishes.address_family or family)
        return dialog

    def _open(self, dialog: Dialog, said: Mapping[int, Announcement]) -> None:
        """Take the ports of new media, or raise `OutOfPorts`."""
        try:
            dialog.media |= self._switchboard.open(dialog, said.keys() - dialog.media.keys())
        except OutOfPorts:
            self.totals.refused += 1
            raise

    def _enter(self, call_id: str, call: Call, dialog: Dialog) -> None:
        """Take a new dialogue into the books."""
        self.totals.calls += not call.dialogs
        call.pass_on(dialog)
        call.dialogs.append(dialog)
        self._calls[call_id] = call

    def _install(self, dialog: Dialog, now: float) -> None:
        """Take up what a signal has changed."""
        dialog.ends_at = None
        self._checks[dialog] = now + min(self._policy.timeout, self._policy.silent_timeout)
        self._attend(dialog, now)

    def _attend(self, dialog: Dialog, now: float) -> None:
        """Let whoever is on hold hear music, and the plane know of all that has changed."""
        self._switchboard.processing.waiting.attend(dialog, now)
        self._switchboard.install(dialog)

    def _end(self, call_id: str, dialog: Dialog, cause: Cause, now: float) -> None:
        self._switchboard.close(dialog.media.values())
        del self._checks[dialog]
        call = self._calls[call_id]
        call.dialogs.remove(dialog)
        if not call.dialogs:
            self.totals.end(cause, now - call.created)
            del self._calls[call_id]


def _parse(signal: Signal) -> Description:
    try:
        return Description.parse(signal.sdp)
    except SdpError as error:
        raise UnparsableSdp(str(error)) from error


def _family(body: Description, signal: Signal) -> str:
    try:
        return family_of(body, signal.sender)
    except SdpError as error:
        raise UnparsableSdp(str(error)) from error


def _read(body: Description, sender: Side, receiver: Side, signal: Signal) -> Mapping[int, Announcement]:
    """Read what the side `sender` says, and take out what `receiver` must not see."""
    try:
        local = sender.interface.host(family_of(body, signal.sender))
        said = read(body, signal.sender, local)
        conceal(body, _shown(receiver, signal), signal.wishes.replace)
    except SdpError as error:
        raise UnparsableSdp(str(error)) from error
    return said


def _offer_formats(
    body: Description, dialog: Dialog, side: int, said: Mapping[int, Announcement], wishes: Wishes
) -> None:
    """Let the other side be offered the codecs that it shall have."""
    for index, one in said.items():
        if one.formats:
            negotiation = dialog.media[index].formats
            negotiation.is_audio = one.kind == "audio"
            formats = negotiation.offer(side, one.formats, one.ptime, wishes)
            respell(body.media[index], one.formats, formats, wishes.ptime)


def _answer_formats(
    body: Description, dialog: Dialog, side: int, said: Mapping[int, Announcement], wishes: Wishes
) -> None:
    """Let `side`, who offered, be answered by codecs of its own."""
    for index, one in said.items():
        if one.formats and index in dialog.media:
            negotiation = dialog.media[index].formats
            formats, ptime = negotiation.answer(side, one.formats, one.ptime, wishes)
            respell(body.media[index], one.formats, formats, ptime)


def _redirect(body: Description, dialog: Dialog, side: int, signal: Signal, sections: Sections) -> bytes:
    """Write our ports, and how sections are carried, for `side`, who is going to receive the body."""
    ports = {index: pair for index, pair in dialog.ports(side).items() if index in sections.said}
    relay = _shown(dialog.sides[side], signal)
    redirect(body, ports, relay, signal.wishes.replace)
    write(body, sections.told, ports, relay, signal.wishes)
    return bytes(body)


def _shown(receiver: Side, signal: Signal) -> Connection:
    """Return the address that a body names to `receiver`: ours, unless we are told another."""
    return literal(signal.wishes.media_address) or Connection.of(receiver.host)


def _has_passed(dialog: Dialog, said: Mapping[int, Announcement]) -> bool:
    """Whether a body leads to this dialogue's own ports: a spiral brought it back (RFC 3261 §16.3 step 4)."""
    ours = {pair.rtp for side in (0, 1) for pair in dialog.ports(side).values()}
    return any(announcement.rtp.address in ours for announcement in said.values())
