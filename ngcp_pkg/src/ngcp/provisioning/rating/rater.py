"""Rating, a pass at a time: what is unrated is rated, with all that follows, in one transaction.

Two raters do not hinder each other: each takes records that the other has not, and who pays is locked in the
order of contracts. What a crash leaves behind is unrated, and nothing was taken for it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ngcp.provisioning import changes
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.rating.balances import Times, load_accounts, save_statement
from ngcp.provisioning.rating.book import Book
from ngcp.provisioning.rating.cdrs import Record, save_failures, save_rated, take_unrated
from ngcp.provisioning.rating.contracts import load_payers, lock_contracts
from ngcp.provisioning.rating.limits import describe, locking
from ngcp.provisioning.rating.locks import lift_locks, lock_subscribers
from ngcp.provisioning.rating.profiles import Fetch, Profiles
from ngcp.rating.charge import MS
from ngcp.rating.errors import RatingError
from ngcp.rating.shares import shares_of

_log = logging.getLogger(__name__)

#: Call records in one transaction.
MOST: Final = 500


class Pass(NamedTuple):
    """What a pass came to."""

    rated: int
    failed: int
    changed: frozenset[str]
    """What the proxy has to forget (`ngcp.provisioning.changes`)."""
    is_full: bool = False
    """Whether there may be more."""


class Rater:
    """Rates what is unrated."""

    def __init__(self, engine: AsyncEngine, most: int = MOST) -> None:
        self._engine = engine
        self._most = most
        self._profiles = Profiles()

    async def work(self, now: float) -> Pass:
        """Rate what there is, up to so many records; raises DatabaseUnavailable, then nothing was done."""
        async with transaction(self._engine) as connection:
            changes.take(connection)  # of one that failed
            fetch = fetching(connection)
            records = await take_unrated(fetch, self._most)
            reasons = await self._rate(connection, records, now) if records else {}
            await lift_locks(connection, now)
            changed = changes.take(connection)
        for number, reason in reasons.items():
            _log.error("call record %d is not rated: %s", number, reason)
        is_full = len(records) == self._most
        return Pass(len(records) - len(reasons), len(reasons), changed, is_full)

    async def _rate(
        self, connection: AsyncConnection, records: Sequence[Record], now: float
    ) -> Mapping[int, str]:
        """Rate these records; return why some cannot be, by their numbers."""
        fetch = fetching(connection)
        book = await self._open(fetch, records)
        reasons: dict[int, str] = {}
        for record in records:
            try:
                book.rate(record)
            except RatingError as error:
                reasons[record.call.id] = str(error)
        await save_rated(fetch, [one for one in records if one.call.id not in reasons], now)
        await save_failures(fetch, reasons, now)
        statement = save_statement(book.changed())
        if statement is not None:
            await fetch(statement)
        reached = await book.sums.save(fetch, now)
        for period, spent in reached:
            _log.warning("%s", describe(period, spent))
        for period, spent in locking(reached, now):
            await lock_subscribers(connection, period, spent)
        return reasons

    async def _open(self, fetch: Fetch, records: Sequence[Record]) -> Book:
        times = _times(records)
        await lock_contracts(fetch, times.keys())
        payers = await load_payers(fetch, times.keys())
        numbers = {mapping.profile for payer in payers.values() for mapping in payer.contract.mappings}
        profiles = await self._profiles.load(fetch, numbers)
        known = {number: times[number] for number in payers}
        return Book(payers, profiles, await load_accounts(fetch, payers, known, profiles))


def fetching(connection: AsyncConnection) -> Fetch:
    """Return what runs statements on a connection."""

    async def fetch(statement: str) -> Sequence[Sequence[Any]]:
        result = await connection.exec_driver_sql(statement)
        return result.fetchall() if result.returns_rows else ()

    return fetch


def _times(records: Iterable[Record]) -> dict[int, Times]:
    """Return from when to when the calls last that each contract pays for."""
    times: dict[int, Times] = {}
    for record in records:
        talk = record.call.talk
        first, last = talk.start // MS, (talk.start + talk.duration) // MS
        for share in shares_of(record.call):
            known = times.get(share.contract, (first, last))
            times[share.contract] = min(first, known[0]), max(last, known[1])
    return times
