"""A mailbox in memory, and prompts that are named, not heard."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from appserver.desk import PIN, message
from appserver.house import BOX, NOWHERE, QuickArchive, speech
from ngcp.appserver.bell import Bell
from ngcp.appserver.menu_state import Opened, Settlement
from ngcp.audio.wav import write
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.voicemail import Address, Folder, Greeting, Manner, Message
from ngcp.voice.prompts import Files
from ngcp.voice.stream import SILENCE

#: The mailbox of somebody else, and his number.
OTHER_BOX, OTHER = "b2222222-2222-2222-2222-222222222222", "4312002"
#: The number of the caller's own.
NUMBER = "4311001"
#: Seconds of a message.
LENGTH = 4.0
#: Frames of a prompt.
PROMPT = 5


class Names(Files):
    """Prompts of a tenth of a second, which are noted by name."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def language(self, wanted: str) -> str:
        return wanted

    def say(self, names: Sequence[str], language: str) -> list[bytes]:
        self.said += [f"{language}:{name}" if language != "en" else name for name in names]
        return [SILENCE] * PROMPT * len(names)


class Box(QuickArchive):
    """One mailbox with messages 1, 2 …, each of which says something of its own."""

    def __init__(self, *callers: str) -> None:
        super().__init__(NOWHERE, Bell(), 100, lambda: 0.0)
        numbers = range(1, len(callers) + 1)
        self.messages = {number: message(number, callers[number - 1]) for number in numbers}
        self.sounds = {number: speech(LENGTH, seed=number) for number in numbers}
        self.own = BOX
        """Whose messages these are."""
        self.pins = {BOX: PIN, OTHER_BOX: "9999"}
        self.numbers = {OTHER: OTHER_BOX, NUMBER: BOX}
        self.greetings: dict[Greeting, bytes] = {}
        self.copies: list[tuple[int, str, bytes]] = []
        self.is_away = self.is_full = False
        self.removed: set[int] = set()
        self.late: list[Settlement] = []
        """What is settled once the database is back."""

    def _ask(self) -> None:
        if self.is_away:
            raise DatabaseUnavailable("away")

    async def find(self, number: str) -> str | None:
        self._ask()
        return self.numbers.get(number)

    async def pin(self, uuid: str) -> str | None:
        self._ask()
        return self.pins.get(uuid)

    async def open(self, uuid: str, folder: Folder | None, *, is_own: bool) -> Opened:
        self._ask()
        here = [one for one in self.messages.values() if one.folder is (folder or Folder.INBOX)]
        now = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)
        manner = Manner(goes_on=False, may_call=is_own)
        mine = tuple(here) if uuid == self.own else ()
        return Opened(folder or Folder.INBOX, mine, len(mine), 0, frozenset(self.greetings), now, manner)

    async def settle(self, uuid: str, settlement: Settlement) -> None:
        self._ask()
        for number in settlement.removed:
            del self.messages[number]
            self.removed.add(number)
        for number, folder in settlement.moved.items():
            self.messages[number] = replace(self.messages[number], folder=folder)

    async def settle_at_last(self, uuid: str, settlement: Settlement) -> None:
        if self.is_away:
            self.late.append(settlement)
        else:
            await self.settle(uuid, settlement)

    async def recording(self, uuid: str, number: int) -> bytes | None:
        self._ask()
        return write(self.sounds[number]) if number in self.messages else None

    async def keep_greeting(self, uuid: str, greeting: Greeting, samples: bytes) -> None:
        self._ask()
        self.greetings[greeting] = samples

    async def drop_greeting(self, uuid: str, greeting: Greeting) -> None:
        self._ask()
        del self.greetings[greeting]

    async def change_pin(self, uuid: str, pin: str) -> bool:
        self._ask()
        self.pins[uuid] = pin
        return True

    async def forward(self, uuid: str, number: int, recipient: str, key: str, comment: bytes) -> bool:
        self._ask()
        self.copies.append((number, recipient, comment))
        return True

    async def has_room(self, uuid: str) -> bool:
        self._ask()
        return not self.is_full

    async def address(self, uuid: str) -> Address | None:
        self._ask()
        return Address("alice", "example.org", NUMBER)

    def folder(self, number: int) -> Folder | None:
        """Return where a message lies; None: it is gone."""
        found: Message | None = self.messages.get(number)
        return None if found is None else found.folder
