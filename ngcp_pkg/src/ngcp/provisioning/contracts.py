"""Contracts: with resellers and peers, and with customers."""

from typing import Any, ClassVar, Final

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences import truth as preferences
from ngcp.provisioning.preferences.levels import CUSTOMER
from ngcp.provisioning.refusals import InUse, InvalidValue, refuse_stillborn
from ngcp.provisioning.resellers import current_mapping, profile_or_default, reseller_of_contact
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.subscribers import SubscriberStore
from ngcp.provisioning.tables.billing import billing_mappings, contracts, products, resellers
from ngcp.provisioning.tables.peering import voip_peer_groups

#: Fields of a customer that the proxy's copy of its subscribers shows.
_FOLLOWED: Final = ("status", "external_id", "contact_id", "billing_profile_id")


class ContractStore(Store):
    """Contracts with partners: resellers, SIP and PSTN peers; their contacts are system contacts."""

    classes: ClassVar[tuple[str, ...]] = ("reseller", "sippeering", "pstnpeering")
    """Classes of products that are sold by these contracts."""
    kept: ClassVar[tuple[str, ...]] = ("contact_id", "status", "external_id")
    """Fields that are columns of the contract itself."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns, mapping = contracts.c, billing_mappings.c
        current = and_(mapping.contract_id == columns.id, mapping.id == current_mapping(columns.id))
        return (
            select(
                columns.id,
                columns.contact_id,
                mapping.billing_profile_id,
                products.c["class"].label("type"),
                *(columns[name] for name in self.kept if name != "contact_id"),
                columns.create_timestamp,
                columns.modify_timestamp,
                columns.activate_timestamp,
            )
            .join_from(contracts, products, columns.product_id == products.c.id)
            .join(billing_mappings, current)
            .where(products.c["class"].in_(self.classes), columns.status != "terminated")
        )

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        refuse_stillborn(values["status"])
        reseller = await self._reseller(connection, values["contact_id"])
        profile = await profile_or_default(connection, values["billing_profile_id"], reseller)
        product = select(products.c.id).where(products.c["class"] == values["type"])
        row = {name: values[name] for name in self.kept} | _dates(values["status"])
        row["product_id"] = (await connection.execute(product)).scalar_one()
        number = await add_row(connection, contracts, **row)
        await add_row(connection, billing_mappings, contract_id=number, billing_profile_id=profile)
        return number

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; status "terminated" ends the contract."""
        if values["type"] != entity["type"]:
            raise InvalidValue("type", values["type"], "cannot be changed")
        reseller = await self._reseller(connection, values["contact_id"])
        if reseller != await self._reseller(connection, entity["contact_id"]):
            raise InvalidValue("contact_id", values["contact_id"], "belongs to another reseller")
        profile = await profile_or_default(connection, values["billing_profile_id"], reseller)
        ended = await self._end(connection, entity) if values["status"] == "terminated" else ()
        row = {name: values[name] for name in self.kept}
        if values["status"] != entity["status"]:
            row |= _dates(values["status"])
        await connection.execute(update(contracts).where(contracts.c.id == entity["id"]).values(**row))
        if profile != entity["billing_profile_id"]:  # calls until now are charged as they were
            mapping = {"billing_profile_id": profile, "start_date": func.utc_timestamp()}
            await add_row(connection, billing_mappings, contract_id=entity["id"], **mapping)
        return ended

    async def _reseller(self, connection: AsyncConnection, contact: int) -> int | None:
        if await reseller_of_contact(connection, contact) is not None:
            raise InvalidValue("contact_id", contact, "is no systemcontact, but a customercontact")
        return None

    async def _end(self, connection: AsyncConnection, entity: Entity) -> Ended:
        columns = resellers.c
        living = select(columns.id).where(columns.contract_id == entity["id"], columns.status != "terminated")
        if (await connection.execute(living)).first() is not None:
            raise InUse("Contract is still in use by a reseller.")
        peers = select(voip_peer_groups.c.id).where(voip_peer_groups.c.peering_contract_id == entity["id"])
        if (await connection.execute(peers)).first() is not None:
            raise InUse("Contract is still in use by a peering group.")
        return ()


class CustomerStore(ContractStore):
    """Contracts with customers, who have subscribers; their contacts are a reseller's."""

    classes = ("sipaccount",)
    kept = (*ContractStore.kept, "max_subscribers")

    def __init__(self, subscribers: SubscriberStore) -> None:
        self._subscribers = subscribers

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; what he is, locked or in another time zone, the customer's subscribers are too."""
        ended = await super().change(connection, entity, values)
        if values["status"] != "terminated" and any(values[name] != entity[name] for name in _FOLLOWED):
            for subscriber in await self._subscribers.of_customer(connection, entity["id"]):
                await self._subscribers.follow(connection, subscriber)
        return ended

    async def _reseller(self, connection: AsyncConnection, contact: int) -> int | None:
        reseller = await reseller_of_contact(connection, contact)
        if reseller is None:
            raise InvalidValue("contact_id", contact, "is no customercontact, but a systemcontact")
        return reseller

    async def _end(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Terminate the customer's subscribers."""
        await preferences.withdraw(connection, CUSTOMER, await CUSTOMER.owner(connection, entity["id"]))
        living = await self._subscribers.of_customer(connection, entity["id"])
        return [aor for one in living for aor in await self._subscribers.remove(connection, one)]


def _dates(status: str) -> dict[str, Any]:
    """Return when the contract came into its new status."""
    if status == "terminated":
        return {"terminate_timestamp": func.now()}
    return {"activate_timestamp": func.coalesce(contracts.c.activate_timestamp, func.now())}
