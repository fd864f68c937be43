"""Wake-up calls in MariaDB: written down once, made once, whoever looks and whatever dies."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, time
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ngcp.provisioning import reminder_calls
from ngcp.provisioning.engine import DatabaseUnavailable, connect, transaction
from ngcp.provisioning.reminder_calls import (
    Found,
    Round,
    Wakeup,
    look,
    look_at,
    next_attempt,
    take,
    try_again,
)
from ngcp.provisioning.reminder_schedule import WEEKDAYS
from private_mariadb import Server

NIGHT = datetime(2026, 1, 10, 3, 0, tzinfo=UTC).timestamp()  # a Saturday
SIX = NIGHT + 3 * 3600.0
LATE = 300.0

Result = TypeVar("Result")


def run(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    async def once() -> Result:
        try:
            async with transaction(engine) as connection:
                return await work(connection)
        finally:
            await engine.dispose()

    return asyncio.run(once())


class Book:
    """The tables, as app servers see them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.engine = connect(server.socket, server.user, 5.0)

    def order(self, number: int, clock: str, recur: str = "always", active: int = 1) -> None:
        self.server.run(
            "INSERT INTO provisioning.voip_reminder (id, subscriber_id, time, recur, active)"
            f" VALUES ({number}, {number}, '{clock}', '{recur}', {active})"
        )

    def look(self, now: float, late: float = LATE) -> Found:
        async def once() -> Found:
            try:
                return await look(self.engine, now, late)
            finally:
                await self.engine.dispose()

        return asyncio.run(once())

    def take(self, now: float, most: int = 20) -> Sequence[Wakeup]:
        return run(self.engine, lambda connection: take(connection, now, most))

    def try_again(self, wakeup: Wakeup, when: float) -> None:
        run(self.engine, lambda connection: try_again(connection, wakeup, when))

    def next(self) -> float | None:
        return run(self.engine, next_attempt)

    def active(self) -> list[object]:
        rows = self.server.run("SELECT active FROM provisioning.voip_reminder ORDER BY id")
        return [row[0] for row in rows]


@pytest.fixture
def book(database: Server) -> Iterator[Book]:
    """Subscribers 1 to 9 of example.org: the first three in Vienna, the others in UTC."""
    database.run(
        "INSERT INTO provisioning.voip_domains (id, domain) VALUES (7, 'example.org')",
        "INSERT INTO provisioning.voip_subscribers (id, username, domain_id, uuid, password)"
        " SELECT seq, CONCAT('s', seq), 7, CONCAT('u', seq), '' FROM kamailio.seq_1_to_9",
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
        " SELECT CONCAT('s', seq), 'example.org', '', '', '', CONCAT('u', seq), IF(seq < 4, 'Europe/Vienna',"
        " 'UTC') FROM kamailio.seq_1_to_9",
    )
    book = Book(database)
    book.look(NIGHT)
    yield book


def names(wakeups: Sequence[Wakeup]) -> list[str]:
    return [wakeup.username for wakeup in wakeups]


def test_due_calls_are_taken_at_their_time(book: Book) -> None:
    book.order(1, "06:00:00")
    book.order(4, "06:00:00")

    assert book.look(SIX - 3610).due == 0
    assert book.look(SIX - 3600).due == 1  # 06:00 in Vienna
    assert book.next() == SIX - 3600
    assert book.take(SIX - 3600) == [Wakeup(1, SIX - 3600, 1, SIX - 3600, "u1", "s1", "example.org")]
    for now in range(int(SIX) - 3590, int(SIX), 10):
        book.look(float(now), 60.0)
    assert book.look(SIX).due == 1
    assert names(book.take(SIX)) == ["s4"]
    assert (book.take(SIX), book.next()) == ([], None)


def test_recurrence(book: Book) -> None:
    """The 10th is a Saturday."""
    for number, recur in enumerate(("always", "weekdays", "never"), 4):
        book.order(number, "06:00:00", recur)
    book.order(7, "06:00:00", active=0)
    taken = []
    for day in range(3):
        now = SIX + day * 86400
        book.look(now - 60)
        book.look(now)
        taken.append(names(book.take(now)))
    assert taken == [["s4", "s6"], ["s4"], ["s4", "s5"]]
    assert book.active() == [1, 1, 0, 0]


def test_nobody_is_called_twice_however_many_look(book: Book) -> None:
    for number in range(1, 10):
        book.order(number, "06:00:00")

    async def both() -> list[Sequence[Wakeup]]:
        engines = [connect(book.server.socket, book.server.user, 5.0) for _ in range(4)]

        async def serve(engine: AsyncEngine) -> list[Wakeup]:
            mine: list[Wakeup] = []
            for step in range(5):
                await look(engine, SIX + step, LATE)
                async with transaction(engine) as connection:
                    mine += await take(connection, SIX + step, 2)
            return mine

        found = await asyncio.gather(*map(serve, engines))
        for engine in engines:
            await engine.dispose()
        return list(found)

    book.look(SIX - 1)
    taken = [wakeup for mine in asyncio.run(both()) for wakeup in mine]
    assert sorted(names(taken)) == [f"s{number}" for number in range(4, 10)]


