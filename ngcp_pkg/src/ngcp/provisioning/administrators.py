"""Administrators: who they are, what they may, and the hash of their password."""

import asyncio
from typing import Any, Final

import bcrypt
from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.refusals import InvalidValue, NotAllowed
from ngcp.provisioning.resellers import reseller_or_first
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.seed import ADMINISTRATOR
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.billing import acl_roles, admins

FLAGS: Final = ("is_master", "is_active", "read_only", "show_passwords", "call_data", "billing_data")


class AdministratorStore(Store):
    """Rows of billing.admins."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = admins.c
        return select(
            columns.id,
            columns.login,
            columns.reseller_id,
            acl_roles.c.role,
            columns.email,
            *(columns[flag] for flag in FLAGS),
        ).join_from(admins, acl_roles, columns.role_id == acl_roles.c.id)

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        if not values["password"]:
            raise InvalidValue("password", None, "is required")
        return await add_row(connection, admins, **await _row(connection, values))

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; without a new password the old one stays."""
        if entity["login"] == ADMINISTRATOR and (
            values["login"] != ADMINISTRATOR or values["role"] != entity["role"] or not values["is_active"]
        ):
            raise NotAllowed(f"{ADMINISTRATOR} keeps login and role, and stays active.")
        row = await _row(connection, values)
        await connection.execute(update(admins).where(admins.c.id == entity["id"]).values(**row))
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """See `Remover`."""
        if entity["login"] == ADMINISTRATOR:
            raise NotAllowed(f"{ADMINISTRATOR} cannot be removed.")
        await connection.execute(delete(admins).where(admins.c.id == entity["id"]))
        return ()


async def _row(connection: AsyncConnection, values: Values) -> dict[str, Any]:
    reseller = await reseller_or_first(connection, values["reseller_id"])
    role = select(acl_roles.c.id).where(acl_roles.c.role == values["role"])
    row = {name: values[name] for name in ("login", "email", *FLAGS)}
    row |= {"reseller_id": reseller, "role_id": (await connection.execute(role)).scalar_one()}
    if values["password"]:
        hashed = await asyncio.to_thread(bcrypt.hashpw, values["password"].encode(), bcrypt.gensalt())
        row["saltedpass"] = hashed.decode()
    return row
