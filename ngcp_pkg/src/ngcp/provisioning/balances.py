"""What customers have to spend, as operators see and change it: the interval of now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import credit_of, note
from ngcp.provisioning.rating.balances import load_accounts, save_statement
from ngcp.provisioning.rating.contracts import load_payers, lock_contracts
from ngcp.provisioning.rating.profiles import Profiles
from ngcp.provisioning.rating.rater import fetching
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.balances import contract_balances
from ngcp.provisioning.tables.billing import contracts, products
from ngcp.rating.balance import Account

#: Amounts are kept in hundredths of the currency's unit, and shown in units.
UNIT: Final = Decimal(100)


class CustomerBalanceStore(Store):
    """One entity a customer, whose number it has."""

    def selection(self) -> Select[Any]:
        """See `Store`; where nobody has called for some time, `complete` knows better."""
        columns, balance, now = contracts.c, contract_balances.c, func.utc_timestamp()
        current = and_(balance.contract_id == columns.id, balance.start <= now, balance.end >= now)
        return (
            select(
                columns.id,
                columns.id.label("customer_id"),
                (balance.cash_balance / UNIT).label("cash_balance"),
                (balance.cash_balance_interval / UNIT).label("cash_debit"),
                balance.free_time_balance,
                balance.free_time_balance_interval.label("free_time_spent"),
                balance.start,
                balance.end.label("stop"),
            )
            .join_from(contracts, products, columns.product_id == products.c.id)
            .outerjoin(contract_balances, current)
            .where(products.c["class"] == "sipaccount", columns.status != "terminated")
        )

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Say what is true now: an interval that no call has opened yet is as it would begin."""
        now = await _now(connection)
        accounts = await _accounts(connection, [entity["id"] for entity in entities], now)
        return [entity | _shown(accounts[entity["id"]], now) for entity in entities]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`: what is left is what is said; what was spent stays so."""
        number, now = entity["id"], await _now(connection)
        await lock_contracts(fetching(connection), [number])
        account = (await _accounts(connection, [number], now))[number]
        before = [balance.carried for balance in account.balances]
        balance = account.at(now)
        balance.cash = values["cash_balance"] * UNIT
        balance.time = values["free_time_balance"]
        account.carry_over(before)
        statement = save_statement((number, one) for one in account.balances)
        assert statement is not None, "there is the interval of now"
        await fetching(connection)(statement)
        note(connection, credit_of(number))
        return ()


async def _now(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.unix_timestamp()))).scalar_one())


async def _accounts(connection: AsyncConnection, numbers: Sequence[int], now: int) -> dict[int, Account]:
    fetch = fetching(connection)
    payers = await load_payers(fetch, numbers)
    profiles = {mapping.profile for payer in payers.values() for mapping in payer.contract.mappings}
    known = await Profiles().load(fetch, profiles)
    return {**await load_accounts(fetch, payers, dict.fromkeys(payers, (now, now)), known)}


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def _shown(account: Account, now: int) -> Entity:
    balance = account.at(now)
    return {
        "cash_balance": balance.cash / UNIT,
        "cash_debit": balance.spent_cash / UNIT,
        "free_time_balance": balance.time,
        "free_time_spent": balance.spent_time,
        "start": _utc(balance.span.start),
        "stop": _utc(balance.span.end - 1),
    }
