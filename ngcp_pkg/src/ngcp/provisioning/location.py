"""Registrations that outlive the proxy's process: rows of `kamailio.location`."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, delete, select
from sqlalchemy.dialects.mysql import VARCHAR, Insert, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import transaction
from ngcp.provisioning.tables.kamailio import location

#: The fields of a row and their columns.
COLUMNS: Final[Mapping[str, Column[Any]]] = {
    "ruid": location.c.ruid,
    "username": location.c.username,
    "domain": location.c.domain,
    "contact": location.c.contact,
    "received": location.c.received,
    "path": location.c.path,
    "q": location.c.q,
    "expires": location.c.expires,
    "call_id": location.c.callid,
    "cseq": location.c.cseq,
    "user_agent": location.c.user_agent,
    "socket": location.c.socket,
    "instance": location.c.instance,
    "reg_id": location.c.reg_id,
}
_WIDTHS: Final[Mapping[str, int]] = {
    name: column.type.length
    for name, column in COLUMNS.items()
    if isinstance(column.type, VARCHAR) and column.type.length is not None
}


@dataclass(frozen=True, slots=True)
class LocationRow:
    """One binding of an address-of-record to a contact (RFC 3261 §10.3).

    Raises ValueError for a text that its column cannot hold, so that one binding never keeps others from
    being stored.
    """

    ruid: str
    """Identifies the binding for its whole life, over refreshes and restarts."""
    username: str
    domain: str
    contact: str
    """The Contact URI, at most 512 characters."""
    received: str | None
    """Where the REGISTER really came from, as a SIP URI."""
    path: str | None
    """The Path values (RFC 3327) as received, comma separated, at most 512 characters."""
    q: float
    expires: float
    """Unix time at which the binding ends; stored in whole seconds."""
    call_id: str
    cseq: int
    user_agent: str = ""
    """Stored without what exceeds 255 characters."""
    socket: str | None = None
    """Our own address that the REGISTER reached, as transport:address:port."""
    instance: str | None = None
    """The device's +sip.instance (RFC 5626 §4.1)."""
    reg_id: int = 0

    def __post_init__(self) -> None:
        values = self.values()
        for name, width in _WIDTHS.items():
            text = values[COLUMNS[name].name] or ""
            text.encode()  # text off the wire may be no UTF-8; UnicodeEncodeError is a ValueError
            if len(text) > width:
                raise ValueError(f"{name} has {len(text)} characters, at most {width} can be stored")

    def values(self) -> dict[str, Any]:
        """Return the row's values by the names of their columns."""
        values = {column.name: getattr(self, name) for name, column in COLUMNS.items()}
        return values | {"expires": int(self.expires), "user_agent": self.user_agent[: _WIDTHS["user_agent"]]}


class LocationTable:
    """All bindings; the proxy reads them once, when it starts, and writes changes through.

    Each method is one transaction and raises DatabaseUnavailable if it could not be done.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self) -> list[LocationRow]:
        """Return every binding, expired ones included, in the order in which they were made."""
        query = select(*(column.label(name) for name, column in COLUMNS.items())).order_by(location.c.id)
        async with transaction(self._engine) as connection:
            return [LocationRow(**row) for row in (await connection.execute(query)).mappings()]

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        """Store `rows`, new or refreshed, and forget those removed: all of it or nothing."""
        modified = int(time.time())
        async with transaction(self._engine) as connection:
            if removed_ruids:
                await connection.execute(delete(location).where(location.c.ruid.in_(removed_ruids)))
            if rows:
                await connection.execute(
                    _UPSERT, [row.values() | {"last_modified": modified} for row in rows]
                )

    async def remove_expired(self, now: float) -> None:
        """Forget the bindings that ended at or before `now` (Unix time)."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(location).where(location.c.expires <= int(now)))


def _upsert() -> Insert:
    statement = insert(location)
    names = [column.name for column in COLUMNS.values()] + ["last_modified"]
    return statement.on_duplicate_key_update({name: statement.inserted[name] for name in names})


_UPSERT: Final = _upsert()
