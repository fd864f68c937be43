"""How much customers may spend, and who has spent more, as operators see it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.balances import contract_fraud_preferences, fraud_events
from ngcp.provisioning.tables.billing import contracts, products

_LIMITS: Final = [column for column in contract_fraud_preferences.c if column.name.startswith("fraud_")]


class FraudPreferenceStore(Store):
    """A customer's own limits; one entity a customer, whose number it has."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns, own = contracts.c, contract_fraud_preferences.c.contract_id
        return (
            select(columns.id, columns.id.label("customer_id"), *_LIMITS)
            .join_from(contracts, products, columns.product_id == products.c.id)
            .outerjoin(contract_fraud_preferences, own == columns.id)
            .where(products.c["class"] == "sipaccount", columns.status != "terminated")
        )

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; the next call that is rated is measured by them."""
        row = {"contract_id": entity["id"]} | {column.name: values[column.name] for column in _LIMITS}
        wanted = insert(contract_fraud_preferences).values(row).on_duplicate_key_update(row)
        await connection.execute(wanted)
        return ()


class FraudEventStore(Store):
    """Limits that were reached."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = fraud_events.c
        return select(
            columns.id,
            columns.contract_id.label("customer_id"),
            columns.period.label("interval"),
            columns.period_date.label("interval_date"),
            columns.cost.label("interval_cost"),
            columns.fraud_limit.label("interval_limit"),
            columns.fraud_lock.label("interval_lock"),
            columns.notify,
            columns.create_timestamp,
            columns.notified_at,
        )

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Write dates as JSON can."""
        return [entity | {"interval_date": f"{entity['interval_date']:%Y-%m-%d}"} for entity in entities]
