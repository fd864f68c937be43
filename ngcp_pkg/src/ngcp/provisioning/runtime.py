"""What the SIP proxy reads for each request: whose domain, which subscriber (database `kamailio`)."""

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.tables import kamailio

__all__ = ["DatabaseUnavailable", "Directory", "Subscriber"]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A SIP account as the proxy sees it."""

    uuid: str
    username: str
    domain: str
    ha1: str = field(repr=False)
    """MD5(username:domain:password) in hexadecimal (RFC 7616 §3.4.2)."""
    password: str = field(repr=False)
    """Needed for digests other than MD5."""
    lock: int = 0
    """0 none, 1 calls to foreign domains, 2 outgoing calls, 3 all calls, 4 everything."""


_ACCOUNT: Final = kamailio.subscriber
_LOCK: Final = kamailio.usr_preferences
_SUBSCRIBER: Final = (
    select(
        _ACCOUNT.c.uuid,
        _ACCOUNT.c.username,
        _ACCOUNT.c.domain,
        _ACCOUNT.c.ha1,
        _ACCOUNT.c.password,
        _LOCK.c.value.label("lock"),
    )
    .select_from(_ACCOUNT)
    .outerjoin(_LOCK, and_(_LOCK.c.uuid == _ACCOUNT.c.uuid, _LOCK.c.attribute == "lock"))
)


class Directory:
    """Subscribers, their aliases, and the domains that are ours.

    Domains are compared without regard to case (RFC 3261 §19.1.4), user parts exactly. Each question is one
    transaction and raises DatabaseUnavailable if the database cannot answer it.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def is_local_domain(self, domain: str) -> bool:
        """Tell whether we are responsible for `domain`."""
        table = kamailio.domain
        return await self._first(select(table.c.domain).where(table.c.domain == domain.lower())) is not None

    async def subscriber(self, username: str, domain: str) -> Subscriber | None:
        """Return the subscriber with that user name."""
        return await self._subscriber(
            _SUBSCRIBER.where(_ACCOUNT.c.username == username, _ACCOUNT.c.domain == domain.lower())
        )

    async def by_alias(self, alias: str, domain: str) -> Subscriber | None:
        """Return the subscriber that `alias`, an E.164 number without "+", leads to in `domain`."""
        table, target = kamailio.dbaliases, _ACCOUNT
        leads = and_(target.c.username == table.c.username, target.c.domain == table.c.domain)
        return await self._subscriber(
            _SUBSCRIBER.join(table, leads).where(
                table.c.alias_username == alias, table.c.alias_domain == domain.lower()
            )
        )

    async def _subscriber(self, query: Select[Any]) -> Subscriber | None:
        row = await self._first(query)
        if row is None:
            return None
        return Subscriber(row.uuid, row.username, row.domain, row.ha1, row.password, int(row.lock or 0))

    async def _first(self, query: Select[Any]) -> Row[Any] | None:
        try:
            async with transaction(self._engine) as connection:
                row: Row[Any] | None = (await connection.execute(query)).first()
                return row
        except UnicodeEncodeError:  # text off the wire that is no UTF-8: nothing here has such a name
            return None
