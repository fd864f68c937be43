"""Mailboxes by telephone, in a real database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import pytest

from appserver.house import speech
from ngcp.appserver.archive import AGAIN, Archive
from ngcp.appserver.bell import Bell, Change
from ngcp.appserver.doorkeeper import Doorkeeper, Entered, Visitor
from ngcp.appserver.lockout import TRIES, Lockout
from ngcp.appserver.menu_state import LogIn, Refused, Settlement
from ngcp.audio.wav import samples_of, write
from ngcp.provisioning import voicemail
from ngcp.provisioning.engine import DatabaseUnavailable, connect, transaction
from ngcp.provisioning.voicemail import Address, Folder, Greeting, NoMailbox, Recording
from private_mariadb import Server

T = TypeVar("T")
ALICE, BOB = "a1111111-1111-1111-1111-111111111111", "b2222222-2222-2222-2222-222222222222"
NOW = 1_764_350_000.0
SPOKEN = speech(2.0)
MOST = 5


class Shelves:
    """Two mailboxes, as the daemon uses them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.heard: list[Change] = []
        for number, (name, uuid) in enumerate((("alice", ALICE), ("bob", BOB)), 1):
            server.run(
                "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
                f" VALUES ('{name}', 'example.org', '', '', '', '{uuid}', 'Europe/Vienna')",
                "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain, is_primary)"
                f" VALUES ('431100{number}', 'example.org', '{name}', 'example.org', 1),"
                f" ('431900{number}', 'example.org', '{name}', 'example.org', 0)",
                "INSERT INTO kamailio.voicemail_users (customer_id, mailbox, password)"
                f" VALUES ('{uuid}', '{uuid}', '123{number}')",
            )

    def __call__(self, work: Callable[[Archive], Awaitable[T]], socket: str | None = None) -> T:
        async def run() -> T:
            engine = connect(socket or self.server.socket, self.server.user, 10.0)
            bell = Bell()
            bell.attach(self.heard.append)
            try:
                return await work(Archive(engine, bell, MOST, lambda: NOW))
            finally:
                await engine.dispose()

        return asyncio.run(run())

    def deposit(self, key: str, mailbox: str = ALICE, folder: Folder = Folder.INBOX) -> int:
        recording = Recording(key, mailbox, '"Bob" <4311002>', int(NOW) - 60, 2, write(SPOKEN), "call-1")

        async def run() -> int:
            engine = connect(self.server.socket, self.server.user, 10.0)
            try:
                async with transaction(engine) as connection:
                    number = await voicemail.deposit(connection, recording)
                    if folder is not Folder.INBOX:
                        await voicemail.move_message(connection, mailbox, number, folder)
                    return number
            finally:
                await engine.dispose()

        return asyncio.run(run())

    def lying(self, mailbox: str = ALICE) -> dict[int, str]:
        rows = self.server.run(
            "SELECT id, SUBSTRING_INDEX(dir, '/', -1) FROM kamailio.voicemail_spool"
            f" WHERE mailboxuser = '{mailbox}'"
        )
        return {int(str(number)): str(kind) for number, kind in rows}


@pytest.fixture
def shelves(database: Server) -> Shelves:
    return Shelves(database)


def test_mailbox_is_found_by_each_number_of_its_owner(shelves: Shelves) -> None:
    for number in ("4311001", "+4311001", "004311001", "4319001"):
        assert shelves(partial(Archive.find, number=number)) == ALICE
    assert shelves(lambda it: it.find("4399")) is None
    assert shelves(lambda it: it.find("")) is None


def test_mailbox_begins_with_new_messages_else_with_old_ones(shelves: Shelves) -> None:
    assert shelves(lambda it: it.open(ALICE, None, is_own=True)).folder is Folder.INBOX
    old = shelves.deposit("k1", folder=Folder.OLD)
    opened = shelves(lambda it: it.open(ALICE, None, is_own=True))
    assert (opened.folder, [one.id for one in opened.messages], opened.new, opened.old) == (
        Folder.OLD,
        [old],
        0,
        1,
    )
    new = shelves.deposit("k2")
    opened = shelves(lambda it: it.open(ALICE, None, is_own=True))
    assert (opened.folder, [one.id for one in opened.messages], opened.new, opened.old) == (
        Folder.INBOX,
        [new],
        1,
        1,
    )


