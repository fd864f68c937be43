"""Rows that a platform cannot be without: roles, products, the provider, names, an administrator."""

from collections.abc import Callable, Iterator
from typing import Final

import bcrypt
from sqlalchemy import Connection, Table, insert, select, update

from ngcp.provisioning.preferences.seed import seed_preferences
from ngcp.provisioning.resellers import ANYWHERE, DEFAULT_PROFILE, FREE_ZONE
from ngcp.provisioning.sound_names import GROUPS
from ngcp.provisioning.tables import billing
from ngcp.provisioning.tables.sounds import voip_sound_groups, voip_sound_handles

ROLES: Final = ("system", "admin", "reseller", "ccareadmin", "ccare", "lintercept")

#: Class, handle, name.
PRODUCTS: Final = (
    ("pstnpeering", "PSTN_PEERING", "PSTN Peering"),
    ("sippeering", "SIP_PEERING", "SIP Peering"),
    ("reseller", "VOIP_RESELLER", "VoIP Reseller"),
    ("sipaccount", "SIP_ACCOUNT", "Basic SIP Account"),
)

ADMINISTRATOR: Final = "administrator"


def seed(connection: Connection) -> Iterator[str]:
    """Add missing roles and products, and the provider if there is no reseller; yield what was added."""
    for role in ROLES:
        if _lacks(connection, billing.acl_roles, role=role):
            _add(connection, billing.acl_roles, role=role)
            yield f"role {role}: added"
    for product_class, handle, name in PRODUCTS:
        if _lacks(connection, billing.products, handle=handle):
            _add(connection, billing.products, **{"class": product_class}, handle=handle, name=name)
            yield f"product {handle}: added"
    if _lacks(connection, billing.resellers):
        _add_provider(connection)
        yield "reseller default: added"
    for group, handles in GROUPS.items():
        yield from _add_sounds(connection, group, handles)
    yield from seed_preferences(connection)


def add_administrator(connection: Connection, password: Callable[[], str]) -> Iterator[str]:
    """Add the administrator with what `password` returns, unless there is one; yield what was added."""
    if not _lacks(connection, billing.admins, login=ADMINISTRATOR):
        return
    role = select(billing.acl_roles.c.id).where(billing.acl_roles.c.role == "admin")
    _add(
        connection,
        billing.admins,
        login=ADMINISTRATOR,
        saltedpass=_hash(password()),
        is_master=True,
        role_id=connection.execute(role).scalar_one(),
    )
    yield f"administrator {ADMINISTRATOR}: added"


def set_administrator_password(connection: Connection, password: str) -> None:
    """Give the administrator another password; raise LookupError if there is none."""
    admins = billing.admins
    statement = update(admins).where(admins.c.login == ADMINISTRATOR).values(saltedpass=_hash(password))
    if connection.execute(statement).rowcount != 1:
        raise LookupError(f"there is no user {ADMINISTRATOR}")


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def _add_provider(connection: Connection) -> None:
    """Add the reseller that the provider is to itself, with what belongs to it."""
    contact = _add(connection, billing.contacts, company="Default", email="default-system@default.invalid")
    product = select(billing.products.c.id).where(billing.products.c.handle == "VOIP_RESELLER")
    contract = _add(
        connection,
        billing.contracts,
        contact_id=contact,
        product_id=connection.execute(product).scalar_one(),
        status="active",
    )
    reseller = _add(connection, billing.resellers, contract_id=contract, name="default")
    profile = _add(connection, billing.billing_profiles, reseller_id=reseller, **DEFAULT_PROFILE)
    zone = _add(connection, billing.billing_zones, billing_profile_id=profile, **FREE_ZONE)
    _add(
        connection,
        billing.billing_fees,
        billing_profile_id=profile,
        billing_zone_id=zone,
        destination=ANYWHERE,
    )
    _add(connection, billing.billing_mappings, contract_id=contract, billing_profile_id=profile)


def _add_sounds(connection: Connection, group: str, handles: tuple[str, ...]) -> Iterator[str]:
    """Add what is missing of a group of sounds."""
    names, columns = voip_sound_groups.c, voip_sound_handles.c
    number = connection.execute(select(names.id).where(names.name == group)).scalar()
    number = number or _add(connection, voip_sound_groups, name=group)
    known = set(connection.execute(select(columns.name).where(columns.group_id == number)).scalars())
    missing = [{"name": handle, "group_id": number} for handle in handles if handle not in known]
    if missing:
        connection.execute(insert(voip_sound_handles), missing)
        yield f"sounds {group}: {len(missing)} added"


def _lacks(connection: Connection, table: Table, **values: str) -> bool:
    return connection.execute(select(table.c.id).filter_by(**values).limit(1)).first() is None


def _add(connection: Connection, table: Table, **values: object) -> int:
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None, "a single row was inserted"
    return int(key[0])
