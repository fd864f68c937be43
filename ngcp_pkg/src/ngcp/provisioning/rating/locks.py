"""Locks that fraud limits put on subscribers, and take off again when their time is over."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences import truth
from ngcp.provisioning.preferences.levels import SUBSCRIBER, Owner
from ngcp.provisioning.rating.limits import Period, Sum
from ngcp.provisioning.tables.balances import contract_fraud_locks as locks
from ngcp.provisioning.tables.billing import voip_subscribers

#: The preference.
LOCK: Final = "lock"
#: A number that was ported away: not ours to lock or to unlock.
PORTED: Final = 5


async def lock_subscribers(connection: AsyncConnection, period: Period, spent: Sum) -> None:
    """Lock a customer's subscribers until the period is over; who is locked as much already stays so."""
    level = spent.limits.lock if spent.limits is not None else None
    assert level is not None, "a limit without a lock locks nobody"
    columns = voip_subscribers.c
    living = select(columns.id).where(columns.contract_id == period.contract, columns.status != "terminated")
    for number in [*(await connection.execute(living.order_by(columns.id))).scalars()]:
        owner = await SUBSCRIBER.owner(connection, number)
        before = await _level(connection, owner)
        if before == PORTED or (before or 0) >= level:
            continue
        row = {
            "contract_id": period.contract,
            "subscriber_id": number,
            "period": period.kind,
            "lock_level": level,
            "previous_level": before,
            "until": datetime.fromtimestamp(spent.until, UTC),
        }
        await connection.execute(insert(locks).values(row).on_duplicate_key_update(row))
        await truth.write(connection, SUBSCRIBER, owner, {LOCK: (str(level),)})


async def lift_locks(connection: AsyncConnection, now: float) -> int:
    """Take off the locks whose time is over, except where an operator has set another; return how many."""
    over = select(locks).where(locks.c.until <= datetime.fromtimestamp(now, UTC))
    # the last one put on comes off first: what it remembers is the one before
    rows = (await connection.execute(over.order_by(locks.c.id.desc()).with_for_update())).all()
    for row in rows:
        await connection.execute(delete(locks).where(locks.c.id == row.id))
        owner = await SUBSCRIBER.owner(connection, row.subscriber_id)
        if await _level(connection, owner) == row.lock_level:
            before = () if row.previous_level is None else (str(row.previous_level),)
            await truth.write(connection, SUBSCRIBER, owner, {LOCK: before})
        else:
            await _inherit(connection, row.subscriber_id, row.lock_level, row.previous_level)
    return len(rows)


async def _inherit(connection: AsyncConnection, subscriber: int, level: int, before: int | None) -> None:
    """Let a stricter lock that was put on later go back to what was before this one."""
    here = locks.c.subscriber_id == subscriber, locks.c.previous_level == level
    await connection.execute(locks.update().where(*here).values(previous_level=before))


async def _level(connection: AsyncConnection, owner: Owner) -> int | None:
    values = (await truth.read(connection, SUBSCRIBER, [owner.number]))[owner.number].get(LOCK, ())
    return int(values[0]) if values and values[0].isdigit() else None
