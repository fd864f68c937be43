"""Whose calls are meant: a subscriber's, a customer's or a reseller's, as CDRs name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.principals import Root
from ngcp.provisioning.tables.billing import contacts, contracts, resellers, voip_subscribers

#: Filters that name somebody, the narrowest first, and his column at each side of a CDR.
COLUMNS: Final[Mapping[str, str]] = {
    "subscriber_id": "user_id",
    "customer_id": "account_id",
    "reseller_id": "provider_id",
}
_ROOTS: Final[Mapping[str, str]] = {
    "subscribers": "subscriber_id",
    "customers": "customer_id",
    "resellers": "reseller_id",
}


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who has calls."""

    name: str
    """Which of `COLUMNS` he is."""
    number: int
    """His number for operators."""
    value: str | int
    """What CDRs have in his column."""

    @property
    def column(self) -> str:
        """His column, behind the side's name."""
        return COLUMNS[self.name]

    def is_at(self, side: str, row: Mapping[str, object]) -> bool:
        """Tell whether he is at that side of a CDR."""
        return row[f"{side}_{self.column}"] == self.value


async def party_of_root(connection: AsyncConnection, root: Root) -> Party | None:
    """Return who may see his own only; None if he is gone."""
    return await find_party(connection, {_ROOTS[root.resource]: root.number}, None)


async def find_party(
    connection: AsyncConnection, wanted: Mapping[str, int], root: Root | None
) -> Party | None:
    """Return the narrowest of those wanted; None if he is not there, or does not belong to the others."""
    all_wanted = dict(wanted)
    if root is not None:
        own = _ROOTS[root.resource]
        if all_wanted.setdefault(own, root.number) != root.number:
            return None
    name = next(name for name in COLUMNS if name in all_wanted)
    row = (await connection.execute(_query(name, all_wanted[name]))).mappings().first()
    if row is None or any(row.get(other) != number for other, number in all_wanted.items()):
        return None
    value = {"subscriber_id": "uuid", "customer_id": "customer_id", "reseller_id": "provider_id"}[name]
    return Party(name, all_wanted[name], row[value])


def _query(name: str, number: int) -> Select[tuple[object, ...]]:
    """Ask for one with that number, and for those whose he is."""
    reseller = (resellers.c.id.label("reseller_id"), resellers.c.contract_id.label("provider_id"))
    if name == "reseller_id":
        return select(*reseller).where(resellers.c.id == number)
    customer = contracts.c.id.label("customer_id")
    of_contract = select(customer, *reseller).join_from(contracts, contacts)
    of_contract = of_contract.join(resellers, resellers.c.id == contacts.c.reseller_id)
    if name == "customer_id":
        return of_contract.where(contracts.c.id == number)
    columns = voip_subscribers.c
    return (
        of_contract.join(voip_subscribers, columns.contract_id == contracts.c.id)
        .add_columns(columns.id.label("subscriber_id"), columns.uuid)
        .where(columns.id == number)
    )
