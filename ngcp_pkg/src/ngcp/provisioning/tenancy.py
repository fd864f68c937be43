"""What belongs to whom: entities are linked to those that they belong to, up to a reseller."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, false
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.principals import Root
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Store, Values


class Member(NamedTuple):
    """A kind of entities, and the fields that refer to entities of other kinds."""

    store: Store
    links: Mapping[str, str]


class Tenancy:
    """All kinds of entities, by the names that links have for them."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members

    def condition(self, name: str, root: Root) -> ColumnElement[bool]:
        """Return what is true of those entities of kind `name` that are the root, or belong to it."""
        fields = self._members[name].store.fields()
        if name == root.resource:
            return fields["id"] == root.number
        step = self._step(name, root.resource)
        if step is None:
            return false()
        field, parent = step
        return fields[field].in_(self._numbers(parent, root))

    async def holds(self, connection: AsyncConnection, name: str, number: int, root: Root) -> bool:
        """Tell whether entity `number` is the root, or belongs to it."""
        store = self._members[name].store
        query = store.selection().where(store.fields()["id"] == number, self.condition(name, root))
        return (await connection.execute(query.limit(1))).first() is not None

    async def check(self, connection: AsyncConnection, name: str, values: Values, root: Root) -> Values:
        """Return `values`, with the reseller if none is given; InvalidValue if they name others'."""
        links = self._members[name].links
        if root.resource == "resellers" and links.get("reseller_id") == "resellers":
            values = {**values, "reseller_id": values.get("reseller_id") or root.number}
        for field, parent in links.items():
            number = values.get(field)
            if number is None or parent not in self._members:
                continue
            if not await self.holds(connection, parent, number, root):
                raise InvalidValue(field, number, "does not exist")
        return values

    def _numbers(self, name: str, root: Root) -> Select[Any]:
        """Return the numbers of those entities of kind `name` that belong to the root."""
        fields = self._members[name].store.fields()
        return (
            self._members[name]
            .store.selection()
            .with_only_columns(fields["id"])
            .where(self.condition(name, root))
        )

    def _step(self, name: str, goal: str) -> tuple[str, str] | None:
        """Return the link by which the shortest way to `goal` begins."""
        reached, waiting = {name}, deque((step, step) for step in self._links(name))
        while waiting:
            first, (_, here) = waiting.popleft()
            if here == goal:
                return first
            if here not in reached:
                reached.add(here)
                waiting.extend((first, step) for step in self._links(here))
        return None

    def _links(self, name: str) -> Iterator[tuple[str, str]]:
        yield from self._members[name].links.items() if name in self._members else ()
