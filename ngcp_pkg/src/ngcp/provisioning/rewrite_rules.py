"""Rewrite rule sets, their rules, and the dialplans that are the proxy's copy of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.rewriting import check_replacement
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.numbers import (
    DPIDS,
    dialplan,
    voip_rewrite_rule_sets,
    voip_rewrite_rules,
    voip_rwrs_sequence,
)

#: Priority of the first rule of a set that is given as a list; each one after it counts one more.
FIRST_PRIORITY: Final = 30
#: What a rule of such a list says by itself.
_GIVEN: Final = ("match_pattern", "replace_pattern", "description", "direction", "field", "enabled")


class RewriteRuleSetStore(ResellerRecordStore):
    """Sets of rewrite rules, each with six dialplans; the rules may be given with the set, in order."""

    table = voip_rewrite_rule_sets

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the rules, first to last."""
        columns = voip_rewrite_rules.c
        numbers = [entity["id"] for entity in entities]
        query = select(voip_rewrite_rules).where(columns.set_id.in_(numbers))
        rows = (await connection.execute(query.order_by(columns.priority, columns.id))).mappings()
        rules: dict[int, list[Entity]] = {number: [] for number in numbers}
        for row in rows:
            rules[row["set_id"]].append({**row, "enabled": bool(row["enabled"])})
        return [entity | {"rewriterules": rules[entity["id"]]} for entity in entities]

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Give a new set its dialplans; rules that are as they were stay."""
        values = await super().prepare(connection, values, entity)
        if entity is None:
            return {**values, **{name: await add_row(connection, voip_rwrs_sequence) for name in DPIDS}}
        dpids, rules = {name: entity[name] for name in DPIDS}, values["rewriterules"]
        stay = rules is None or list(map(_given, rules)) == list(map(_given, entity["rewriterules"]))
        return {**values, **dpids, "rewriterules": None if stay else rules}

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Replace the rules that are given, if the set is still there, and the dialplans."""
        there = select(voip_rewrite_rule_sets.c.id).where(voip_rewrite_rule_sets.c.id == entity["id"])
        if entity["rewriterules"] is not None and (await connection.execute(there)).first() is not None:
            mine = voip_rewrite_rules.c.set_id == entity["id"]
            await connection.execute(delete(voip_rewrite_rules).where(mine))
            for priority, rule in enumerate(entity["rewriterules"], FIRST_PRIORITY):
                row = {**_given(rule), "set_id": entity["id"], "priority": priority}
                await add_row(connection, voip_rewrite_rules, **row)
        await _publish(connection, {name: entity[name] for name in DPIDS})
        await super().publish(connection, entity)


class RewriteRuleStore(RecordStore):
    """Rewrite rules, each of one set; the rule of the lowest priority is tried first."""

    table = voip_rewrite_rules
    fixed = ("set_id",)

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check that the replacement has the groups that it names."""
        try:
            check_replacement(values["replace_pattern"], values["match_pattern"])
        except ValueError as error:
            raise InvalidValue("replace_pattern", values["replace_pattern"], str(error)) from error
        return values

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Bring the set's dialplans."""
        there = select(voip_rewrite_rule_sets).where(voip_rewrite_rule_sets.c.id == entity["set_id"])
        row = (await connection.execute(there)).mappings().one()
        await _publish(connection, {name: row[name] for name in DPIDS})
        await super().publish(connection, entity)


def _given(rule: Values) -> dict[str, Any]:
    return {name: rule[name] for name in _GIVEN}


async def _publish(connection: AsyncConnection, dpids: Mapping[str, int]) -> None:
    """Make dialplans what their set's rules say; a set that is gone has none."""
    await connection.execute(delete(dialplan).where(dialplan.c.dpid.in_(dpids.values())))
    columns, sets = voip_rewrite_rules.c, voip_rewrite_rule_sets.c
    query = select(voip_rewrite_rules).join(voip_rewrite_rule_sets, columns.set_id == sets.id)
    mine = query.where(sets[DPIDS[0]] == dpids[DPIDS[0]], columns.enabled)
    rows = (await connection.execute(mine.order_by(columns.id))).mappings().all()
    if rows:
        await connection.execute(insert(dialplan), [_plan(row, dpids) for row in rows])


def _plan(row: RowMapping, dpids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "dpid": dpids[f"{row['field']}_{row['direction']}_dpid"],
        "pr": row["priority"],
        "match_op": 1,
        "match_exp": row["match_pattern"],
        "match_len": 0,
        "subst_exp": row["match_pattern"],
        "repl_exp": row["replace_pattern"],
        "attrs": "",
    }
