"""Wake-up calls that are due, and which attempts were made: the mark in MariaDB that lets none be made twice.

`look` writes down what has become due, once, whoever looks and however often; `take` gives an attempt to one
app server only, and says so before the call begins: one that dies with it makes no second one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ngcp.provisioning.engine import transaction
from ngcp.provisioning.preferences.effective import preferences_of
from ngcp.provisioning.reminder_schedule import EVERY_DAY, WEEKDAYS, Plan, clock_ranges, last_due
from ngcp.provisioning.tables import kamailio
from ngcp.provisioning.tables.features import voip_reminder, voip_reminder_calls, voip_reminder_rounds
from ngcp.provisioning.tables.provisioning import voip_subscribers

#: The row of `voip_reminder_rounds`.
_ROUND: Final = 1
#: Reminders that are looked at in one transaction: a few milliseconds of work.
PAGE: Final = 50


class Wakeup(NamedTuple):
    """One attempt of a call."""

    reminder: int
    due: float
    """Unix time."""
    attempt: int
    """1 is the first."""
    planned: float
    """When it was to be made."""
    uuid: str
    username: str
    domain: str
    language: str = "en"
    """In which prompts are said to him."""
    sound_set: int = 0
    """Where his sounds are; 0: nowhere."""

    @property
    def name(self) -> str:
        """The address-of-record."""
        return f"{self.username}@{self.domain}"


@dataclass(slots=True)
class Found:
    """What a look found."""

    due: int = 0
    """How many calls were written down."""
    missed: list[tuple[str, float]] = field(default_factory=list)
    """Whose calls, and of when, are too late to be made now."""


class Round(NamedTuple):
    """One look at what has become due."""

    since: float
    """Up to when others have looked."""
    until: float
    late: float
    """Seconds by which a call may be late."""

    @property
    def begin(self) -> float:
        """What became due before is too late."""
        return max(self.since, self.until - self.late)


async def look(engine: AsyncEngine, now: float, late: float, weekdays: Collection[int] = WEEKDAYS) -> Found:
    """Write down what has become due since the last look, but nothing that is older than `late` seconds.

    A reminder that does not recur is inactive from then on. However many are due in the same minute, each
    transaction is a small one; whoever dies between two of them is no matter, as the next look begins where
    this one did, and what was written down before is not again.
    """
    found = Found()
    async with transaction(engine) as connection:
        round_ = await begin_round(connection, now, late)
        times = [] if round_ is None else await _times(connection, round_)
    if round_ is None:
        return found
    for at in times:
        last: int | None = 0
        while last is not None:
            async with transaction(engine) as connection:
                last = await look_at(connection, round_, weekdays, (at, last), found)
    async with transaction(engine) as connection:
        rounds, until = voip_reminder_rounds, _write(round_.until)
        mine = and_(rounds.c.id == _ROUND, rounds.c.checked < until)
        await connection.execute(update(rounds).where(mine).values(checked=until))
    return found


async def look_at(
    connection: AsyncConnection,
    round_: Round,
    weekdays: Collection[int],
    place: tuple[time, int],
    found: Found,
) -> int | None:
    """Look at a page of those who are woken at the same time of day, behind a place; return its last one.

    None: there are no more of them.
    """
    since, begin, until = round_.since, round_.begin, round_.until
    due: dict[int, float] = {}
    over: list[int] = []
    rows = await _plans(connection, weekdays, place)
    for row, plan in rows:
        when = last_due(plan, begin, until)
        missed = last_due(plan, since, begin) if when is None and since < begin else None
        if when is not None:
            due[row.id] = when
        elif missed is not None:
            found.missed.append((f"{row.username}@{row.domain}", missed))
        if row.recur == "never" and (when is not None or missed is not None):
            over.append(row.id)
    found.due += len(due)
    await _note(connection, due)
    if over:
        mine = voip_reminder.c.id.in_(over)
        await connection.execute(update(voip_reminder).where(mine).values(active=0))
    return rows[-1][0].id if len(rows) == PAGE else None


async def take(connection: AsyncConnection, now: float, most: int) -> Sequence[Wakeup]:
    """Return attempts that are to be made by now, `most` at most; they are nobody else's any more."""
    calls, accounts, copy = voip_reminder_calls.c, voip_subscribers.c, kamailio.subscriber.c
    query = select(calls.reminder_id, calls.next_attempt).where(calls.next_attempt <= _write(now))
    rows = await connection.execute(query.order_by(calls.next_attempt).limit(most).with_for_update())
    planned = {int(row.reminder_id): _read(row.next_attempt) for row in rows}
    if not planned:
        return []
    taken = calls.reminder_id.in_(planned)
    changed = update(voip_reminder_calls).where(taken)
    await connection.execute(changed.values(attempts=calls.attempts + 1, next_attempt=None))
    wanted = (
        select(calls.reminder_id, calls.due, calls.attempts, copy.uuid, copy.username, copy.domain)
        .join_from(voip_reminder_calls, voip_reminder, voip_reminder.c.id == calls.reminder_id)
        .join(voip_subscribers, accounts.id == voip_reminder.c.subscriber_id)
        .join(kamailio.subscriber, copy.uuid == accounts.uuid)
        .where(taken, or_(voip_reminder.c.active != 0, voip_reminder.c.recur == "never"))
        .order_by(calls.reminder_id)
    )
    found = [
        Wakeup(number, _read(due), attempt, planned[number], *who)
        for number, due, attempt, *who in await connection.execute(wanted)
    ]
    wishes = await preferences_of(connection, [wakeup.uuid for wakeup in found], ("language", "sound_set"))
    return [_prompted(wakeup, wishes[wakeup.uuid]) for wakeup in found]


