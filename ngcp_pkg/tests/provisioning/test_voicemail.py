"""Mailboxes and what lies in them, in a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning import voicemail
from ngcp.provisioning.engine import connect, transaction
from ngcp.provisioning.voicemail import Folder, Greeting, NoMailbox, Recording
from private_mariadb import Server

T = TypeVar("T")
ALICE, BOB = "a1111111-1111-1111-1111-111111111111", "b2222222-2222-2222-2222-222222222222"
SPOKEN = Recording("k1", ALICE, '"Bob" <4312002>', 1_700_000_000, 7, b"RIFF\0\xff'", "call-1")


class Spool:
    """Two mailboxes, asked as a daemon asks."""

    def __init__(self, server: Server) -> None:
        self.server = server
        for name, uuid in (("alice", ALICE), ("bob", BOB)):
            server.run(
                "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
                f" VALUES ('{name}', 'example.org', '', '', '', '{uuid}', 'Europe/Vienna')",
            )
            self(partial(voicemail.create_mailbox, uuid=uuid))

    def __call__(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def run() -> T:
            engine = connect(self.server.socket, self.server.user, 10.0)
            try:
                async with transaction(engine) as connection:
                    return await work(connection)
            finally:
                await engine.dispose()

        return asyncio.run(run())

    def deposit(self, recording: Recording = SPOKEN) -> int:
        return self(lambda it: voicemail.deposit(it, recording))

    def folder(self, folder: Folder | None = Folder.INBOX, uuid: str = ALICE) -> list[int]:
        return [one.id for one in self(lambda it: voicemail.list_messages(it, uuid, folder))]


@pytest.fixture
def spool(database: Server) -> Spool:
    return Spool(database)


def test_what_was_spoken_is_what_is_stored(spool: Spool) -> None:
    number = spool.deposit()

    message = spool(lambda it: voicemail.find_message(it, ALICE, number))
    assert message is not None
    assert (message.folder, message.caller, message.time, message.duration, message.call_id) == (
        Folder.INBOX,
        '"Bob" <4312002>',
        1_700_000_000,
        7,
        "call-1",
    )
    assert spool(lambda it: voicemail.read_recording(it, ALICE, number)) == SPOKEN.wav
    assert spool.server.run("SELECT dir, msgnum, mailboxuser FROM kamailio.voicemail_spool") == [
        (f"/var/spool/asterisk/voicemail/default/{ALICE}/INBOX", 0, ALICE)
    ]


def test_a_message_that_is_sent_twice_is_stored_once(spool: Spool) -> None:
    """As its first answer got lost."""
    assert spool.deposit() == spool.deposit()
    assert len(spool.folder()) == 1


def test_a_mailbox_that_is_gone(spool: Spool) -> None:
    spool(lambda it: voicemail.remove_mailbox(it, ALICE))

    assert spool(lambda it: voicemail.find_mailbox(it, ALICE)) is None
    with pytest.raises(NoMailbox, match=ALICE):
        spool.deposit()


def test_messages_go_from_folder_to_folder(spool: Spool) -> None:
    first, second = spool.deposit(), spool.deposit(replace(SPOKEN, key="k2", time=SPOKEN.time + 60))
    assert spool.folder() == [first, second]

    assert spool(lambda it: voicemail.move_message(it, ALICE, first, Folder.OLD))

    assert (spool.folder(), spool.folder(Folder.OLD)) == ([second], [first])
    counts = spool(lambda it: voicemail.count_messages(it, ALICE))
    assert (counts[Folder.INBOX], counts[Folder.OLD], counts[Folder.WORK]) == (1, 1, 0)
    assert spool(lambda it: voicemail.delete_message(it, ALICE, first))
    assert not spool(lambda it: voicemail.delete_message(it, ALICE, first))
    assert spool.folder(None) == [second]


def test_nobody_reaches_into_anothers_mailbox(spool: Spool) -> None:
    number = spool.deposit()

    assert spool(lambda it: voicemail.find_message(it, BOB, number)) is None
    assert spool(lambda it: voicemail.read_recording(it, BOB, number)) is None
    assert not spool(lambda it: voicemail.move_message(it, BOB, number, Folder.OLD))
    assert not spool(lambda it: voicemail.delete_message(it, BOB, number))
    assert spool.folder() == [number]


def test_greetings_are_no_messages(spool: Spool) -> None:
    for wav in (b"RIFF1", b"RIFF2"):
        spool(partial(voicemail.keep_greeting, uuid=ALICE, kind=Greeting.BUSY, wav=wav, now=1.0))

    assert spool(lambda it: voicemail.find_greeting(it, ALICE, Greeting.BUSY)) == b"RIFF2"
    assert spool(lambda it: voicemail.find_greeting(it, ALICE, Greeting.TEMPORARY)) is None
    assert spool(lambda it: voicemail.find_greetings(it, ALICE)) == [Greeting.BUSY]
    assert spool.folder(None) == []
    ((greeting,),) = spool.server.run("SELECT id FROM kamailio.voicemail_spool")
    assert spool(lambda it: voicemail.find_message(it, ALICE, int(str(greeting)))) is None
    assert spool(lambda it: voicemail.delete_greeting(it, ALICE, Greeting.BUSY))
    assert not spool(lambda it: voicemail.delete_greeting(it, ALICE, Greeting.BUSY))


def test_a_mailbox_is_its_owners_to_set(spool: Spool) -> None:
    before = spool(lambda it: voicemail.find_mailbox(it, ALICE))
    assert before is not None
    assert (len(before.pin), before.pin.isdecimal(), before.timezone) == (4, True, "Europe/Vienna")

    values = {"password": "987654", "email": "alice@example.org", "attach": "no", "delete": "yes"}
    spool(lambda it: voicemail.change_mailbox(it, ALICE, values))

    after = replace(before, pin="987654", email="alice@example.org", attach=False, delete=True)
    assert spool(lambda it: voicemail.find_mailbox(it, ALICE)) == after
    with pytest.raises(NoMailbox):
        spool(lambda it: voicemail.change_mailbox(it, "nobody", values))


def test_all_numbers_of_a_subscriber_lead_to_his_mailbox(spool: Spool) -> None:
    spool.server.run(
        "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain)"
        " VALUES ('4311001', 'example.org', 'alice', 'example.org'),"
        " ('4311009', 'example.org', 'alice', 'example.org')"
    )
    assert spool(lambda it: voicemail.find_owner(it, "4311001")) == ALICE
    assert spool(lambda it: voicemail.find_owner(it, "4311009")) == ALICE
    assert spool(lambda it: voicemail.find_owner(it, "4312002")) is None


def test_many_deposits_at_once_get_numbers_of_their_own(spool: Spool) -> None:
    async def all_at_once() -> None:
        engine = connect(spool.server.socket, spool.server.user, 30.0)

        async def one(number: int) -> None:
            async with transaction(engine) as connection:
                await voicemail.deposit(connection, replace(SPOKEN, key=f"k{number}"))

        try:
            await asyncio.gather(*(one(number) for number in range(50)))
        finally:
            await engine.dispose()

    asyncio.run(all_at_once())

    found = spool.server.run("SELECT msgnum FROM kamailio.voicemail_spool ORDER BY msgnum")
    assert found == [(number,) for number in range(50)]
