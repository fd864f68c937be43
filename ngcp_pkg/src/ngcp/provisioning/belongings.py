"""What belongs to a subscriber: records under the number that billing, and so the API, knows him by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import note
from ngcp.provisioning.records import RecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.billing import contacts, contracts, domains, voip_numbers, voip_subscribers
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts


@dataclass(frozen=True, slots=True)
class Holder:
    """The subscriber to whom something belongs."""

    subscriber: int
    """His number in database billing, and for operators."""
    account: int
    """His number in database provisioning."""
    uuid: str
    username: str
    domain: str
    numbers: Mapping[str, bool]
    """His E.164 numbers, without "+", and which of them is the primary one."""

    @property
    def name(self) -> str:
        """The address-of-record."""
        return f"{self.username}@{self.domain}"

    @property
    def number(self) -> str:
        """What services know him by: his primary number, or his UUID."""
        return next((number for number, primary in self.numbers.items() if primary), self.uuid)

    def is_at(self, uri: str) -> bool:
        """Tell whether a SIP URI leads to himself."""
        user, _, host = uri.partition(":")[2].partition(";")[0].rpartition("@")
        if host.lower() != self.domain:
            return False
        return user == self.username or user.removeprefix("+") in self.numbers


async def holder_of(connection: AsyncConnection, subscriber: int) -> Holder:
    """Return billing's subscriber of that number; raises InvalidValue if there is none."""
    columns = voip_subscribers.c
    query = (
        select(columns.username, columns.uuid, columns.primary_number_id, domains.c.domain, accounts.c.id)
        .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
        .join(accounts, accounts.c.uuid == columns.uuid)
        .where(columns.id == subscriber, columns.status != "terminated")
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise InvalidValue("subscriber_id", subscriber, "does not exist")
    numbers = await connection.execute(select(voip_numbers).where(voip_numbers.c.subscriber_id == subscriber))
    has = {f"{each.cc}{each.ac}{each.sn}": each.id == row.primary_number_id for each in numbers}
    return Holder(subscriber, int(row.id), row.uuid, row.username, row.domain, has)


async def domains_of(connection: AsyncConnection, subscribers: Collection[int]) -> Mapping[int, str]:
    """Return the domain of each of billing's subscribers."""
    columns = voip_subscribers.c
    query = (
        select(columns.id, domains.c.domain)
        .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
        .where(columns.id.in_(subscribers))
    )
    return {int(row.id): str(row.domain) for row in await connection.execute(query)}


class Belonging(NamedTuple):
    """To whom a subscriber belongs."""

    subscriber_id: int
    customer_id: int
    reseller_id: int


async def owners_of(connection: AsyncConnection, uuids: Collection[str]) -> Mapping[str, Belonging]:
    """Return to whom those subscribers belong, by UUID; of who is unknown, nothing."""
    columns = voip_subscribers.c
    query = (
        select(columns.uuid, columns.id, columns.contract_id, contacts.c.reseller_id)
        .join_from(voip_subscribers, contracts, contracts.c.id == columns.contract_id)
        .join(contacts, contacts.c.id == contracts.c.contact_id)
        .where(columns.uuid.in_(uuids))
    )
    return {row[0]: Belonging(*row[1:]) for row in await connection.execute(query)}


class BelongingStore(RecordStore):
    """Records of subscribers; the proxy is told whose were changed."""

    fixed = ("subscriber_id",)

    def columns(self) -> Mapping[str, Column[Any]]:
        """See `RecordStore`."""
        return {**super().columns(), "subscriber_id": voip_subscribers.c.id}

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return (
            super()
            .selection()
            .join_from(self.table, accounts, accounts.c.id == self.table.c.subscriber_id)
            .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
        )

    def row(self, values: Values) -> dict[str, Any]:
        """See `RecordStore`; `account` is the holder's number there."""
        fields = self.table.c.keys()
        return {field: values[field] for field in fields if field in values} | {
            "subscriber_id": values["account"]
        }

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """See `RecordStore`."""
        holder = await holder_of(connection, values["subscriber_id"])
        return {**self.normal(values, holder), "account": holder.account}

    def normal(self, values: Values, holder: Holder) -> Values:
        """Return fields as they are stored; raises InvalidValue."""
        return values

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        note(connection, (await holder_of(connection, entity["subscriber_id"])).name)
