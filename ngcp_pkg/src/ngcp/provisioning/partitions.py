"""The months of `accounting.cdr`: partitions made before their month begins, dropped when it is long over.

Each is named for its month (`p202612`) and ends with it, by UTC; the first has everything before, too. `pmax`
takes what no month was made for: it is empty unless nobody has looked after the months.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from sqlalchemy import Connection, text

TABLE: Final = "accounting.cdr"
_NAME: Final = re.compile(r"p(\d{4})(\d{2})")
_REST: Final = "pmax"
_REST_CLAUSE: Final = f"PARTITION {_REST} VALUES LESS THAN MAXVALUE"
#: Asks for the names that `read_months` reads.
LIST: Final = (
    "SELECT partition_name FROM information_schema.partitions"
    " WHERE table_schema = 'accounting' AND table_name = 'cdr'"
)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month by UTC."""

    year: int
    month: int

    @classmethod
    def at(cls, unix: float) -> Self:
        """Return the month in which that time is."""
        moment = datetime.fromtimestamp(unix, UTC)
        return cls(moment.year, moment.month)

    def later(self, months: int) -> "Month":
        """Return the month so many later, or earlier if negative."""
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)

    @property
    def end(self) -> int:
        """Unix time at which it is over."""
        following = self.later(1)
        return int(datetime(following.year, following.month, 1, tzinfo=UTC).timestamp())

    @property
    def partition(self) -> str:
        """The partition's name."""
        return f"p{self.year:04}{self.month:02}"

    @property
    def clause(self) -> str:
        """How it is made."""
        return f"PARTITION {self.partition} VALUES LESS THAN ({self.end})"


def months_of(connection: Connection) -> Sequence[Month]:
    """Return the months that have a partition, in their order."""
    return read_months(str(name) for name in connection.execute(text(LIST)).scalars())


def read_months(names: Iterable[str]) -> Sequence[Month]:
    """Return the months among the names of partitions, in their order."""
    matches = (_NAME.fullmatch(name) for name in names)
    return sorted(Month(int(match[1]), int(match[2])) for match in matches if match)


def missing_months(known: Sequence[Month], this: Month, ahead: int) -> Sequence[Month]:
    """Return what follows those `known`, up to `ahead` months after this one."""
    month, missing = known[-1].later(1) if known else this, []
    while month <= this.later(ahead):
        missing.append(month)
        month = month.later(1)
    return missing


def statement_for(missing: Sequence[Month]) -> str:
    """Return the statement that makes months; there is one at least."""
    clauses = ", ".join([*(month.clause for month in missing), _REST_CLAUSE])
    return f"ALTER TABLE {TABLE} REORGANIZE PARTITION {_REST} INTO ({clauses})"


def make_months(connection: Connection, now: float, ahead: int) -> Iterator[str]:
    """Make what is missing up to `ahead` months after this one; yield what was made."""
    missing = missing_months(months_of(connection), Month.at(now), ahead)
    if missing:
        connection.execute(text(statement_for(missing)))
    for month in missing:
        yield f"{TABLE}: {month.partition} made"


def drop_months(connection: Connection, now: float, keep: int) -> Iterator[str]:
    """Drop those more than `keep` months before this one, with their CDRs; yield what was done.

    One with CDRs that still have to be exported stays.
    """
    last = Month.at(now).later(-keep - 1)
    for month in months_of(connection):
        if month > last:
            return
        waiting = f"SELECT COUNT(*) FROM {TABLE} PARTITION ({month.partition})"
        count = connection.execute(text(f"{waiting} WHERE export_status = 'unexported'")).scalar_one()
        if count:
            yield f"{TABLE}: {month.partition} stays, {count} CDRs are not exported"
        else:
            connection.execute(text(f"ALTER TABLE {TABLE} DROP PARTITION {month.partition}"))
            yield f"{TABLE}: {month.partition} dropped"


def first_moment(connection: Connection) -> int:
    """Return the Unix time before which there is no CDR any more: the begin of the first month."""
    months = months_of(connection)
    return months[0].later(-1).end if months else 0
