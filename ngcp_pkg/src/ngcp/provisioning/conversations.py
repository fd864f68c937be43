"""What somebody had to do with others: his calls and the messages in his mailbox, merged by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final

from sqlalchemy import ColumnElement, Numeric, Select, cast, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.cdrs import COUNTED, Found, Row, Search, moment, one_of
from ngcp.provisioning.parties import Party
from ngcp.provisioning.refusals import BadListing, InvalidValue
from ngcp.provisioning.store import Listing
from ngcp.provisioning.tables.accounting import cdr
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.kamailio import voicemail_spool
from ngcp.provisioning.voicemail import Folder

CALL, VOICEMAIL = TYPES = ("call", "voicemail")
FILTERS: Final = ("type", "direction", "start_ge", "start_le")
#: What a list is ordered by.
ORDER: Final = "timestamp"
_spool = voicemail_spool.c


@dataclass(frozen=True, slots=True)
class Conversations:
    """Which of them are wanted."""

    listing: Listing
    party: Party
    zone: tzinfo

    async def page(self, connection: AsyncConnection) -> Found:
        """Return the page, each row with its `type`."""
        wanted = self.listing
        start = (wanted.page - 1) * wanted.rows
        merged = union_all(*self._parts(start + wanted.rows + 1)).subquery()
        order = [merged.c.moment, merged.c.type, merged.c.id]
        ordered = [column.desc() if wanted.descending else column.asc() for column in order]
        query = select(merged).order_by(*ordered).offset(start).limit(wanted.rows + 1)
        keys = (await connection.execute(query)).all()
        total = await self._count(connection) if wanted.counted else None
        rows = await load(connection, [(key.type, key.id) for key in keys[: wanted.rows]])
        return Found(rows, total, len(keys) > wanted.rows)

    async def _count(self, connection: AsyncConnection) -> int | None:
        merged = union_all(*self._parts(COUNTED + 1)).subquery()
        query = select(func.count()).select_from(merged)
        total = int((await connection.execute(query)).scalar_one())
        return total if total <= COUNTED else None

    def _parts(self, most: int) -> Sequence[Select[Any]]:
        """Ask for the first keys of each type."""
        filters = self.listing.filters
        types = filters.get("type", ",".join(TYPES)).split(",")
        parts = []
        if CALL in types:
            own = {name: text for name, text in filters.items() if name != "type"}
            calls = replace(self.listing, order_by="start_time", filters=own)
            keys = Search(calls, self.party, self.zone).keys(most).subquery()
            parts.append(select(literal(CALL).label("type"), keys.c.id, keys.c.start_time.label("moment")))
        if VOICEMAIL in types and filters.get("direction") != "out":
            number = cast(_spool.origtime, Numeric(13, 3)).label("moment")
            order = [_spool.origtime, _spool.id]
            messages = (
                select(literal(VOICEMAIL).label("type"), _spool.id, number)
                .where(*self._messages())
                .order_by(*(column.desc() if self.listing.descending else column for column in order))
                .limit(most)
                .subquery()
            )
            parts.append(select(messages))
        return parts or [_nothing()]

    def _messages(self) -> list[ColumnElement[bool]]:
        """Return what is true of the messages that are wanted."""
        columns, party = voip_subscribers.c, self.party
        own = _spool.mailboxuser == party.value
        if party.name == "customer_id":
            own = _spool.mailboxuser.in_(select(columns.uuid).where(columns.contract_id == party.value))
        conditions = [own, func.substring_index(_spool.dir, "/", -1).in_([*Folder])]
        for name, text in self.listing.filters.items():
            if name == "start_ge":
                conditions.append(_spool.origtime >= moment(name, text, self.zone, is_end=False))
            elif name == "start_le":
                conditions.append(_spool.origtime <= moment(name, text, self.zone, is_end=True))
        return conditions


def _nothing() -> Select[Any]:
    return select(literal(CALL).label("type"), cdr.c.id, cdr.c.start_time.label("moment")).limit(0)


def check(listing: Listing, zone: tzinfo) -> None:
    """Raise BadListing or InvalidValue if a list cannot be searched that way."""
    if listing.order_by not in ("id", ORDER):
        raise BadListing(f"Invalid order_by '{listing.order_by}', must be {ORDER}.")
    for name, text in listing.filters.items():
        if name not in FILTERS:
            raise BadListing(f"Unknown query parameter '{name}', must be one of {', '.join(FILTERS)}.")
        if name == "type":
            for one in text.split(","):
                one_of(name, one, TYPES)
        elif name == "direction":
            one_of(name, text, ("in", "out"))
        else:
            moment(name, text, zone, is_end=name == "start_le")


def check_type(text: str | None) -> str:
    """Return which type an entity is of; raises InvalidValue."""
    if text is None:
        raise InvalidValue("type", "", f"must be one of {', '.join(TYPES)}")
    return one_of("type", text, TYPES)


async def load(connection: AsyncConnection, keys: Sequence[tuple[str, int]]) -> list[Row]:
    """Return the rows with those keys, in their order."""
    numbers = {kind: [number for one, number in keys if one == kind] for kind in TYPES}
    found: dict[tuple[str, int], Row] = {}
    columns = [column for column in _spool if column.name not in ("recording", "transcript")]
    queries: Mapping[str, Select[Any]] = {
        CALL: select(cdr).where(cdr.c.id.in_(numbers[CALL])),
        VOICEMAIL: select(*columns, voip_subscribers.c.id.label("subscriber_id"))
        .join_from(voicemail_spool, voip_subscribers, voip_subscribers.c.uuid == _spool.mailboxuser)
        .where(_spool.id.in_(numbers[VOICEMAIL])),
    }
    for kind, query in queries.items():
        if numbers[kind]:
            rows = (await connection.execute(query)).mappings()
            found |= {(kind, row["id"]): {**row, "type": kind} for row in rows}
    return [found[key] for key in keys if key in found]