def test_times_are_those_of_the_owner(shelves: Shelves) -> None:
    opened = shelves(lambda it: it.open(ALICE, None, is_own=True))
    assert opened.now == datetime.fromtimestamp(NOW, UTC)
    assert str(opened.now.tzinfo) == "Europe/Vienna"
    shelves.server.run("UPDATE kamailio.voicemail_users SET tz = 'Asia/Tokyo'")
    assert str(shelves(lambda it: it.open(ALICE, None, is_own=True)).now.tzinfo) == "Asia/Tokyo"
    shelves.server.run("UPDATE kamailio.voicemail_users SET tz = 'Nowhere/At all'")
    assert shelves(lambda it: it.open(ALICE, None, is_own=True)).now.tzinfo is not None


def test_manner_of_a_mailbox(shelves: Shelves) -> None:
    shelves.server.run(
        "UPDATE kamailio.voicemail_users SET envelope = 'yes', saycid = 'no', sayduration = 'yes',"
        " saydurationm = 2, nextaftercmd = 'no'"
    )
    manner = shelves(lambda it: it.open(ALICE, None, is_own=False)).manner
    assert (manner.says_time, manner.says_caller, manner.says_duration) == (True, False, True)
    assert (manner.least_minutes, manner.goes_on, manner.may_call) == (2, False, False)
    assert shelves(lambda it: it.open(ALICE, None, is_own=True)).manner.may_call
    shelves.server.run("UPDATE kamailio.voicemail_users SET callback = 'default'")
    assert shelves(lambda it: it.open(ALICE, None, is_own=False)).manner.may_call


def test_folder_is_settled(shelves: Shelves) -> None:
    first, second, third = (shelves.deposit(f"k{number}") for number in range(3))
    foreign = shelves.deposit("k9", BOB)
    moved = {second: Folder.OLD, foreign: Folder.OLD, 4711: Folder.WORK}
    shelves(lambda it: it.settle(ALICE, Settlement(frozenset({first, foreign, 4712}), moved)))
    assert shelves.lying() == {second: "Old", third: "INBOX"}
    assert shelves.lying(BOB) == {foreign: "INBOX"}
    assert shelves.heard == [Change(ALICE)]


