"""Mailboxes, messages and greetings: `kamailio.voicemail_users` and `kamailio.voicemail_spool`.

A mailbox is its subscriber's UUID, whatever numbers he has. What was spoken is a WAV file in a row of the
spool, whose `dir` says what it is: a message in one of the folders, or a greeting. Whoever asks names the
mailbox, so that the number of another one's message leads nowhere.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.blobs import uploaded
from ngcp.provisioning.tables.kamailio import dbaliases, subscriber, voicemail_spool, voicemail_users
from ngcp.provisioning.voicemail_news import note_change, write_mail

ROOT: Final = "/var/spool/asterisk/voicemail/default"
#: Digits of the PIN that a new mailbox has.
PIN_DIGITS: Final = 4
#: Characters of a caller that are kept.
LONGEST_CALLER: Final = 255

_spool, _users = voicemail_spool.c, voicemail_users.c


class Folder(StrEnum):
    """Where a message lies."""

    INBOX = "INBOX"
    """Not heard yet."""
    OLD = "Old"
    WORK = "Work"
    FAMILY = "Family"
    FRIENDS = "Friends"


class Greeting(StrEnum):
    """What the owner of a mailbox has spoken for those who call it."""

    UNAVAILABLE = "unavail"
    BUSY = "busy"
    TEMPORARY = "temp"
    """As long as there is one, it is said in place of the others."""
    NAME = "greet"


@dataclass(frozen=True, slots=True)
class Manner:
    """How messages are presented to the owner of a mailbox, by telephone."""

    says_time: bool = False
    """Whether each begins with when it came (`envelope`)."""
    says_caller: bool = True
    """Whether each begins with who called (`saycid`)."""
    says_duration: bool = False
    """Whether each begins with how long it is (`sayduration`)."""
    least_minutes: int = 1
    """From how many minutes on that is said (`saydurationm`)."""
    goes_on: bool = True
    """Whether the next one is played when one was deleted or saved (`nextaftercmd`)."""
    may_call: bool = False
    """Whether others can be called from the menu, from every telephone (`callback`)."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """How a mailbox is set."""

    uuid: str
    """Of its subscriber."""
    pin: str
    email: str = ""
    """Who is told of new messages; empty: nobody."""
    attach: bool = True
    """Whether the mail has the message."""
    delete: bool = False
    """Whether a message is removed once it is mailed."""
    timezone: str = ""
    """Its own, else the subscriber's; empty: nobody has said."""
    manner: Manner = Manner()
    """How its messages are presented by telephone."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a message beside its sound."""

    id: int
    folder: Folder
    caller: str
    """As in `"Name" <number>`; either may be missing."""
    time: int
    """Unix time at which its recording began."""
    duration: int
    """Seconds."""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A message that is to be stored."""

    key: str
    """Unguessable; what is deposited twice by the same key is stored once."""
    mailbox: str
    caller: str
    time: int
    duration: int
    wav: bytes
    call_id: str = ""


class NoMailbox(Exception):
    """The mailbox is gone, or never was."""

    def __init__(self, uuid: str) -> None:
        super().__init__(f"there is no mailbox {uuid}")
        self.uuid = uuid


# Mailboxes


async def create_mailbox(connection: AsyncConnection, uuid: str) -> None:
    """Give a subscriber a mailbox, with a PIN that only he is told."""
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
    await connection.execute(insert(voicemail_users).values(customer_id=uuid, mailbox=uuid, password=pin))


async def remove_mailbox(connection: AsyncConnection, uuid: str) -> None:
    """Remove a subscriber's mailbox, messages and greetings."""
    await connection.execute(delete(voicemail_spool).where(_spool.mailboxuser == uuid))
    await connection.execute(delete(voicemail_users).where(_users.customer_id == uuid))


