"""Whoever does for one caller what the menu of his mailbox wants, as far as it takes MariaDB."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from ngcp.audio import wav
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.voicemail import Recording
from ngcp.voice.guest import Frames
from ngcp.voice.tape import RATE, Tape

from .doorkeeper import Visitor
from .menu_state import (
    ChangePin,
    Deliver,
    DropGreeting,
    FindRecipient,
    Finish,
    Forward,
    KeepGreeting,
    LogIn,
    Opened,
    OpenFolder,
    Order,
    Refused,
)
from .office import Office

_log = logging.getLogger(__name__)


class Clerk:
    """For one caller. Whatever needs MariaDB raises `DatabaseUnavailable`, or `NoMailbox`."""

    def __init__(self, office: Office, visitor: Visitor) -> None:
        self._office, self._visitor = office, visitor
        self.mailbox = ""
        """The one that he has entered."""
        self._is_own = False
        self.tape: Tape | None = None
        """What he recorded last."""

    async def do(self, order: Order) -> object:
        """Carry out an order, and return the answer."""
        return await _WORK[type(order)](self, order)

    async def fetch(self, number: int) -> Frames:
        """Return the frames of a message; none: it is gone."""
        archive = self._office.archive
        return await archive.cut(await archive.recording(self.mailbox, number))

    async def samples(self) -> bytes:
        """Return what he recorded last."""
        return b"" if self.tape is None else await self._office.archive.develop(self.tape)

    async def log_in(self, order: LogIn) -> Opened | Refused:
        """Open a mailbox, if the PIN is right."""
        entered = await self._office.doorkeeper.admit(self._visitor, order)
        if isinstance(entered, Refused):
            return entered
        opened = await self._office.archive.open(entered.mailbox, None, is_own=entered.is_own)
        self.mailbox, self._is_own = entered.mailbox, entered.is_own
        return opened

    async def open_folder(self, order: OpenFolder) -> Opened:
        """Settle a folder, and open another."""
        archive = self._office.archive
        if not order.settlement.is_empty:
            await archive.settle(self.mailbox, order.settlement)
        return await archive.open(self.mailbox, order.folder, is_own=self._is_own)

    async def keep_greeting(self, order: KeepGreeting) -> bool:
        """Keep what was recorded as a greeting."""
        await self._office.archive.keep_greeting(self.mailbox, order.greeting, await self.samples())
        return True

    async def drop_greeting(self, order: DropGreeting) -> bool:
        """Remove a greeting."""
        await self._office.archive.drop_greeting(self.mailbox, order.greeting)
        return True

    async def change_pin(self, order: ChangePin) -> bool:
        """Change the PIN, if it is not too simple."""
        return await self._office.archive.change_pin(self.mailbox, order.pin)

    async def find(self, order: FindRecipient) -> str | None:
        """Return the mailbox of whoever has a number."""
        return await self._office.archive.find(order.number)

    async def forward(self, order: Forward) -> bool:
        """Deliver a copy of a message, behind what was recorded."""
        key, comment = self._office.stage.ids(), await self.samples() if order.with_comment else b""
        return await self._office.archive.forward(self.mailbox, order.message, order.recipient, key, comment)

    async def deliver(self, order: Deliver) -> bool:
        """Deliver what was recorded; while the database is away, it waits as all messages do."""
        office, tape = self._office, self.tape
        assert tape is not None, "something was recorded"
        caller = f"<{self._visitor.caller}>"
        try:
            if not await office.archive.has_room(order.recipient):
                return False
            owner = await office.archive.address(self.mailbox)
            if owner is not None:
                caller = f"<{owner.number or owner.username}>"
        except DatabaseUnavailable as error:
            _log.warning("a message for %s is sent without a look: %s", order.recipient, error)
        if office.keeper.is_full:
            return False
        key, time = office.stage.ids(), int(office.wall())

        def develop() -> Recording:
            seconds = round(len(tape) / RATE)
            return Recording(key, order.recipient, caller, time, seconds, wav.write(tape.samples()))

        office.keeper.take(key, develop)
        return True

    async def finish(self, order: Finish) -> None:
        """Settle the folder, now or later."""
        if not order.settlement.is_empty:
            await self._office.archive.settle_at_last(self.mailbox, order.settlement)


_WORK: Final[Mapping[type[Order], Callable[[Clerk, Any], Awaitable[object]]]] = {
    LogIn: Clerk.log_in,
    OpenFolder: Clerk.open_folder,
    KeepGreeting: Clerk.keep_greeting,
    DropGreeting: Clerk.drop_greeting,
    ChangePin: Clerk.change_pin,
    FindRecipient: Clerk.find,
    Forward: Clerk.forward,
    Deliver: Clerk.deliver,
    Finish: Clerk.finish,
}