def test_crash_before_the_call_makes_no_second_one(book: Book) -> None:
    """Whoever took it is gone: nobody knows whether it rang."""
    book.order(4, "06:00:00")
    book.look(SIX - 10)
    book.look(SIX)
    assert names(book.take(SIX)) == ["s4"]
    for later in (10, 70, 250):
        book.look(SIX + later)
        assert book.take(SIX + later) == []


def test_crash_while_looking_loses_nobody_and_calls_nobody_twice(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks dies between two pages, and between two statements of the second one."""
    monkeypatch.setattr(reminder_calls, "PAGE", 2)
    for number in range(4, 10):
        book.order(number, "06:00:00", "never" if number % 2 else "always")
    book.look(SIX - 10)
    round_, at = Round(SIX - 10, SIX, LATE), time(6)

    async def first_page(connection: AsyncConnection) -> None:
        assert await look_at(connection, round_, WEEKDAYS, (at, 0), Found()) == 5

    async def die_in_the_second(connection: AsyncConnection) -> None:
        await look_at(connection, round_, WEEKDAYS, (at, 5), Found())
        raise InterruptedError

    run(book.engine, first_page)
    with pytest.raises(DatabaseUnavailable):
        run(book.engine, die_in_the_second)
    assert names(book.take(SIX)) == ["s4", "s5"]
    assert book.look(SIX + 10).due == 5, "the first one is looked at again, but not written down again"
    assert names(book.take(SIX + 10)) == ["s6", "s7", "s8", "s9"]
    assert book.take(SIX + 20) == []
    assert book.active() == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("page", [1, 2, 3, 6, 7])
def test_however_many_are_due_in_the_same_minute(
    book: Book, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Pages of any size lose nobody; those of other minutes are no part of them."""
    monkeypatch.setattr(reminder_calls, "PAGE", page)
    for number in range(4, 10):
        book.order(number, f"06:00:0{number % 2}")
    book.order(1, "06:00:00")
    book.order(2, "07:00:00")
    book.look(SIX - 10)
    assert book.look(SIX + 2).due == 7
    assert sorted(names(book.take(SIX + 2))) == ["s2", *(f"s{number}" for number in range(4, 10))]


def test_a_look_that_ends_late_takes_nothing_back(book: Book) -> None:
    """Another one has looked further meanwhile: what is ordered then for a moment ago is for tomorrow."""
    book.look(SIX)
    book.look(SIX + 60)
    book.look(SIX + 30)
    book.order(4, "06:00:45")
    assert book.look(SIX + 70).due == 0


def test_further_attempts(book: Book) -> None:
    book.order(4, "06:00:00", "never")
    book.look(SIX - 10)
    book.look(SIX)
    (first,) = book.take(SIX)

    book.try_again(first, SIX + 90)

    assert book.take(SIX + 89) == []
    (second,) = book.take(SIX + 90)
    assert (second.attempt, second.due, second.planned) == (2, SIX, SIX + 90)
    book.try_again(first, SIX + 100)  # too late: it is not the last one
    assert book.take(SIX + 200) == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM provisioning.voip_reminder",
        "UPDATE provisioning.voip_reminder SET active = 0",
        "DELETE FROM kamailio.subscriber",
    ],
    ids=["cancelled", "switched off", "terminated"],
)
def test_no_further_attempt_for_who_wants_none(book: Book, change: str) -> None:
    book.order(4, "06:00:00")
    book.look(SIX - 10)
    book.look(SIX)
    (first,) = book.take(SIX)
    book.try_again(first, SIX + 90)

    book.server.run(change)

    assert book.take(SIX + 90) == []


def test_node_that_was_down_for_a_moment_calls_late(book: Book) -> None:
    book.order(4, "06:00:00")
    book.look(SIX - 60)

    assert book.look(SIX + LATE - 1).due == 1

    assert [wakeup.due for wakeup in book.take(SIX + LATE - 1)] == [SIX]


def test_node_that_was_down_for_long_does_not_call(book: Book) -> None:
    book.order(4, "06:00:00")
    book.order(5, "06:00:00", "never")
    book.order(6, "12:00:00")
    book.look(SIX - 60)

    found = book.look(SIX + 2 * LATE)

    assert found == Found(0, [("s4@example.org", SIX), ("s5@example.org", SIX)])
    assert book.take(SIX + 2 * LATE) == []
    assert book.active() == [1, 0, 1]
    assert book.look(SIX + 2 * LATE + 10) == Found()


