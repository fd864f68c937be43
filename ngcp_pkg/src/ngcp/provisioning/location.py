"""Registrations that outlive the proxy's process: rows of `kamailio.location`."""

import time
from collections.abc import AsyncIterator, Collection, Mapping
from json import loads
from typing import Any, Final, NamedTuple

from sqlalchemy import Column
from sqlalchemy.dialects.mysql import VARCHAR

from ngcp.provisioning.line import Line, tuple_of
from ngcp.provisioning.tables.kamailio import location

#: Rows that one statement reads: a bound in memory, and in the time that it takes.
PAGE: Final = 5000
#: Bit of `cflags` that marks a contact behind NAT.
NAT: Final = 1
#: Bits of `cflags` by the subscriber's preference `nat_sipping`.
PINGING: Final[Mapping[str, int]] = {"": 0, "yes": 2, "no": 4, "always": 8}


class LocationRow(NamedTuple):
    """One binding of an address-of-record to a contact (RFC 3261 §10.3)."""

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
    expires: int
    """Unix time at which the binding ends."""
    call_id: str
    cseq: int
    user_agent: str = ""
    """At most 255 characters."""
    socket: str | None = None
    """Our own address that the REGISTER reached, as transport:address:port."""
    instance: str | None = None
    """The device's +sip.instance (RFC 5626 §4.1)."""
    reg_id: int = 0
    cflags: int = 0
    """`NAT` or 0, and one of `PINGING`."""


#: The columns of a row's fields.
COLUMNS: Final[Mapping[str, Column[Any]]] = {
    name: location.c["callid" if name == "call_id" else name] for name in LocationRow._fields
}
#: Characters that fit, by the field's place.
_WIDTHS: Final = tuple(
    (index, column.type.length)
    for index, column in enumerate(COLUMNS.values())
    if isinstance(column.type, VARCHAR) and column.type.length is not None
)
USER_AGENT_WIDTH: Final = dict(_WIDTHS)[LocationRow._fields.index("user_agent")]
#: INT is signed.
_LARGEST_REG_ID: Final = 2**31 - 1

_NAMES: Final = ", ".join(column.name for column in COLUMNS.values())
#: A row as one text: the driver takes its time for each column, json has all of them at once.
_LOAD: Final = f"SELECT id, JSON_ARRAY({_NAMES}) FROM kamailio.location WHERE id > "
_INSERT: Final = f"INSERT INTO kamailio.location ({_NAMES}, last_modified) VALUES "
_UPDATE: Final = " ON DUPLICATE KEY UPDATE " + ", ".join(
    f"{name} = VALUES({name})" for name in (*(column.name for column in COLUMNS.values()), "last_modified")
)


def check(row: LocationRow) -> None:
    """Raise ValueError for what a column cannot hold: no binding may keep others from being stored."""
    texts = [str(row[index] or "") for index, _ in _WIDTHS]
    "".join(texts).encode()  # text off the wire may be no UTF-8; UnicodeEncodeError is a ValueError
    for text, (index, width) in zip(texts, _WIDTHS, strict=True):
        if len(text) > width:
            name = row._fields[index]
            raise ValueError(f"{name} has {len(text)} characters, at most {width} can be stored")
    if row.reg_id > _LARGEST_REG_ID:
        raise ValueError(f"reg_id {row.reg_id} is at most {_LARGEST_REG_ID}")


class LocationTable:
    """All bindings; the proxy reads them once, when it starts, and writes changes through.

    Each method raises DatabaseUnavailable if it could not be done.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    async def load(self) -> AsyncIterator[LocationRow]:
        """Yield every binding, expired ones included, in the order in which they were made."""
        last: object = 0
        while True:
            rows = await self._line.fetch(f"{_LOAD}{last} ORDER BY id LIMIT {PAGE}")
            for _, text in rows:
                yield LocationRow._make(loads(str(text)))
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        """Store checked `rows`, new or refreshed, and forget those removed: all of it or nothing.

        Raises StatementRefused if a value cannot be stored nevertheless.
        """
        statements = []
        if removed_ruids:
            statements.append(f"DELETE FROM kamailio.location WHERE ruid IN {tuple_of([*removed_ruids])}")
        if rows:
            now = int(time.time())
            values = ",".join([tuple_of((*row, now)) for row in rows])
            statements.append(f"{_INSERT}{values}{_UPDATE}")
        if statements:
            await self._line.run(*statements)

    async def remove_expired(self, now: float) -> None:
        """Forget the bindings that ended at or before `now` (Unix time)."""
        await self._line.run(f"DELETE FROM kamailio.location WHERE expires <= {int(now)}")
