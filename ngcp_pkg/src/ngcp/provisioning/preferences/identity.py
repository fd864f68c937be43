"""What a subscriber's preferences say because of who it is: its numbers, its customer, its reseller."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.numbers import Number
from ngcp.provisioning.preferences import truth
from ngcp.provisioning.preferences.levels import SUBSCRIBER
from ngcp.provisioning.preferences.values import Texts
from ngcp.provisioning.tables.billing import contacts, contracts, voip_subscribers
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts


async def keep_identity(
    connection: AsyncConnection, subscriber: int, primary: Number | None, former: Number | None = None
) -> None:
    """Keep what follows from the subscriber's place; `cli`, `cc`, `ac` follow the number until they are set.

    `former` is the primary number that it had. The proxy's copy is not touched.
    """
    columns = voip_subscribers.c
    query = (
        select(
            accounts.c.id,
            columns.contract_id,
            contacts.c.reseller_id,
            columns.external_id,
            contracts.c.external_id.label("contract_external_id"),
        )
        .join_from(voip_subscribers, accounts, accounts.c.uuid == columns.uuid)
        .join(contracts, contracts.c.id == columns.contract_id)
        .join(contacts, contacts.c.id == contracts.c.contact_id)
        .where(columns.id == subscriber)
    )
    row = (await connection.execute(query)).one()
    kept = {
        "account_id": _texts(row.contract_id),
        "reseller_id": _texts(row.reseller_id),
        "ext_subscriber_id": _texts(row.external_id),
        "ext_contract_id": _texts(row.contract_external_id),
    }
    has = (await truth.read(connection, SUBSCRIBER, [row.id]))[row.id]
    before = _numbers(former)
    kept |= {name: texts for name, texts in _numbers(primary).items() if has.get(name, ()) == before[name]}
    changed = {name: texts for name, texts in kept.items() if has.get(name, ()) != texts}
    await truth.keep(connection, SUBSCRIBER, row.id, changed)


def _numbers(number: Number | None) -> Mapping[str, Texts]:
    if number is None:
        return {"cli": (), "cc": (), "ac": ()}
    return {"cli": (number.e164,), "cc": (number.cc,), "ac": _texts(number.ac)}


def _texts(value: object) -> Texts:
    return () if value in (None, "") else (str(value)[:128],)