def _prompted(wakeup: Wakeup, wishes: Mapping[str, str]) -> Wakeup:
    sound_set = wishes.get("sound_set", "")
    return wakeup._replace(
        language=wishes.get("language", wakeup.language),
        sound_set=int(sound_set) if sound_set.isdecimal() else 0,
    )


async def try_again(connection: AsyncConnection, wakeup: Wakeup, when: float) -> None:
    """Let another attempt follow one that failed."""
    calls = voip_reminder_calls.c
    mine = and_(
        calls.reminder_id == wakeup.reminder,
        calls.due == _write(wakeup.due),
        calls.attempts == wakeup.attempt,
        calls.next_attempt.is_(None),
    )
    await connection.execute(update(voip_reminder_calls).where(mine).values(next_attempt=_write(when)))


async def next_attempt(connection: AsyncConnection) -> float | None:
    """Return when the next attempt is to be made that is written down."""
    when = (await connection.execute(select(func.min(voip_reminder_calls.c.next_attempt)))).scalar()
    return None if when is None else _read(when)


async def begin_round(connection: AsyncConnection, now: float, late: float) -> Round | None:
    """Return what is to be looked at; None: nothing.

    Nothing has to be where nobody has looked yet, or on a clock that was wrong: the past is not looked at.
    """
    until, rounds = float(int(now)), voip_reminder_rounds
    query = select(rounds.c.checked).where(rounds.c.id == _ROUND).with_for_update()
    checked = (await connection.execute(query)).scalar()
    if checked is not None and _read(checked) <= until + late:
        since = _read(checked)
        return Round(since, until, late) if since < until else None
    row = {"id": _ROUND, "checked": _write(until)}
    await connection.execute(insert(rounds).values(row).on_duplicate_key_update(checked=row["checked"]))
    return None


async def _times(connection: AsyncConnection, round_: Round) -> Sequence[time]:
    """Return the times of day of which some may be due; after a long pause all there are."""
    clock = voip_reminder.c.time
    query = select(clock).distinct().order_by(clock)
    if round_.since >= round_.begin:
        zones = (await connection.execute(select(kamailio.subscriber.c.timezone).distinct())).scalars().all()
        ends = round_.begin, round_.until
        ranges = dict.fromkeys(pair for zone in zones for pair in clock_ranges(zone, *ends))
        query = query.where(or_(False, *(clock.between(*pair) for pair in ranges)))
    return [_time(value) for value in (await connection.execute(query)).scalars()]


async def _plans(
    connection: AsyncConnection, weekdays: Collection[int], place: tuple[time, int]
) -> Sequence[tuple[Row[Any], Plan]]:
    """Return a page of the active reminders of a time of day, by their numbers, behind one of them."""
    copy, columns = kamailio.subscriber.c, voip_reminder.c
    at, last = place
    page = (
        select(columns.id, columns.time, columns.recur, copy.username, copy.domain, copy.timezone)
        .join_from(voip_reminder, voip_subscribers, voip_subscribers.c.id == columns.subscriber_id)
        .join(kamailio.subscriber, copy.uuid == voip_subscribers.c.uuid)
        .where(columns.time == at, columns.active == 1, columns.id > last)  # as the index has them
        .order_by(columns.id)
        .limit(PAGE)
    )
    days: Mapping[str, Collection[int]] = {"weekdays": weekdays}
    return [
        (row, Plan(_time(row.time), days.get(row.recur, EVERY_DAY), row.timezone))
        for row in await connection.execute(page)
    ]


async def _note(connection: AsyncConnection, due: Mapping[int, float]) -> None:
    """Write down which calls are due, but none that was written down before."""
    if not due:
        return
    statement = insert(voip_reminder_calls)
    new, old = statement.inserted, voip_reminder_calls.c
    is_newer = new.due > old.due
    await connection.execute(
        statement.on_duplicate_key_update(
            [  # MariaDB changes them in this order
                ("attempts", func.if_(is_newer, new.attempts, old.attempts)),
                ("next_attempt", func.if_(is_newer, new.next_attempt, old.next_attempt)),
                ("due", func.greatest(new.due, old.due)),
            ]
        ),
        [
            {"reminder_id": reminder, "due": _write(when), "attempts": 0, "next_attempt": _write(when)}
            for reminder, when in due.items()
        ],
    )


def _time(value: time | timedelta) -> time:
    """Return a time of day; the driver has them as differences."""
    return value if isinstance(value, time) else (datetime.min + value).time()


def _read(value: datetime) -> float:
    return value.replace(tzinfo=UTC).timestamp()


def _write(value: float) -> datetime:
    return datetime.fromtimestamp(value, UTC).replace(tzinfo=None, microsecond=0)
