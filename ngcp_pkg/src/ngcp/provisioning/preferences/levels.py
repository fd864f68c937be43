"""Where preferences are set: for whom, and who has to know of a change."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables import kamailio, provisioning
from ngcp.provisioning.tables import preferences as tables
from ngcp.provisioning.tables.billing import (
    contacts,
    contracts,
    domains,
    products,
    resellers,
    voip_subscribers,
)
from ngcp.provisioning.tables.peering import voip_peer_hosts
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: What is announced if all calls share what was changed.
PLATFORM: Final = "platform"


@dataclass(frozen=True, slots=True)
class Owner:
    """One whose preferences are set."""

    number: int
    """In the truth."""
    copy: Mapping[str, str]
    """Columns of the proxy's copy that say whose a row is."""
    reseller: int | None = None
    """Whose rule sets, classes and sounds may be referred to; None: anybody's."""
    contract: int | None = None
    """The customer, whose own sounds may be referred to."""
    changes: tuple[str, ...] = (PLATFORM,)
    """What is announced of a change (`changes`)."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """What the proxy's copy says whatever is set."""


class Level(ABC):
    """One of the six levels."""

    name: ClassVar[str]
    """As tables and the catalogue have it."""
    field: ClassVar[str]
    """Field that tells whose preferences an entity is."""
    truth: ClassVar[Table]
    copy: ClassVar[Table]

    @property
    def owner_column(self) -> ColumnElement[Any]:
        """The column of the truth that tells whose a row is."""
        return self.truth.c[self.field if self.field in self.truth.c else "peer_host_id"]

    @abstractmethod
    def selection(self) -> Select[Any]:
        """Return one row for each who may have preferences: `id` for operators, `key` in the truth."""

    @abstractmethod
    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """Return who is `id` number `number`, and exists."""


class SubscriberLevel(Level):
    """Subscribers."""

    name, field = "usr", "subscriber_id"
    truth, copy = tables.voip_usr_preferences, kamailio.usr_preferences

    def selection(self) -> Select[Any]:
        """See `Level`."""
        columns = voip_subscribers.c
        return (
            select(columns.id, columns.id.label(self.field), accounts.c.id.label("key"))
            .join_from(voip_subscribers, accounts, accounts.c.uuid == columns.uuid)
            .where(columns.status != "terminated")
        )

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`; one who is locked, or whose customer is, is so whatever preference `lock` says."""
        columns = voip_subscribers.c
        query = (
            select(
                accounts.c.id,
                columns.uuid,
                columns.username,
                domains.c.domain,
                columns.contract_id,
                columns.status,
                contracts.c.status.label("contract_status"),
                contacts.c.reseller_id,
            )
            .join_from(voip_subscribers, accounts, accounts.c.uuid == columns.uuid)
            .join(domains, domains.c.id == columns.domain_id)
            .join(contracts, contracts.c.id == columns.contract_id)
            .join(contacts, contacts.c.id == contracts.c.contact_id)
            .where(columns.id == number)
        )
        row = (await connection.execute(query)).one()
        is_locked = "locked" in (row.status, row.contract_status)
        return Owner(
            row.id,
            {"uuid": row.uuid, "username": row.username, "domain": row.domain},
            row.reseller_id,
            row.contract_id,
            (f"{row.username}@{row.domain}",),
            {"lock": LOCK_GLOBAL} if is_locked else {},
        )


class DomainLevel(Level):
    """Domains."""

    name, field = "dom", "domain_id"
    truth, copy = tables.voip_dom_preferences, tables.dom_preferences

    def selection(self) -> Select[Any]:
        """See `Level`."""
        there = provisioning.voip_domains.c
        return select(domains.c.id, domains.c.id.label(self.field), there.id.label("key")).join_from(
            domains, provisioning.voip_domains, there.domain == domains.c.domain
        )

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`."""
        there = provisioning.voip_domains.c
        query = (
            select(there.id, there.domain, domains.c.reseller_id)
            .join_from(domains, provisioning.voip_domains, there.domain == domains.c.domain)
            .where(domains.c.id == number)
        )
        row = (await connection.execute(query)).one()
        return Owner(row.id, {"domain": row.domain}, row.reseller_id, changes=(row.domain,))


class PeerLevel(Level):
    """Peering servers."""

    name, field = "peer", "peeringserver_id"
    truth, copy = tables.voip_peer_preferences, tables.peer_preferences

    def selection(self) -> Select[Any]:
        """See `Level`."""
        return _numbered(voip_peer_hosts, self.field)

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`."""
        return Owner(number, {"uuid": str(number)})


class CustomerLevel(Level):
    """Customers."""

    name, field = "contract", "customer_id"
    truth, copy = tables.voip_contract_preferences, tables.contract_preferences

    @property
    def owner_column(self) -> ColumnElement[Any]:
        """See `Level`."""
        return self.truth.c.contract_id

    def selection(self) -> Select[Any]:
        """See `Level`."""
        customers = _numbered(contracts, self.field).join(products, contracts.c.product_id == products.c.id)
        return customers.where(products.c["class"] == "sipaccount", contracts.c.status != "terminated")

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`; each subscriber of the customer is changed."""
        columns = voip_subscribers.c
        reseller = select(contacts.c.reseller_id).join(contracts, contracts.c.contact_id == contacts.c.id)
        living = (
            select(columns.username, domains.c.domain)
            .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
            .where(columns.contract_id == number, columns.status != "terminated")
        )
        names = tuple(f"{row.username}@{row.domain}" for row in await connection.execute(living))
        number_of = (await connection.execute(reseller.where(contracts.c.id == number))).scalar_one()
        return Owner(number, {"uuid": str(number)}, number_of, number, names)


class ProfileLevel(Level):
    """Subscriber profiles."""

    name, field = "prof", "profile_id"
    truth, copy = tables.voip_prof_preferences, tables.prof_preferences

    def selection(self) -> Select[Any]:
        """See `Level`."""
        return _numbered(tables.voip_subscriber_profiles, self.field)

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`."""
        sets, profiles = tables.voip_subscriber_profile_sets, tables.voip_subscriber_profiles
        query = select(sets.c.reseller_id).join_from(sets, profiles, profiles.c.set_id == sets.c.id)
        reseller = (await connection.execute(query.where(profiles.c.id == number))).scalar_one()
        return Owner(number, {"uuid": str(number)}, reseller)


class ResellerLevel(Level):
    """Resellers."""

    name, field = "reseller", "reseller_id"
    truth, copy = tables.voip_reseller_preferences, tables.reseller_preferences

    def selection(self) -> Select[Any]:
        """See `Level`."""
        return _numbered(resellers, self.field).where(resellers.c.status != "terminated")

    async def owner(self, connection: AsyncConnection, number: int) -> Owner:
        """See `Level`."""
        return Owner(number, {"uuid": str(number)}, number)


def _numbered(table: Table, field: str) -> Select[Any]:
    """Return the selection of rows that have the same number everywhere."""
    return select(table.c.id, table.c.id.label(field), table.c.id.label("key")).select_from(table)


#: Value of preference `lock` that stops everything.
LOCK_GLOBAL: Final = "4"

SUBSCRIBER: Final = SubscriberLevel()
DOMAIN: Final = DomainLevel()
PEER: Final = PeerLevel()
CUSTOMER: Final = CustomerLevel()
PROFILE: Final = ProfileLevel()
RESELLER: Final = ResellerLevel()

LEVELS: Final = (SUBSCRIBER, DOMAIN, PEER, CUSTOMER, PROFILE, RESELLER)
