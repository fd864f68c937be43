"""CDRs, searched: by whose they are and what became of them, a page at a time.

Somebody's calls are those from him and those to him: each side has an index, which gives the few keys of a
page before any row is read. So a page costs what it shows, however many calls there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.parties import Party
from ngcp.provisioning.refusals import BadListing, InvalidValue
from ngcp.provisioning.store import Listing, matches
from ngcp.provisioning.tables.accounting import CALL_STATUSES, CALL_TYPES, cdr, cdr_mos_data

Row = Mapping[str, Any]

#: What a list can be ordered by.
ORDERS: Final = ("id", "init_time", "start_time", "duration", "call_id")
#: Calls that are counted: that a list has more of them is all that is told of a longer one.
COUNTED: Final = 100_000
#: The index of each side's calls of somebody, by his column.
_INDEXES: Final = {"user_id": "uid", "account_id": "aid", "provider_id": "pid"}
#: Filters that are one or more of some words: the column, and the words.
_CHOICES: Final[Mapping[str, tuple[ColumnElement[Any], Sequence[str]]]] = {
    "status": (cdr.c.call_status, CALL_STATUSES),
    "type": (cdr.c.call_type, CALL_TYPES),
    "rating_status": (cdr.c.rating_status, ("unrated", "ok", "failed")),
    "export_status": (cdr.c.export_status, ("unexported", "ok", "failed")),
}
_MOMENTS: Final[Mapping[str, ColumnElement[Any]]] = {"start": cdr.c.start_time, "init": cdr.c.init_time}
DIRECTIONS: Final = ("in", "out")

#: Filters that are a condition each, whoever's calls they are.
FILTERS: Final = (
    "id",
    "call_id",
    "call_code",
    *(f"{name}{end}" for name in _CHOICES for end in ("", "_ne")),
    *(f"{name}{end}" for name in _MOMENTS for end in ("_ge", "_le")),
)
#: Filters that ask whose calls they are first.
OWN_FILTERS: Final = ("direction", "own_cli")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of CDRs."""

    rows: Sequence[Row]
    total: int | None
    """How many there are in all; None: not asked for, or more than `COUNTED`."""
    has_more: bool
    """Whether there are further ones."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which CDRs are wanted."""

    listing: Listing
    party: Party | None = None
    zone: tzinfo | None = None
    """In which times are meant; None is UTC."""

    async def page(self, connection: AsyncConnection) -> Found:
        """Return the page; raises BadListing and InvalidValue."""
        wanted = self.listing
        rows = [dict(row) for row in (await connection.execute(self.query())).mappings()]
        total = await self._count(connection) if wanted.counted else None
        return Found(rows[: wanted.rows], total, len(rows) > wanted.rows)

    def query(self) -> Select[Any]:
        """Ask for the page, and one row more."""
        start = (self.listing.page - 1) * self.listing.rows
        keys = self._part(start, self.listing.rows + 1).subquery("found")
        return (
            select(cdr, *(column for column in cdr_mos_data.c if not column.primary_key))
            .join_from(keys, cdr, and_(cdr.c.id == keys.c.id, cdr.c.start_time == keys.c.start_time))
            .outerjoin(
                cdr_mos_data,
                and_(cdr_mos_data.c.cdr_id == keys.c.id, cdr_mos_data.c.cdr_start_time == keys.c.start_time),
            )
            .order_by(*self._order(keys.c))
        )

    def keys(self, most: int) -> Select[Any]:
        """Ask for the keys of the first so many."""
        return self._part(0, most)

    async def _count(self, connection: AsyncConnection) -> int | None:
        branches = [branch.limit(COUNTED + 1) for branch in self._branches()]
        query = select(func.count()).select_from(_together(branches))
        total = int((await connection.execute(query)).scalar_one())
        return total if total <= COUNTED else None

    def _part(self, start: int, rows: int) -> Select[Any]:
        """Ask for the keys of a page: of each side no more than it can have of it."""
        branches = self._branches()
        if len(branches) > 1:
            branches = [branch.order_by(*self._order(cdr.c)).limit(start + rows) for branch in branches]
            together = _together(branches)
            return select(together).order_by(*self._order(together.c)).offset(start).limit(rows)
        return branches[0].order_by(*self._order(cdr.c)).offset(start).limit(rows)

    def _order(self, columns: Any) -> list[ColumnElement[Any]]:  # noqa: ANN401 - of a table or of a part of it
        if self.listing.order_by not in ORDERS:
            known = ", ".join(ORDERS)
            raise BadListing(f"Invalid order_by '{self.listing.order_by}', must be one of {known}.")
        ordered = [columns[name] for name in dict.fromkeys((self.listing.order_by, "id"))]
        return [column.desc() if self.listing.descending else column.asc() for column in ordered]

    def _branches(self) -> list[Select[Any]]:
        """Ask for the keys of all CDRs that are wanted, once for each side that they may be on."""
        filters = self.listing.filters
        keys = select(*(cdr.c[name] for name in dict.fromkeys(("id", "start_time", self.listing.order_by))))
        keys = keys.where(*conditions(filters, self.zone))
        if self.party is None:
            return [keys]
        direction = filters.get("direction")
        return [
            self._of_side(keys, side, direction, self.party)
            for side, its in (("source", "out"), ("destination", "in"))
            if direction in (None, its)
        ]

    def _of_side(self, keys: Select[Any], side: str, direction: str | None, party: Party) -> Select[Any]:
        """Ask for those with somebody at that side; a call within what is his goes out."""
        query = keys.where(cdr.c[f"{side}_{party.column}"] == party.value)
        if side == "destination" and direction is not None:
            query = query.where(cdr.c.id.not_in(_calls_from(party)))
        own = self.listing.filters.get("own_cli")
        if own is not None:
            query = query.where(matches("own_cli", cdr.c[OWN_NUMBERS[side]], own))
        return query.with_hint(cdr, _by_index(side, party), "mysql")


