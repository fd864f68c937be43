"""Telephones are told of changed mailboxes, whoever changed them, and when the database is there again."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from ngcp.appserver.lamps import Lamps
from ngcp.appserver.teller import Tables, Teller
from ngcp.provisioning import voicemail
from ngcp.provisioning.engine import DatabaseUnavailable, connect
from ngcp.provisioning.voicemail_news import Waiting
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.transaction import TransactionLayer
from private_mariadb import Server
from provisioning.test_voicemail import ALICE, BOB, Spool


class Told(Lamps):
    """Lamps that note what they are told."""

    def __init__(self) -> None:
        ids = iter(range(1000))
        layer = TransactionLayer(lambda: str(next(ids)))
        own, proxy = ("127.0.0.1", 5070), ("127.0.0.1", 5062)
        super().__init__(
            UserAgent(layer, lambda: str(next(ids)), own, proxy), "<sip:127.0.0.1:5062;lr>", "2000"
        )
        self.told: list[tuple[str, int, int, bool]] = []

    def tell(self, mailbox: str, waiting: Waiting, now: float, *, everybody: bool = True) -> None:
        self.told.append((mailbox, waiting.new, waiting.old, everybody))


class MemoryNews:
    """Changes in memory; can be told to be dead."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.error: Exception | None = None
        self.takes = 0

    async def take(self, asked: Collection[str]) -> tuple[Collection[str], Mapping[str, Waiting]]:
        self.takes += 1
        if self.error is not None:
            raise self.error
        changed, self.changed = self.changed, set()
        return changed, {uuid: Waiting(uuid, "example.org", 1, 2) for uuid in sorted({*changed, *asked})}


class Room:
    def __init__(self) -> None:
        self.news, self.lamps, self.sent = MemoryNews(), Told(), 0
        self.teller = Teller(self.news, self.lamps, lambda: 0.0, self._transmit)

    def _transmit(self) -> None:
        self.sent += 1

    def visit(self) -> None:
        asyncio.run(self.teller.visit())


def test_changes_are_told_to_everybody_and_questions_to_who_asked() -> None:
    room = Room()
    room.news.changed = {"a"}
    room.lamps.asked("b")

    room.visit()
    room.visit()

    assert room.lamps.told == [("a", 1, 2, True), ("b", 1, 2, False)]
    assert room.sent == 1


@pytest.mark.parametrize("error", [DatabaseUnavailable("gone away"), RuntimeError("broken")])
def test_questions_are_kept_until_they_can_be_answered(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room()
    room.news.error = error
    room.teller.ask("b")
    room.visit()
    assert room.lamps.told == []
    assert "telephones are not told what waits" in caplog.text

    room.news.error = None
    room.visit()
    assert room.lamps.told == [("b", 1, 2, False)]


def test_teller_sleeps_until_something_changes() -> None:
    room = Room()

    async def run() -> None:
        keeping = asyncio.create_task(room.teller.keep())
        await asyncio.sleep(0.05)
        room.news.changed = {"a"}
        room.teller.poke()
        async with asyncio.timeout(1.5):  # before it would have looked by itself
            while not room.lamps.told:
                await asyncio.sleep(0.01)
        keeping.cancel()

    asyncio.run(run())


def test_with_a_database(database: Server) -> None:
    spool, lamps = Spool(database), Told()
    number = spool.deposit()

    async def visit(*asked: str) -> None:
        engine = connect(database.socket, database.user, 10.0)
        teller = Teller(Tables(engine), lamps, lambda: 0.0, lambda: None)
        for mailbox in asked:
            teller.ask(mailbox)
        await teller.visit()
        await engine.dispose()

    asyncio.run(visit(BOB))
    assert sorted(lamps.told) == [(ALICE, 1, 0, True), (BOB, 0, 0, False)]

    spool(lambda it: voicemail.move_message(it, ALICE, number, voicemail.Folder.OLD))
    asyncio.run(visit())
    asyncio.run(visit())
    assert lamps.told[2:] == [(ALICE, 0, 1, True)]
