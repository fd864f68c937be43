"""News of mailboxes: whoever changes one says so in the same transaction, and the app server tells it.

What changed is told to telephones by `take_notices`; a message that was left, to whom the mailbox names, by
letters that wait until a mail server took them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, case, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects.mysql import insert as insert_or_update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables.kamailio import dbaliases, subscriber, voicemail_spool, voicemail_users
from ngcp.provisioning.tables.voicemail_news import voicemail_mails, voicemail_notices

#: Folders of messages that were not heard, and of those that were; all else in the spool are greetings.
NEW: Final = "INBOX"
OLD: Final = ("Old", "Work", "Family", "Friends")

_mails, _spool, _users = voicemail_mails.c, voicemail_spool.c, voicemail_users.c


class Waiting(NamedTuple):
    """What waits in a mailbox."""

    username: str
    domain: str
    new: int
    old: int


class Mail(NamedTuple):
    """A letter about one message."""

    id: int
    mailbox: str
    message: int
    created: float
    attempts: int
    """This one included."""
    key: str
    """The message's own."""
    caller: str
    time: int
    duration: int
    number: int
    """Place in its folder, from 1 on."""
    email: str
    attach: bool
    delete: bool
    owner: str
    """Name of whom it is for."""
    own_number: str
    timezone: str


# Who changes a mailbox


async def note_change(connection: AsyncConnection, mailbox: str) -> None:
    """Let telephones be told what waits in a mailbox now."""
    row = insert_or_update(voicemail_notices).values(mailbox=mailbox)
    await connection.execute(row.on_duplicate_key_update(mailbox=mailbox))


async def write_mail(connection: AsyncConnection, mailbox: str, message: int) -> None:
    """Let a letter be sent about a message, if the mailbox has a mail address."""
    owner = select(
        _users.customer_id, literal_column(str(int(message))), func.utc_timestamp(), func.utc_timestamp()
    ).where(_users.customer_id == mailbox, _users.email != "")
    columns = ["mailbox", "message", "created", "next_attempt"]
    await connection.execute(insert(voicemail_mails).from_select(columns, owner))


# Who tells telephones


async def take_notices(connection: AsyncConnection, most: int) -> Collection[str]:
    """Return mailboxes that changed, `most` at most; they are nobody else's to tell of."""
    query = select(voicemail_notices.c.mailbox).limit(most).with_for_update()
    found = (await connection.execute(query)).scalars().all()
    if found:
        await connection.execute(delete(voicemail_notices).where(voicemail_notices.c.mailbox.in_(found)))
    return found


async def what_waits(connection: AsyncConnection, mailboxes: Collection[str]) -> Mapping[str, Waiting]:
    """Return what waits in mailboxes, by UUID; one whose subscriber is gone is left out."""
    folder = func.substring_index(_spool.dir, "/", -1)
    counts = [func.sum(case((folder.in_(names), 1), else_=0)) for names in ((NEW,), OLD)]
    query = (
        select(subscriber.c.uuid, subscriber.c.username, subscriber.c.domain, *counts)
        .join_from(subscriber, voicemail_spool, _spool.mailboxuser == subscriber.c.uuid, isouter=True)
        .where(subscriber.c.uuid.in_(mailboxes))
        .group_by(subscriber.c.uuid, subscriber.c.username, subscriber.c.domain)
    )
    rows = await connection.execute(query)
    return {uuid: Waiting(username, domain, int(new), int(old)) for uuid, username, domain, new, old in rows}


# Who sends letters


async def take_mails(connection: AsyncConnection, now: float, lease: float, most: int) -> Sequence[Mail]:
    """Return letters that are to be sent by now, `most` at most; for `lease` seconds they are nobody else's.

    A letter that nobody wants any more, as its message or the mail address is gone, is forgotten.
    """
    due = select(_mails.id).where(_mails.next_attempt <= _write(now)).order_by(_mails.next_attempt)
    taken = (await connection.execute(due.limit(most).with_for_update())).scalars().all()
    if not taken:
        return []
    mine = _mails.id.in_(taken)
    leased = {"attempts": _mails.attempts + 1, "next_attempt": _write(now + lease)}
    await connection.execute(update(voicemail_mails).where(mine).values(**leased))
    found = [_mail(row) for row in (await connection.execute(_LETTERS.where(mine))).mappings()]
    gone = set(taken) - {mail.id for mail in found}
    if gone:
        await connection.execute(delete(voicemail_mails).where(_mails.id.in_(gone)))
    return found


async def mail_was_sent(connection: AsyncConnection, mail: Mail) -> None:
    """Forget a letter, and its message where the mailbox wants that and it went along."""
    await connection.execute(delete(voicemail_mails).where(_mails.id == mail.id))
    if mail.delete and mail.attach:
        here = _spool.id == mail.message, _spool.mailboxuser == mail.mailbox
        if (await connection.execute(delete(voicemail_spool).where(*here))).rowcount:
            await note_change(connection, mail.mailbox)


async def mail_waits(connection: AsyncConnection, mail: Mail, until: float | None) -> None:
    """Let a letter wait; None: it is given up, and its message stays."""
    mine = _mails.id == mail.id
    if until is None:
        await connection.execute(delete(voicemail_mails).where(mine))
    else:
        await connection.execute(update(voicemail_mails).where(mine).values(next_attempt=_write(until)))


_own_number = (
    select(func.min(dbaliases.c.alias_username))
    .where(
        dbaliases.c.username == subscriber.c.username,
        dbaliases.c.domain == subscriber.c.domain,
        dbaliases.c.is_primary != 0,
    )
    .scalar_subquery()
)
_LETTERS: Final = (
    select(
        *(_mails.id, _mails.mailbox, _mails.message, _mails.created, _mails.attempts),
        *(_spool.msg_id, _spool.callerid, _spool.origtime, _spool.duration, _spool.msgnum),
        *(_users.email, _users.attach, _users.delete, _users.fullname, _users.tz),
        *(subscriber.c.username, subscriber.c.timezone, _own_number.label("own_number")),
    )
    .join_from(voicemail_mails, voicemail_users, _users.customer_id == _mails.mailbox)
    .join(voicemail_spool, and_(_spool.id == _mails.message, _spool.mailboxuser == _mails.mailbox))
    .join(subscriber, subscriber.c.uuid == _mails.mailbox)
    .where(_users.email != "")
    .order_by(_mails.id)
)


def _mail(row: Mapping[Any, Any]) -> Mail:
    return Mail(
        row["id"],
        row["mailbox"],
        row["message"],
        row["created"].replace(tzinfo=UTC).timestamp(),
        row["attempts"],
        row["msg_id"] or str(row["message"]),
        row["callerid"],
        row["origtime"],
        row["duration"],
        row["msgnum"] + 1,
        row["email"],
        row["attach"] == "yes",
        row["delete"] == "yes",
        row["fullname"] or row["username"],
        row["own_number"] or row["username"],
        row["tz"] or row["timezone"],
    )


def _write(value: float) -> datetime:
    return datetime.fromtimestamp(value, UTC).replace(tzinfo=None, microsecond=0)