#: What a side's own number is.
OWN_NUMBERS: Final = {"source": "source_cli", "destination": "destination_user_in"}


def _by_index(side: str, party: Party) -> str:
    return f"USE INDEX ({side[0]}{_INDEXES[party.column]}_start_idx)"


def _calls_from(party: Party) -> Select[Any]:
    """Ask for the row numbers of all calls from somebody: an index has them."""
    own = cdr.alias()
    query = select(own.c.id).where(own.c[f"source_{party.column}"] == party.value)
    return query.with_hint(own, _by_index("source", party), "mysql")


def _together(branches: Sequence[Select[Any]]) -> Any:  # noqa: ANN401 - a subquery of whatever columns
    """Return all that the branches find, each once."""
    if len(branches) == 1:
        return branches[0].subquery()
    return union(*(select(branch.subquery()) for branch in branches)).subquery()


def conditions(filters: Mapping[str, str], zone: tzinfo | None) -> list[ColumnElement[bool]]:
    """Return those that hold whoever's calls are meant; raises BadListing and InvalidValue."""
    for name in filters:
        if name not in FILTERS and name not in OWN_FILTERS:
            known = ", ".join((*FILTERS, *OWN_FILTERS))
            raise BadListing(f"Unknown query parameter '{name}', must be one of {known}.")
    if "direction" in filters:
        one_of("direction", filters["direction"], DIRECTIONS)
    return [_condition(name, text, zone) for name, text in filters.items() if name in FILTERS]


async def find_cdr(connection: AsyncConnection, number: int, party: Party | None) -> Row | None:
    """Return one CDR, if it is somebody's."""
    search = Search(Listing(rows=1, filters={"id": str(number)}, counted=False))
    rows = (await search.page(connection)).rows
    if not rows or not (party is None or any(party.is_at(side, rows[0]) for side in OWN_NUMBERS)):
        return None
    return rows[0]


def _condition(name: str, text: str, zone: tzinfo | None) -> ColumnElement[bool]:
    stem, _, end = name.rpartition("_")
    if stem in _MOMENTS:
        unix = moment(name, text, zone, is_end=end == "le")
        return _MOMENTS[stem] >= unix if end == "ge" else _MOMENTS[stem] <= unix
    if name == "id":
        if not (text.isascii() and text.isdigit()):
            raise InvalidValue(name, text, "a number expected")
        return cdr.c.id == int(text[:20])
    plain = name.removesuffix("_ne")
    if plain in _CHOICES:
        column, known = _CHOICES[plain]
        values = [one_of(name, value, known) for value in text.split(",")]
        return column.not_in(values) if name != plain else column.in_(values)
    return matches(name, cdr.c[name], text)


def one_of(name: str, text: str, known: Sequence[str]) -> str:
    """Return a text that is one of those; raises InvalidValue."""
    if text not in known:
        raise InvalidValue(name, text, f"must be one of {', '.join(known)}")
    return text


def moment(name: str, text: str, zone: tzinfo | None, *, is_end: bool) -> Decimal:
    """Return the Unix time that a text means; a day without time ends, as an end, with its last second."""
    try:
        read = datetime.fromisoformat(text)
        if is_end and len(text) <= len("2026-01-01"):
            read = datetime.combine(read, time(23, 59, 59, 999_000))
        if read.tzinfo is None:
            read = read.replace(tzinfo=zone or UTC)
        return Decimal(f"{read.timestamp():.3f}")
    except (ValueError, OverflowError) as error:
        raise InvalidValue(name, text, "a time expected, YYYY-MM-DD HH:MM:SS") from error
