"""Who comes into which mailbox: the PIN, and who has tried too many."""

import hmac
import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .lockout import Lockout
from .menu_state import LogIn, Refused

_log = logging.getLogger(__name__)


class Visitor(NamedTuple):
    """Whoever wants in."""

    own: str
    """The mailbox of the telephone that he calls from; empty: it has none."""
    caller: str
    """His number, as the log tells it."""
    uuid: str = ""
    """The subscriber who calls; empty: none of ours."""
    reached: str = ""
    """The mailbox whose greeting he heard, if it was that way that he came."""

    @property
    def name(self) -> str:
        """What his tries are counted under."""
        return f"caller {self.uuid or self.caller}"


class Entered(NamedTuple):
    """He may come in."""

    mailbox: str
    is_own: bool
    """Whether by the mailbox's own telephone."""


class Mailboxes(Protocol):
    """Whoever knows PINs."""

    async def find(self, number: str) -> str | None:
        """Return the mailbox of whoever has a number."""

    async def pin(self, uuid: str) -> str | None:
        """Return the PIN of a mailbox; None: there is no such mailbox."""


class Doorkeeper:
    """One for each process."""

    def __init__(self, mailboxes: Mailboxes, lockout: Lockout, now: Callable[[], float]) -> None:
        self._mailboxes, self._lockout, self._now = mailboxes, lockout, now

    async def admit(self, visitor: Visitor, order: LogIn) -> Entered | Refused:
        """Let somebody in, or not; raises `DatabaseUnavailable`."""
        mailbox = await self._mailbox(visitor, order.mailbox)
        is_own = mailbox is not None and mailbox == visitor.own
        names = [visitor.name] if is_own else [visitor.name, f"mailbox {mailbox or order.mailbox}"]
        pin = None if mailbox is None else await self._mailboxes.pin(mailbox)
        # From here on nothing is waited for: who calls many times at once has no more tries.
        if self._lockout.is_locked(names, self._now()):
            _log.warning("mailbox %s: %s may not try now", mailbox or order.mailbox, visitor.name)
            return Refused(is_final=True)
        if mailbox is None or not pin or not hmac.compare_digest(pin.encode(), order.pin.encode()):
            self._refuse(visitor, mailbox or order.mailbox, names)
            return Refused()
        self._lockout.succeed(names)
        return Entered(mailbox, is_own)

    async def _mailbox(self, visitor: Visitor, wanted: str) -> str | None:
        if not wanted:
            return visitor.own or visitor.reached or None
        return await self._mailboxes.find(wanted)

    def _refuse(self, visitor: Visitor, mailbox: str, names: list[str]) -> None:
        locked = self._lockout.fail(names, self._now())
        if locked is None:
            _log.warning("mailbox %s: wrong PIN from %s, number %s", mailbox, visitor.name, visitor.caller)
        else:
            _log.warning(
                "mailbox %s: wrong PIN from %s, number %s; %s is locked for %d minutes",
                *(mailbox, visitor.name, visitor.caller, locked.name, locked.seconds / 60),
            )