def test_folder_is_settled_once_the_database_is_back(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    number = shelves.deposit("k1")
    pauses: list[float] = []

    async def work(archive: Archive) -> None:
        settle, failures = archive.settle, iter((True, True, False))

        async def fail(uuid: str, settlement: Settlement) -> None:
            if next(failures):
                raise DatabaseUnavailable("away")
            await settle(uuid, settlement)

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(archive, "settle", fail)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        await archive.settle_at_last(ALICE, Settlement(frozenset({number}), {}))

    shelves(work)
    assert pauses == [*AGAIN[:2]]
    assert shelves.lying() == {}


def test_what_is_never_settled_is_told(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def sleep(seconds: float) -> None:
        """Pass."""

    monkeypatch.setattr(asyncio, "sleep", sleep)
    shelves(lambda it: it.settle_at_last(ALICE, Settlement(frozenset({1}), {})), socket="/nonexistent")
    assert [record.levelno for record in caplog.records] == [*[logging.WARNING] * len(AGAIN), logging.ERROR]
    assert "what its owner did is lost" in caplog.text


def test_mailbox_that_went_meanwhile(shelves: Shelves) -> None:
    gone = "c3333333-3333-3333-3333-333333333333"
    shelves(lambda it: it.settle_at_last(gone, Settlement(frozenset(), {1: Folder.OLD})))
    with pytest.raises(NoMailbox):
        shelves(lambda it: it.open(gone, None, is_own=True))
    assert shelves(lambda it: it.pin(gone)) is None


def test_recording_is_read(shelves: Shelves) -> None:
    number = shelves.deposit("k1")
    file = shelves(lambda it: it.recording(ALICE, number))
    assert file is not None
    assert samples_of(file, 10.0) == SPOKEN
    assert shelves(lambda it: it.recording(BOB, number)) is None


def test_greetings_are_kept_and_dropped(shelves: Shelves) -> None:
    for _ in range(2):
        shelves(lambda it: it.keep_greeting(ALICE, Greeting.TEMPORARY, SPOKEN))
    assert list(shelves.lying().values()) == ["temp"]
    opened = shelves(lambda it: it.open(ALICE, None, is_own=True))
    assert opened.greetings == {Greeting.TEMPORARY}
    shelves(lambda it: it.drop_greeting(ALICE, Greeting.TEMPORARY))
    assert shelves.lying() == {}


@pytest.mark.parametrize(("pin", "is_taken"), [("2580", True), ("123", False), ("1111", False)])
def test_pin_is_changed(shelves: Shelves, pin: str, is_taken: bool) -> None:
    assert shelves(lambda it: it.change_pin(ALICE, pin)) is is_taken
    assert shelves(lambda it: it.pin(ALICE)) == (pin if is_taken else "1231")
    assert shelves(lambda it: it.pin(BOB)) == "1232"


@pytest.mark.parametrize("comment", [b"", speech(1.0, seed=7)])
def test_message_is_forwarded(shelves: Shelves, comment: bytes) -> None:
    number = shelves.deposit("k1")
    assert shelves(lambda it: it.forward(ALICE, number, BOB, "k2", comment))
    ((copy, folder),) = shelves.lying(BOB).items()
    assert folder == "INBOX"
    file = shelves(lambda it: it.recording(BOB, copy))
    assert file is not None
    assert samples_of(file, 10.0) == comment + SPOKEN
    (message,) = shelves(lambda it: it.open(BOB, None, is_own=True)).messages
    assert (message.caller, message.time, message.duration) == (
        '"Bob" <4311002>',
        int(NOW) - 60,
        2 + len(comment) // 16_000,
    )
    assert shelves.lying() == {number: "INBOX"}
    assert shelves.heard == [Change(BOB, copy)]


def test_message_is_forwarded_to_nobody_without_room(shelves: Shelves) -> None:
    number = shelves.deposit("k0")
    for place in range(MOST):
        assert shelves(lambda it: it.has_room(BOB))
        shelves.deposit(f"k{place + 1}", BOB)
    assert not shelves(lambda it: it.has_room(BOB))
    assert not shelves(lambda it: it.forward(ALICE, number, BOB, "k9", b""))
    assert not shelves(lambda it: it.forward(ALICE, 4711, BOB, "k9", b""))
    gone = "c3333333-3333-3333-3333-333333333333"
    assert not shelves(lambda it: it.forward(ALICE, number, gone, "k9", b""))
    assert shelves.heard == []


def test_address(shelves: Shelves) -> None:
    assert shelves(lambda it: it.address(ALICE)) == Address("alice", "example.org", "4311001")
    shelves.server.run("DELETE FROM kamailio.dbaliases")
    assert shelves(lambda it: it.address(ALICE)) == Address("alice", "example.org")
    assert shelves(lambda it: it.address("nobody")) is None


# The door


def admit(shelves: Shelves, order: LogIn, own: str = "") -> object:
    visitor, guard = Visitor(own, "4369911", own), Lockout()
    return shelves(lambda it: Doorkeeper(it, guard, lambda: 0.0).admit(visitor, order))


def test_who_comes_in(shelves: Shelves) -> None:
    assert admit(shelves, LogIn("", "1231"), ALICE) == Entered(ALICE, is_own=True)
    assert admit(shelves, LogIn("4311001", "1231"), ALICE) == Entered(ALICE, is_own=True)
    assert admit(shelves, LogIn("4311002", "1232"), ALICE) == Entered(BOB, is_own=False)
    assert admit(shelves, LogIn("4311002", "1232")) == Entered(BOB, is_own=False)
    reached = Visitor(ALICE, "4369911", ALICE, reached=BOB)._replace(own="")
    door = partial(Doorkeeper.admit, visitor=reached, order=LogIn("", "1232"))
    assert shelves(lambda it: door(Doorkeeper(it, Lockout(), lambda: 0.0))) == Entered(BOB, is_own=False)


@pytest.mark.parametrize(
    ("order", "own"),
    [
        (LogIn("", "1232"), ALICE),
        (LogIn("", ""), ALICE),
        (LogIn("", "1231"), ""),
        (LogIn("", "1231"), "c3333333-3333-3333-3333-333333333333"),
        (LogIn("4311001", "1232"), ""),
        (LogIn("4399", "1231"), ""),
        (LogIn(ALICE, "1231"), ""),
    ],
)
def test_who_does_not(shelves: Shelves, order: LogIn, own: str) -> None:
    assert admit(shelves, order, own) == Refused()


def test_mailbox_without_a_pin_is_nobodys(shelves: Shelves) -> None:
    shelves.server.run("UPDATE kamailio.voicemail_users SET password = ''")
    assert admit(shelves, LogIn("", ""), ALICE) == Refused()


def test_parallel_tries_are_no_more_tries(shelves: Shelves) -> None:
    lockout = Lockout()

    async def work(archive: Archive) -> list[object]:
        keeper = Doorkeeper(archive, lockout, lambda: 0.0)
        orders = [LogIn("4311001", f"{pin:04}") for pin in range(50)]
        return list(await asyncio.gather(*(keeper.admit(Visitor("", "4369911"), one) for one in orders)))

    answers = shelves(work)
    assert answers.count(Refused()) == TRIES
    assert answers.count(Refused(is_final=True)) == 50 - TRIES
