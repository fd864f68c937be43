"""What of a CDR is for whom: a party's own side, and of the other side no more than the call told him."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import String, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import Belonging
from ngcp.provisioning.cdrs import OWN_NUMBERS, Row
from ngcp.provisioning.parties import Party
from ngcp.provisioning.store import Entity
from ngcp.provisioning.tables.billing import domains, voip_subscribers
from ngcp.provisioning.tables.kamailio import usr_preferences
from ngcp.provisioning.tables.preferences import contract_preferences, dom_preferences

#: What a column must not begin with, by who looks: prices that are between others and us.
_KEPT_BACK: Final[Mapping[str, tuple[str, ...]]] = {
    "reseller_id": ("carrier",),
    "customer_id": ("carrier", "reseller"),
    "subscriber_id": ("carrier", "reseller"),
}
#: Columns of a side that only its owner sees, whoever else was in the call.
_PRIVATE: Final = (
    "user_id",
    "provider_id",
    "external_subscriber_id",
    "external_contract_id",
    "account_id",
    "ip",
    *(f"gpp{number}" for number in range(10)),
)
#: Columns that tell who called, though he hid it.
_CALLER: Final = ("source_user", "source_domain", "source_cli", "source_user_out")
#: What a call list says instead of the number of an application: by its users' first letters and domain.
_APPLICATIONS: Final = (
    (("vmu", "vmb"), "voicebox.local", "voicemail"),
    (("conf=",), "conference.local", "conference"),
    (("auto-attendant",), "app.local", "auto-attendant"),
    (("fax=",), "fax2mail.local", "fax2mail"),
)
_MOMENTS: Final = ("init_time", "start_time")
#: Who hides even from those of his own customer, and what it says then.
_SCOPE, _ALL = "calllist_clir_scope", "all"
SIDES: Final = ("source", "destination")


def detail(row: Row, viewer: Party | None, owners: Mapping[str, Belonging]) -> Entity:
    """Return a CDR with all that `viewer` may see; None sees everything."""
    entity: Entity = {"id": row["id"]} | {k: v for k, v in row.items() if k != "id" and _is_for(k, viewer)}
    for name in _MOMENTS:
        entity[name] = clock(row[name], UTC)
    for side in SIDES:
        is_own = viewer is None or viewer.is_at(side, row)
        owner = owners.get(row[f"{side}_user_id"]) if is_own else None
        entity[f"{side}_subscriber_id"] = owner.subscriber_id if owner else None
        entity[f"{side}_customer_id"] = row[f"{side}_account_id"] or None if is_own else None
        if not is_own:
            private = [name for name in entity if name.startswith(f"{side}_") and _is_private(name, side)]
            entity |= dict.fromkeys(private)
    if viewer is not None and _hides(row, viewer):
        entity |= dict.fromkeys(_CALLER)
    return entity


def _is_for(column: str, viewer: Party | None) -> bool:
    if viewer is None:
        return True
    plain = column.partition("_")[2] if column.startswith(SIDES) else column.removeprefix("frag_")
    if viewer.name != "reseller_id" and column.startswith(("peer_auth", "export")):
        return False
    return not plain.startswith(_KEPT_BACK[viewer.name])


def _is_private(name: str, side: str) -> bool:
    plain = name.removeprefix(f"{side}_")
    return plain in _PRIVATE or plain.endswith(("_cost", "_free_time", "_fee_id", "_zone_id"))


def _hides(row: Row, viewer: Party) -> bool:
    """Tell whether the caller hid his number from a customer who looks, and is none of his."""
    return bool(row["source_clir"]) and viewer.name != "reseller_id" and not viewer.is_at("source", row)


def summary(
    row: Row, owner: Party, zone: tzinfo, *, sees_hidden: bool, hidden_inside: Collection[str]
) -> Entity:
    """Return a call as it is in somebody's list.

    Numbers that callers hid are shown to who `sees_hidden`, and to who is of the same customer, unless the
    caller is one of `hidden_inside` (UUIDs).
    """
    is_out = owner.is_at("source", row)
    own, other = SIDES if is_out else SIDES[::-1]
    is_intra = bool(row["source_account_id"]) and row["source_account_id"] == row["destination_account_id"]
    is_hidden = bool(row["source_clir"]) and not sees_hidden
    is_hidden = is_hidden and (not is_intra or row["source_user_id"] in hidden_inside)
    other_number = (_application(row) if other == "destination" else None) or _number(row, other)
    return {
        "id": row["id"],
        "call_id": row["call_id"],
        "type": row["call_type"],
        "call_type": row["call_type"],
        "status": row["call_status"],
        "rating_status": row["rating_status"],
        "direction": "out" if is_out else "in",
        "own_cli": _number(row, own),
        "other_cli": None if is_hidden and other == "source" else other_number,
        "clir": bool(row["source_clir"]),
        "intra_customer": is_intra,
        "init_time": clock(row["init_time"], zone),
        "start_time": clock(row["start_time"], zone),
        "duration": _length(row["duration"]),
        "customer_cost": row[f"{own}_customer_cost"],
        "customer_free_time": row[f"{own}_customer_free_time"] or 0,
    }


async def hidden_inside(connection: AsyncConnection, rows: Sequence[Row]) -> Collection[str]:
    """Return those callers (UUIDs) who hid, and hide from those of their own customer, too."""
    callers = {row["source_user_id"] for row in rows if row["source_clir"]}
    if not callers:
        return ()
    own, customers, of_domain = (
        table.alias() for table in (usr_preferences, contract_preferences, dom_preferences)
    )
    columns = voip_subscribers.c
    scope = func.coalesce(own.c.value, customers.c.value, of_domain.c.value)
    query = (
        select(columns.uuid)
        .join(domains, domains.c.id == columns.domain_id)
        .outerjoin(own, and_(own.c.uuid == columns.uuid, own.c.attribute == _SCOPE))
        .outerjoin(
            customers,
            and_(customers.c.uuid == cast(columns.contract_id, String(36)), customers.c.attribute == _SCOPE),
        )
        .outerjoin(of_domain, and_(of_domain.c.domain == domains.c.domain, of_domain.c.attribute == _SCOPE))
        .where(columns.uuid.in_(callers), scope == _ALL)
    )
    return set((await connection.execute(query)).scalars())


def message(row: Row, zone: tzinfo) -> Entity:
    """Return a message in a mailbox as it is among somebody's conversations."""
    return {
        "id": row["id"],
        "type": row["type"],
        "call_id": row["call_id"],
        "direction": "in",
        "caller": row["callerid"],
        "folder": row["dir"].rpartition("/")[2],
        "start_time": clock(Decimal(row["origtime"]), zone),
        "duration": _length(row["duration"]),
        "voicemail_subscriber_id": row["subscriber_id"],
    }


def _number(row: Row, side: str) -> str:
    """Return a side's number; a name gets its domain."""
    number = str(row[OWN_NUMBERS[side]])
    if side == "source" and "anonymous" in number.lower():
        number = str(row["source_user"])
    if not number or number.removeprefix("+").isdigit() or "@" in number:
        return number
    return f"{number}@{row[f'{side}_domain']}"


def _application(row: Row) -> str | None:
    user, domain = row["destination_user_in"], row["destination_domain_in"]
    for beginnings, its_domain, name in _APPLICATIONS:
        if domain == its_domain and user.startswith(beginnings):
            return name
    return None


def clock(unix: Decimal, zone: tzinfo) -> str:
    """Write a Unix time as a clock in that zone shows it, with milliseconds."""
    seconds, thousandths = divmod(int(unix * 1000), 1000)
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S}.{thousandths:03}"


def _length(duration: Any) -> str:  # noqa: ANN401 - whatever number the driver gives
    minutes, seconds = divmod(Decimal(duration), 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}:{seconds:06.3f}"
