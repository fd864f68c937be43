"""Preferences that name something: kept as its number, and as what follows from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Table, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences.catalogue import Attribute, suggestion
from ngcp.provisioning.preferences.levels import LEVELS, Owner
from ngcp.provisioning.preferences.values import Texts, wrong
from ngcp.provisioning.refusals import InUse
from ngcp.provisioning.tables.numbers import (
    DPIDS,
    emergency_containers,
    ncos_levels,
    ncos_sets,
    voip_rewrite_rule_sets,
)
from ngcp.provisioning.tables.preferences import voip_preferences
from ngcp.provisioning.tables.sounds import voip_sound_sets

#: Names that are looked through for one that resembles a wrong one.
MOST: Final = 500


#: Names by attribute and number, as it is kept.
Names: TypeAlias = Mapping[tuple[str, str], str]


def _of_reseller(table: Table) -> Callable[[Owner], ColumnElement[bool]]:
    column = table.c.reseller_id

    def condition(owner: Owner) -> ColumnElement[bool]:
        return true() if owner.reseller is None else or_(column == owner.reseller, column.is_(None))

    return condition


def _sounds(owner: Owner) -> ColumnElement[bool]:
    return _of_reseller(voip_sound_sets)(owner) & voip_sound_sets.c.contract_id.is_(None)


def _own_sounds(owner: Owner) -> ColumnElement[bool]:
    return voip_sound_sets.c.contract_id == owner.contract


@dataclass(frozen=True, slots=True)
class Reference:
    """What a preference names."""

    name: Column[Any]
    """The names."""
    holder: str
    """Attribute that keeps the number."""
    condition: Callable[[Owner], ColumnElement[bool]]
    """Whom it may belong to."""
    others: Mapping[str, Column[Any]] = field(default_factory=dict)
    """What is kept, too, by attribute."""

    @property
    def table(self) -> Table:
        """Where the names are."""
        return self.name.table


_LEVEL: Final = (ncos_levels.c.level, _of_reseller(ncos_levels))
_SET: Final = (ncos_sets.c.name, _of_reseller(ncos_sets))
_RULES: Final = (voip_rewrite_rule_sets.c.name, _of_reseller(voip_rewrite_rule_sets))

REFERENCES: Final[Mapping[str, Reference]] = {
    "ncos": Reference(_LEVEL[0], "ncos_id", _LEVEL[1]),
    "adm_ncos": Reference(_LEVEL[0], "adm_ncos_id", _LEVEL[1]),
    "adm_cf_ncos": Reference(_LEVEL[0], "adm_cf_ncos_id", _LEVEL[1]),
    "ncos_set": Reference(_SET[0], "ncos_set_id", _SET[1]),
    "adm_ncos_set": Reference(_SET[0], "adm_ncos_set_id", _SET[1]),
    "adm_cf_ncos_set": Reference(_SET[0], "adm_cf_ncos_set_id", _SET[1]),
    "rewrite_rule_set": Reference(
        _RULES[0],
        "rewrite_rule_set",
        _RULES[1],
        {f"rewrite_{name}": voip_rewrite_rule_sets.c[name] for name in DPIDS},
    ),
    "cdr_export_sclidui_rwrs": Reference(_RULES[0], "cdr_export_sclidui_rwrs_id", _RULES[1]),
    "sound_set": Reference(voip_sound_sets.c.name, "sound_set", _sounds),
    "contract_sound_set": Reference(voip_sound_sets.c.name, "contract_sound_set", _own_sounds),
    "emergency_mapping_container": Reference(
        emergency_containers.c.name, "emergency_mapping_container_id", _of_reseller(emergency_containers)
    ),
}


def _columns(reference: Reference) -> Mapping[str, str]:
    return {name: column.name for name, column in reference.others.items()}


async def resolve(
    connection: AsyncConnection, owner: Owner, attribute: Attribute, value: object
) -> Mapping[str, Texts]:
    """Return what is kept if `attribute` names `value`; raises InvalidValue if there is no such thing."""
    reference = REFERENCES[attribute.name]
    kept = dict.fromkeys((reference.holder, *reference.others), ())
    if value in (None, ""):
        return kept
    query = select(reference.table).where(reference.condition(owner))
    row = (await connection.execute(query.where(reference.name == str(value)).limit(1))).mappings().first()
    if row is None:
        names = (await connection.execute(query.with_only_columns(reference.name).limit(MOST))).scalars()
        raise wrong(attribute, value, f"does not exist{suggestion(str(value), tuple(names))}")
    return kept | {
        attribute: (str(row[column]),)
        for attribute, column in {reference.holder: "id", **_columns(reference)}.items()
        if row[column] is not None
    }


async def name_all(connection: AsyncConnection, found: Iterable[Mapping[str, Texts]]) -> Names:
    """Return the names of whatever `found` keeps numbers of."""
    found, names = list(found), dict[tuple[str, str], str]()
    for attribute, reference in REFERENCES.items():
        numbers = {int(values[reference.holder][0]) for values in found if values.get(reference.holder)}
        if numbers:
            query = select(reference.table.c.id, reference.name).where(reference.table.c.id.in_(numbers))
            rows = await connection.execute(query)
            names |= {(attribute, str(number)): str(name) for number, name in rows}
    return names


async def refuse_if_named(connection: AsyncConnection, table: Table, number: int) -> None:
    """Raise InUse if any preference names row `number` of `table`."""
    holders = [reference.holder for reference in REFERENCES.values() if reference.table is table]
    if not holders:
        return
    named = [
        select(literal(level.name))
        .join_from(level.truth, voip_preferences, level.truth.c.attribute_id == voip_preferences.c.id)
        .where(voip_preferences.c.attribute.in_(holders), level.truth.c.value == str(number))
        for level in LEVELS
    ]
    level = (await connection.execute(union_all(*named).limit(1))).scalar()
    if level is not None:
        raise InUse(f"Entity is still in use by {level} preferences.")
