"""The application `mailbox`: whoever has messages hears them, by the keys of `menu`.

`P-App-Param: ;mailbox=UUID;language=en`; `mailbox` is that of the telephone; without it the caller is asked
for one. What he did to messages is done when he leaves the folder, or hangs up: what he heard lies in Old
then, what he deleted is gone.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.voicemail import NoMailbox
from ngcp.sip.errors import SipError
from ngcp.sip.transaction.timers import Alarm
from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.guest import Guest
from ngcp.voice.tape import RATE

from .callback import RINGING, Callee
from .clerk import Clerk
from .dictation import Dictation
from .doorkeeper import Visitor
from .menu import WAIT, Menu
from .menu_options import SHORTEST
from .menu_prompts import BEEP
from .menu_state import (
    NOTHING,
    UNANSWERED,
    Call,
    Finish,
    HangUpCall,
    Order,
    Pause,
    Record,
    Skip,
    Stop,
    Turn,
)
from .office import Office
from .recital import Recital

#: Seconds for which a message can be stopped.
LONGEST_PAUSE: Final = 120.0

_log = logging.getLogger(__name__)


def open_mailbox(office: Office, call: Conversation, now: float) -> Listener:
    """Answer, and ask who it is."""
    visitor = visitor_of(call)
    menu = Menu(_language(office, call), is_known=bool(visitor.own))
    retrieval = Retrieval(office, call, visitor, menu)
    retrieval.serve(office.stage.receive(call, retrieval))
    retrieval.guest.accept(now)
    return retrieval.guest


def enter(office: Office, call: Conversation, guest: Guest, mailbox: str, now: float) -> None:
    """Ask a caller who has reached a mailbox for its PIN: it is his own, and he calls from elsewhere."""
    menu = Menu(_language(office, call), is_known=True)
    visitor = visitor_of(call)._replace(own="", reached=mailbox)
    retrieval = Retrieval(office, call, visitor, menu)
    retrieval.serve(guest)
    guest.attendant = retrieval
    retrieval.acknowledged(now)


def visitor_of(call: Conversation) -> Visitor:
    """Return who calls."""
    request = call.request
    number = request.get("p-first-caller-npn") or request.from_.uri.name
    return Visitor(call.parameters.get("mailbox", ""), number, request.get("p-caller-uuid") or "")


def _language(office: Office, call: Conversation) -> str:
    return office.files.language(call.parameters.get("language") or "en")


class Retrieval:
    """One caller (a `guest.Attendant`)."""

    guest: Guest

    def __init__(self, office: Office, call: Conversation, visitor: Visitor, menu: Menu) -> None:
        self._office, self._call, self._menu = office, call, menu
        self._clerk = Clerk(office, visitor)
        self._upcoming: Record | Call | None = None
        self._dictation: Dictation | None = None
        self._callee: Callee | None = None
        self._patience: Alarm | None = None
        self._until: float | None = None
        self._dialled: Call | None = None
        self._has_begun = False

    def serve(self, guest: Guest) -> None:
        """Know who is served."""
        language = _language(self._office, self._call)
        self.guest = guest
        self._recital = Recital(self._office, guest, language, self._clerk, self.said)

    # guest.Attendant

    def acknowledged(self, now: float) -> None:
        """Say the first thing."""
        self._has_begun = True
        self._take(self._menu.begin(), now)

    def said(self, now: float) -> None:
        """Go on: record, call, or wait for a key."""
        upcoming, self._upcoming = self._upcoming, None
        if self._menu.is_over:
            self.guest.dismiss(now)
        elif isinstance(upcoming, Record):
            terms = self._office.voicemail
            self._dictation = Dictation(self._call, self.guest, terms, self._be_silent, now)
        elif isinstance(upcoming, Call):
            self._dialled = upcoming
            self._office.stage.spawn(self._dial(upcoming))
        else:
            turn = self._menu.hear_out()
            if turn is NOTHING:
                self._wait(WAIT, now)
            else:
                self._take(turn, now)

    def pressed(self, key: str, now: float) -> None:
        """Take a key; one that comes before the call is answered means nothing."""
        if self._has_begun:
            self._take(self._menu.press(key), now)

    def left(self, now: float) -> None:
        """Do what is to be done for somebody who has hung up."""
        if self._dictation is not None:
            self._clerk.tape = self._dictation.end()
        if self._callee is not None:
            self._callee.hang_up(now)
        unsent, tape = self._menu.unsent, self._clerk.tape
        settlement = self._menu.leave()
        if unsent is not None and tape is not None and tape.spoken >= SHORTEST * RATE:
            self._office.stage.spawn(self._do_at_last(unsent))
        if not settlement.is_empty:
            self._office.stage.spawn(self._do_at_last(Finish(settlement)))

    # Turns

    def _take(self, turn: Turn, now: float) -> None:
        if turn.hushes:
            self._until = None
            self._recital.hush()
        order = turn.order
        if isinstance(order, Record | Call):
            self._upcoming, order = order, None
            self._clerk.tape = None
        if turn.hushes and (turn.say or order is None):
            self._recital.say(turn.say, now)
        if order is not None:
            self._obey(order, now)

    def _obey(self, order: Order, now: float) -> None:
        at_once = _AT_ONCE.get(type(order))
        if at_once is not None:
            at_once(self, order, now)
        elif isinstance(order, UNANSWERED):
            self._office.stage.spawn(self._do_at_last(order))
        else:
            self._office.stage.spawn(self._do(order))

    async def _do(self, order: Order) -> None:
        """Carry out an order, and go on with the answer."""
        try:
            answer = await self._clerk.do(order)
        except (DatabaseUnavailable, NoMailbox) as error:
            _log.warning("mailbox %s: %s", self._clerk.mailbox or "not entered", error)
            turn = self._menu.fail()
        else:
            turn = self._menu.answer(answer)
        if self.guest.is_here:
            self._take(turn, self._office.stage.clock())

    async def _do_at_last(self, order: Order) -> None:
        """Carry out an order whose answer nobody waits for."""
        try:
            await self._clerk.do(order)
        except (DatabaseUnavailable, NoMailbox) as error:
            _log.error("mailbox %s: %s is lost: %s", self._clerk.mailbox, type(order).__name__, error)

    # Patience

    def _wait(self, seconds: float, now: float) -> None:
        """Go on if nothing is pressed for so long; one alarm at a time is enough, and never far ahead."""
        self._until = now + seconds
        if self._patience is None:
            self._patience = self._call.at(now + min(seconds, WAIT), self._ring)

    def _ring(self, now: float) -> None:
        self._patience = None
        until, self._until = self._until, None
        if until is None:
            return
        if until > now:
            self._wait(until - now, now)
        elif self._recital.is_paused:
            self._recital.pause()
        else:
            self._take(self._menu.wait(), now)

    # What is done at once

    def _skip(self, order: Skip, now: float) -> None:
        self._until = None
        self._recital.skip(order.seconds)

    def _pause(self, order: Pause, now: float) -> None:
        self._recital.pause()
        if self._recital.is_paused:
            self._wait(LONGEST_PAUSE, now)
        else:
            self._until = None

    def _stop(self, order: Stop, now: float) -> None:
        """End the recording; before it has begun, go to the beep."""
        if self._dictation is not None:
            self._end_dictation(now, by_key=True)
        else:
            self._upcoming = Record()
            self._recital.hush()
            self._recital.say((BEEP,), now)

    def _be_silent(self, now: float) -> None:
        self._end_dictation(now)

    def _end_dictation(self, now: float, *, by_key: bool = False) -> None:
        dictation, self._dictation = self._dictation, None
        assert dictation is not None, "it was begun"
        tape = self._clerk.tape = dictation.end(by_key=by_key)
        self._take(self._menu.answer(tape.spoken / RATE), now)

    # Calls to others

    async def _dial(self, order: Call) -> None:
        try:
            owner = await self._office.archive.address(self._clerk.mailbox)
        except DatabaseUnavailable as error:
            _log.warning("mailbox %s: %s", self._clerk.mailbox, error)
            owner = None
        now = self._office.stage.clock()
        if not self.guest.is_here or self._dialled is not order:
            return
        if owner is None:
            self._take(self._menu.fail(), now)
            return
        self.guest.repeat(RINGING)
        dialler = self._office.dialler
        try:
            self._callee = dialler.call(
                order.number, owner, self._clerk.mailbox, self.guest, self._hear_of_call
            )
        except SipError:
            self._hear_of_call(False, now)

    def _hang_up_call(self, order: HangUpCall, now: float) -> None:
        if self._callee is not None:
            self._callee.hang_up(now)
        else:
            self._upcoming = self._dialled = None
            self._hear_of_call(False, now)

    def _hear_of_call(self, was_answered: bool, now: float) -> None:
        self._callee = None
        if self.guest.is_here:
            self._take(self._menu.answer(was_answered), now)


_AT_ONCE: Final[Mapping[type[Order], Callable[[Retrieval, Any, float], None]]] = {
    Skip: Retrieval._skip,
    Pause: Retrieval._pause,
    Stop: Retrieval._stop,
    HangUpCall: Retrieval._hang_up_call,
}
