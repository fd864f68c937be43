"""Who may use the REST API: administrators, resellers' own, and subscribers by their web login."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables.billing import acl_roles, admins, contracts, domains, voip_subscribers
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: Roles of those who see everything.
UNCONFINED = frozenset({"system", "admin", "ccareadmin"})
#: Roles of those who pay.
CUSTOMERS = frozenset({"subscriberadmin", "subscriber"})


@dataclass(frozen=True, slots=True)
class Root:
    """Whose everything is that somebody may see: an entity, and whatever belongs to it."""

    resource: str
    number: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody with a login: a row of billing.admins, or a subscriber with a web password."""

    login: str
    role: str
    saltedpass: bytes = field(repr=False)
    """bcrypt hash of the password."""
    read_only: bool
    show_passwords: bool
    is_master: bool = False
    """Whether other administrators are his to manage."""
    root: Root | None = None
    """None for those who see everything, and for those of whom it is not known what they may see."""

    @property
    def is_customer(self) -> bool:
        """Whether it is a subscriber, for himself or for all of his customer."""
        return self.role in CUSTOMERS


async def find_principal(connection: AsyncConnection, login: str) -> Principal | None:
    """Return the active administrator with that login, or the active subscriber `webusername@domain`."""
    found = await _find_administrator(connection, admins.c.login == login)
    return found or await _find_subscriber(connection, *login.rpartition("@")[::2])


async def find_by_certificate(connection: AsyncConnection, serial: int) -> Principal | None:
    """Return the active administrator to whom the client certificate of that serial number was given."""
    return await _find_administrator(connection, admins.c.ssl_client_m_serial == serial)


async def _find_administrator(
    connection: AsyncConnection, condition: ColumnElement[bool]
) -> Principal | None:
    columns = admins.c
    query = (
        select(
            columns.login,
            acl_roles.c.role,
            columns.saltedpass,
            columns.read_only,
            columns.show_passwords,
            columns.is_master,
            columns.reseller_id,
        )
        .join_from(admins, acl_roles, columns.role_id == acl_roles.c.id)
        .where(condition, columns.is_active == 1)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    confined = row.role not in UNCONFINED and row.reseller_id is not None
    return Principal(
        row.login,
        row.role,
        row.saltedpass.encode(),
        bool(row.read_only),
        bool(row.show_passwords),
        bool(row.is_master),
        Root("resellers", row.reseller_id) if confined else None,
    )


async def _find_subscriber(connection: AsyncConnection, username: str, domain: str) -> Principal | None:
    columns = voip_subscribers.c
    query = (
        select(columns.id, columns.contract_id, accounts.c.webpassword, accounts.c.admin)
        .join_from(voip_subscribers, accounts, accounts.c.uuid == columns.uuid)
        .join(domains, domains.c.id == columns.domain_id)
        .join(contracts, contracts.c.id == columns.contract_id)
        .where(
            accounts.c.webusername == username,
            accounts.c.webpassword.is_not(None),
            domains.c.domain == domain.lower(),
            columns.status == "active",
            contracts.c.status == "active",
        )
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    role, root = ("subscriber", Root("subscribers", row.id))
    if row.admin:
        role, root = ("subscriberadmin", Root("customers", row.contract_id))
    return Principal(f"{username}@{domain}", role, row.webpassword.encode(), False, False, root=root)