async def find_mailbox(connection: AsyncConnection, uuid: str) -> Mailbox | None:
    """Return the mailbox of a subscriber."""
    query = (
        select(voicemail_users, subscriber.c.timezone)
        .join_from(voicemail_users, subscriber, subscriber.c.uuid == _users.customer_id, isouter=True)
        .where(_users.customer_id == uuid)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    return Mailbox(
        uuid,
        row["password"],
        row["email"],
        row["attach"] == "yes",
        row["delete"] == "yes",
        row["tz"] or row["timezone"] or "",
        Manner(
            row["envelope"] == "yes",
            row["saycid"] == "yes",
            row["sayduration"] == "yes",
            row["saydurationm"],
            row["nextaftercmd"] == "yes",
            bool(row["callback"]),
        ),
    )


async def find_owner(connection: AsyncConnection, number: str) -> str | None:
    """Return the UUID of the subscriber who has a number (E.164, without "+")."""
    owned = (
        select(subscriber.c.uuid)
        .join_from(
            dbaliases,
            subscriber,
            and_(subscriber.c.username == dbaliases.c.username, subscriber.c.domain == dbaliases.c.domain),
        )
        .where(dbaliases.c.alias_username == number)
    )
    return (await connection.execute(owned)).scalars().first()


@dataclass(frozen=True, slots=True)
class Address:
    """By which names somebody calls."""

    username: str
    domain: str
    number: str = ""
    """His primary number (E.164, without "+"); empty: he has none."""


async def find_address(connection: AsyncConnection, uuid: str) -> Address | None:
    """Return by which names a subscriber calls."""
    columns = subscriber.c
    query = (
        select(columns.username, columns.domain, dbaliases.c.alias_username)
        .join_from(
            subscriber,
            dbaliases,
            and_(
                columns.username == dbaliases.c.username,
                columns.domain == dbaliases.c.domain,
                dbaliases.c.is_primary,
            ),
            isouter=True,
        )
        .where(columns.uuid == uuid)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Address(row.username, row.domain, row.alias_username or "")


async def change_mailbox(connection: AsyncConnection, uuid: str, values: Mapping[str, Any]) -> None:
    """Set columns of `voicemail_users`; raises `NoMailbox`."""
    await _lock(connection, uuid)
    await connection.execute(update(voicemail_users).where(_users.customer_id == uuid).values(**dict(values)))


# Messages


async def deposit(connection: AsyncConnection, recording: Recording) -> int:
    """Store a message and return its number; raises `NoMailbox`."""
    await _lock(connection, recording.mailbox)
    known = select(_spool.id).where(_spool.msg_id == recording.key)
    number = (await connection.execute(known)).scalar()
    if number is not None:
        return int(number)
    values = await _place(connection, recording.mailbox, Folder.INBOX)
    async with uploaded(connection, recording.wav) as sound:
        result = await connection.execute(
            insert(voicemail_spool).values(
                **values,
                callerid=recording.caller[:LONGEST_CALLER],
                origtime=recording.time,
                duration=recording.duration,
                recording=sound,
                msg_id=recording.key,
                call_id=recording.call_id,
            )
        )
    number = int(result.inserted_primary_key[0])
    await note_change(connection, recording.mailbox)
    await write_mail(connection, recording.mailbox, number)
    return number


async def count_messages(connection: AsyncConnection, uuid: str) -> Mapping[Folder, int]:
    """Return how many messages lie in each folder of a mailbox."""
    query = select(_spool.dir, func.count()).where(_is_message(uuid)).group_by(_spool.dir)
    found = {_folder(directory): int(count) for directory, count in await connection.execute(query)}
    return {folder: found.get(folder, 0) for folder in Folder}


async def list_messages(
    connection: AsyncConnection, uuid: str, folder: Folder | None = None
) -> Sequence[Message]:
    """Return the messages of a mailbox, or of one of its folders, the oldest first."""
    where = _is_message(uuid) if folder is None else _is_in(uuid, folder)
    rows = await connection.execute(_MESSAGES.where(where).order_by(_spool.origtime, _spool.id))
    return [_message(row) for row in rows.mappings()]


async def find_message(connection: AsyncConnection, uuid: str, number: int) -> Message | None:
    """Return a message of a mailbox."""
    query = _MESSAGES.where(_is_message(uuid), _spool.id == number)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _message(row)


async def read_recording(connection: AsyncConnection, uuid: str, number: int) -> bytes | None:
    """Return the WAV file of a message."""
    query = select(_spool.recording).where(_is_message(uuid), _spool.id == number)
    return (await connection.execute(query)).scalar()


async def move_message(connection: AsyncConnection, uuid: str, number: int, folder: Folder) -> bool:
    """Put a message into a folder; False: it is not there."""
    await _lock(connection, uuid)
    values = await _place(connection, uuid, folder)
    here = _is_message(uuid), _spool.id == number
    done = await connection.execute(update(voicemail_spool).where(*here).values(**values))
    return await _noted(connection, uuid, done.rowcount)


async def delete_message(connection: AsyncConnection, uuid: str, number: int) -> bool:
    """Remove a message for good; False: it is not there."""
    here = _is_message(uuid), _spool.id == number
    done = await connection.execute(delete(voicemail_spool).where(*here))
    return await _noted(connection, uuid, done.rowcount)


async def _noted(connection: AsyncConnection, uuid: str, changed: int) -> bool:
    """Let telephones know if a mailbox has changed; tell whether it has."""
    if changed:
        await note_change(connection, uuid)
    return bool(changed)


# Greetings


async def find_greeting(connection: AsyncConnection, uuid: str, kind: Greeting) -> bytes | None:
    """Return the WAV file of a greeting."""
    query = select(_spool.recording).where(_is_in(uuid, kind)).order_by(_spool.id.desc()).limit(1)
    return (await connection.execute(query)).scalar()


async def find_greetings(connection: AsyncConnection, uuid: str) -> Sequence[Greeting]:
    """Return which greetings a mailbox has."""
    mine = _spool.mailboxuser == uuid, _spool.dir.in_([_directory(uuid, kind) for kind in Greeting])
    directories = (await connection.execute(select(_spool.dir).distinct().where(*mine))).scalars()
    return [Greeting(directory.rpartition("/")[2]) for directory in directories]


async def keep_greeting(
    connection: AsyncConnection, uuid: str, kind: Greeting, wav: bytes, now: float
) -> None:
    """Store a greeting in place of the one there was; raises `NoMailbox`."""
    await _lock(connection, uuid)
    await delete_greeting(connection, uuid, kind)
    values = await _place(connection, uuid, kind)
    async with uploaded(connection, wav) as sound:
        row = insert(voicemail_spool).values(**values, origtime=int(now), recording=sound)
        await connection.execute(row)


async def delete_greeting(connection: AsyncConnection, uuid: str, kind: Greeting) -> bool:
    """Remove a greeting; False: there was none."""
    return bool((await connection.execute(delete(voicemail_spool).where(_is_in(uuid, kind)))).rowcount)


# Inside

_MESSAGES: Final = select(
    _spool.id, _spool.dir, _spool.callerid, _spool.origtime, _spool.duration, _spool.call_id
)


def _message(row: Mapping[Any, Any]) -> Message:
    return Message(
        row["id"], _folder(row["dir"]), row["callerid"], row["origtime"], row["duration"], row["call_id"]
    )


def _directory(uuid: str, kind: Folder | Greeting) -> str:
    return f"{ROOT}/{uuid}/{kind}"


def _folder(directory: str) -> Folder:
    return Folder(directory.rpartition("/")[2])


def _is_in(uuid: str, kind: Folder | Greeting) -> ColumnElement[bool]:
    return and_(_spool.mailboxuser == uuid, _spool.dir == _directory(uuid, kind))


def _is_message(uuid: str) -> ColumnElement[bool]:
    return and_(_spool.mailboxuser == uuid, _spool.dir.in_([_directory(uuid, folder) for folder in Folder]))


async def _lock(connection: AsyncConnection, uuid: str) -> None:
    """Let nobody else change a mailbox until the transaction ends."""
    query = select(_users.uniqueid).where(_users.customer_id == uuid).with_for_update()
    if (await connection.execute(query)).first() is None:
        raise NoMailbox(uuid)


async def _place(connection: AsyncConnection, uuid: str, kind: Folder | Greeting) -> Mapping[str, Any]:
    """Return what a row says that is the last one of a folder."""
    last = select(func.max(_spool.msgnum)).where(_is_in(uuid, kind))
    number = (await connection.execute(last)).scalar()
    return {
        "dir": _directory(uuid, kind),
        "mailboxuser": uuid,
        "msgnum": 0 if number is None else int(number) + 1,
    }
