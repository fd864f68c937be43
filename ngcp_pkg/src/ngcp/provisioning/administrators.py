"""Who may use the REST API."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables.billing import acl_roles, admins


@dataclass(frozen=True, slots=True)
class Administrator:
    """A row of billing.admins."""

    login: str
    role: str
    saltedpass: bytes = field(repr=False)
    """bcrypt hash of the password."""
    read_only: bool
    show_passwords: bool


async def find_administrator(connection: AsyncConnection, login: str) -> Administrator | None:
    """Return the active administrator with that login."""
    columns = admins.c
    query = (
        select(columns.login, acl_roles.c.role, columns.saltedpass, columns.read_only, columns.show_passwords)
        .join_from(admins, acl_roles, columns.role_id == acl_roles.c.id)
        .where(columns.login == login, columns.is_active == 1)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Administrator(
        row.login, row.role, row.saltedpass.encode(), bool(row.read_only), bool(row.show_passwords)
    )