def test_down_for_days_tells_the_last_one_only(book: Book) -> None:
    book.order(4, "06:00:00")
    assert book.look(SIX + 3 * 86400 + 3600).missed == [("s4@example.org", SIX + 3 * 86400)]


@pytest.mark.parametrize(
    ("day", "rings"),
    [
        ("2026-03-28", "2026-03-28T01:30"),
        ("2026-03-29", "2026-03-29T01:30"),  # 02:30 is left out: 03:30 in Vienna
        ("2026-03-30", "2026-03-30T00:30"),
        ("2026-10-24", "2026-10-24T00:30"),
        ("2026-10-25", "2026-10-25T00:30"),  # 02:30 comes twice: the first one
        ("2026-10-26", "2026-10-26T01:30"),
    ],
)
def test_nights_in_which_clocks_are_set(book: Book, day: str, rings: str) -> None:
    """Somebody in Vienna wants to be woken at 02:30; the node's clock goes through all of the night."""
    book.order(1, "02:30:00")
    begin = datetime.fromisoformat(f"{day}T00:00+00:00").timestamp() - 3600
    book.look(begin)
    made = []
    for step in range(0, 5 * 3600, 240):
        book.look(begin + step)
        made += [wakeup.due for wakeup in book.take(begin + step)]
    assert made == [datetime.fromisoformat(f"{rings}+00:00").timestamp()]


def test_what_is_ordered_for_a_moment_ago_is_for_tomorrow(book: Book) -> None:
    book.look(SIX + 20)
    book.order(4, "06:00:00", "never")
    assert book.look(SIX + 30).due == 0
    assert book.active() == [1]


def test_clock_that_goes_back_calls_nobody_again(book: Book) -> None:
    book.order(4, "06:00:00")
    book.look(SIX - 10)
    book.look(SIX)
    assert names(book.take(SIX)) == ["s4"]
    for now in (SIX - 120, SIX - 60, SIX, SIX + 60):
        assert book.look(now).due == 0
        assert book.take(now) == []


def test_clock_that_was_wrong_by_years_is_forgotten(book: Book) -> None:
    book.look(SIX + 3 * 365 * 86400)
    book.order(4, "06:00:00")
    assert book.look(SIX - 10) == Found()
    assert book.look(SIX).due == 1


def test_first_look_of_all_looks_at_no_past(database: Server, book: Book) -> None:
    database.run("UPDATE provisioning.voip_reminder_rounds SET checked = NULL")
    book.order(4, "06:00:00")
    assert book.look(SIX + 10) == Found()
    database.run("DELETE FROM provisioning.voip_reminder_rounds")
    assert book.look(SIX + 10) == Found()
    assert book.look(SIX + 86400).due == 1


@pytest.mark.parametrize(
    ("before", "rings"),
    [
        ("2026-03-29T01:29:50", 1),
        ("2026-03-29T00:29:50", 0),
        ("2026-10-25T00:29:50", 1),
        ("2026-10-25T01:29:50", 0),
    ],
)
def test_changes_of_the_clocks(book: Book, before: str, rings: int) -> None:
    """02:30 in Vienna is left out in March, and comes twice in October."""
    book.order(1, "02:30:00")
    now = datetime.fromisoformat(before).replace(tzinfo=UTC).timestamp()
    book.server.run(f"UPDATE provisioning.voip_reminder_rounds SET checked = FROM_UNIXTIME({now})")
    assert book.look(now + 10).due == rings


def test_whoever_is_called_hears_it_in_his_language(book: Book) -> None:
    """His own preference, else his profile's, else his domain's."""
    for number in (4, 5, 6):
        book.order(number, "06:00:00")
    book.server.run(
        "INSERT INTO kamailio.dom_preferences (domain, attribute, value)"
        " VALUES ('example.org', 'language', 'de')",
        "INSERT INTO kamailio.prof_preferences (uuid, attribute, value) VALUES ('3', 'language', 'fr')",
        "INSERT INTO kamailio.usr_preferences (uuid, attribute, value) VALUES ('u6', 'language', 'es'),"
        " ('u6', 'sound_set', '12')",
    )
    book.server.run(
        "SET FOREIGN_KEY_CHECKS = 0",
        "UPDATE provisioning.voip_subscribers SET profile_id = 3 WHERE id IN (5, 6)",
        "SET FOREIGN_KEY_CHECKS = 1",
    )
    book.look(SIX - 10)
    book.look(SIX)
    heard = {wakeup.username: (wakeup.language, wakeup.sound_set) for wakeup in book.take(SIX)}
    assert heard == {"s4": ("de", 0), "s5": ("fr", 0), "s6": ("es", 12)}
