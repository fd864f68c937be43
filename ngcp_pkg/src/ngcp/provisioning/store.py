"""Entities as operators know them: flat fields by name, listed, found and changed.

What a store can do decides what its callers may ask for: one that can `create` is a `Creator`, and so on.
Stores raise `Refusal`; whoever opened the transaction translates IntegrityError by `refusal_of`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from sqlalchemy import ColumnElement, Integer, Numeric, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.refusals import BadListing

Entity: TypeAlias = dict[str, Any]
Values: TypeAlias = Mapping[str, Any]
#: Addresses-of-record that a change has ended: their registrations must go.
Ended: TypeAlias = Sequence[str]
Condition: TypeAlias = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which part of a list is wanted."""

    page: int = 1
    rows: int = 10
    order_by: str = "id"
    descending: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    """Wanted values by field; "*" stands for any text, "NULL" for no value."""
    counted: bool = True
    """Whether the length of the whole list is wanted too."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and how long the whole is (None: not asked for)."""

    entities: Sequence[Entity]
    total: int | None
    has_more: bool = False
    """Whether it is known that there are further ones, though not how many."""


class Store(ABC):
    """One kind of entity."""

    secret: ClassVar[frozenset[str]] = frozenset()
    """Fields that can neither be searched nor ordered by."""

    @abstractmethod
    def selection(self) -> Select[Any]:
        """Return one row per entity that is not terminated, each column labelled with its field's name."""

    def conditions(self) -> Mapping[str, Condition]:
        """Return what can be filtered by besides the selection's own fields."""
        return {}

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Return `entities` with what is kept in other tables."""
        return entities

    def shown_to_customers(self, entity: Entity) -> Entity:
        """Return what subscribers see of what is theirs."""
        return entity

    async def of_customers(self, connection: AsyncConnection, entity: Entity, values: Values) -> Values:
        """Return what subscribers may make of what is theirs; raises `Refusal`."""
        return values

    def fields(self) -> dict[str, ColumnElement[Any]]:
        """Return the selection's columns that can be searched, by field."""
        columns = self.selection().selected_columns.items()
        return {
            name: getattr(column, "element", column) for name, column in columns if name not in self.secret
        }

    async def find(self, connection: AsyncConnection, number: int, *, lock: bool = False) -> Entity | None:
        """Return entity `number`; with `lock` nobody else changes it until the transaction ends."""
        query = self.selection().where(self.fields()["id"] == number)
        row = (await connection.execute(query.with_for_update() if lock else query)).mappings().first()
        if row is None:
            return None
        (entity,) = await self.complete(connection, [dict(row)])
        return entity

    async def page(
        self, connection: AsyncConnection, listing: Listing, within: ColumnElement[bool] | None = None
    ) -> Page:
        """Return the part of the list that `listing` describes, of what is `within`; raises BadListing."""
        query, total = self._filtered(listing.filters), None
        if within is not None:
            query = query.where(within)
        if listing.counted:
            total = (
                await connection.execute(select(func.count()).select_from(query.subquery()))
            ).scalar_one()
        order = [column.desc() if listing.descending else column.asc() for column in self._order(listing)]
        part = query.order_by(*order).offset((listing.page - 1) * listing.rows).limit(listing.rows)
        entities = [dict(row) for row in (await connection.execute(part)).mappings()]
        return Page(await self.complete(connection, entities), total)

    def _order(self, listing: Listing) -> list[ColumnElement[Any]]:
        fields = self.fields()
        if listing.order_by not in fields:
            raise BadListing(f"Invalid order_by '{listing.order_by}', must be one of {', '.join(fields)}.")
        return [fields[listing.order_by], fields["id"]]

    def _filtered(self, filters: Mapping[str, str]) -> Select[Any]:
        query, fields, conditions = self.selection(), self.fields(), self.conditions()
        for name, wanted in filters.items():
            if name in conditions:
                query = query.where(conditions[name](wanted))
            elif name in fields:
                query = query.where(matches(name, fields[name], wanted))
            else:
                known = ", ".join([*fields, *conditions])
                raise BadListing(f"Unknown query parameter '{name}', must be one of {known}.")
        return query


def matches(name: str, column: ColumnElement[Any], wanted: str) -> ColumnElement[bool]:
    """Return the condition that `column` is `wanted`; raises BadListing if it never can be."""
    if wanted == "NULL":
        return column.is_(None)
    if isinstance(column.type, Integer):
        if not (wanted.isascii() and wanted.isdigit()):
            raise BadListing(f"Invalid query parameter '{name}', a number expected.")
        return column == int(wanted[:20])
    if isinstance(column.type, Numeric):
        try:
            return column == float(wanted)
        except ValueError:
            raise BadListing(f"Invalid query parameter '{name}', a number expected.") from None
    if "*" not in wanted:
        return column == wanted
    literal = wanted.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return column.like(literal.replace("*", "%"), escape="/")


@runtime_checkable
class Creator(Protocol):
    """A store that takes new entities."""

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """Store a new entity and return its number."""


@runtime_checkable
class Changer(Protocol):
    """A store whose entities can be changed."""

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """Give `entity`, as found with `lock`, the fields `values`."""


@runtime_checkable
class Remover(Protocol):
    """A store whose entities can be removed."""

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove, or terminate, `entity` as found with `lock`."""
