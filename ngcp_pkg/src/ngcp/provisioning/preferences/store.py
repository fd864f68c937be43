"""What is set at a level, as operators see it: one entity for each who may have preferences."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences import networks, references, truth
from ngcp.provisioning.preferences.catalogue import Attribute, at_level, suggestion
from ngcp.provisioning.preferences.levels import Level, Owner
from ngcp.provisioning.preferences.profiles import allowed_by_profile
from ngcp.provisioning.preferences.references import REFERENCES, Names
from ngcp.provisioning.preferences.values import Texts, from_texts, to_texts, wrong
from ngcp.provisioning.refusals import InvalidValue, NotAllowed
from ngcp.provisioning.store import Ended, Entity, Store, Values

#: Column of the selection that is no field.
_KEY: Final = "key"


class PreferenceStore(Store):
    """Preferences at one level."""

    secret = frozenset({_KEY})

    def __init__(self, level: Level) -> None:
        self.level = level
        self.attributes = at_level(level.name)
        self.visible = frozenset(name for name, one in self.attributes.items() if one.is_visible)

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return self.level.selection()

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add what is set, by attribute."""
        found = await truth.read(connection, self.level, [entity[_KEY] for entity in entities])
        names = await references.name_all(connection, found.values())
        return [
            {name: value for name, value in entity.items() if name != _KEY}
            | self._shown(found[entity[_KEY]], names)
            for entity in entities
        ]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`: what `values` do not have, or have as None, is unset."""
        self.check_names(values)
        owner = await self.level.owner(connection, entity["id"])
        kept: dict[str, Texts] = {}
        for name, attribute in self.attributes.items():
            value = values.get(name)
            if value == entity.get(name):
                continue
            if not attribute.is_writable:
                if value is not None:
                    raise wrong(attribute, value, "is read-only")
                continue
            kept |= await self._kept(connection, owner, attribute, value)
        await truth.write(connection, self.level, owner, kept)
        return ()

    def shown_to_customers(self, entity: Entity) -> Entity:
        """See `Store`: what they may set for themselves."""
        own = {name for name in self.visible if self.attributes[name].is_exposed}
        return {name: value for name, value in entity.items() if name in own or name not in self.visible}

    async def of_customers(self, connection: AsyncConnection, entity: Entity, values: Values) -> Values:
        """See `Store`: what is exposed to them and, if there is a profile, belongs to it; the rest stays."""
        self.check_names(values)
        profile = await allowed_by_profile(connection, entity["id"])
        kept = {**values}
        for name in self.visible:
            if self.attributes[name].is_exposed and (profile is None or name in profile):
                continue
            if values.get(name) not in (None, entity.get(name)):
                raise NotAllowed(f"Preference '{name}' is not for subscribers to change.")
            kept[name] = entity.get(name)
        return kept

    def check_names(self, names: Collection[str]) -> None:
        """Raise InvalidValue if there are no such preferences here."""
        for name in names:
            if name not in self.visible:
                problem = "is internal" if name in self.attributes else "is no preference here"
                raise InvalidValue(name, "", f"{problem}{suggestion(name, self.visible)}")

    async def _kept(
        self, connection: AsyncConnection, owner: Owner, attribute: Attribute, value: object
    ) -> Mapping[str, Texts]:
        if attribute.name in REFERENCES:
            return await references.resolve(connection, owner, attribute, value)
        if attribute.access == "networks":
            return await networks.group(connection, self.level, owner, attribute, value)
        return {attribute.name: to_texts(attribute, value)}

    def _shown(self, found: Mapping[str, Texts], names: Names) -> Entity:
        shown: Entity = {}
        for name, attribute in self.attributes.items():
            if name in REFERENCES:
                number = found.get(REFERENCES[name].holder)
                if number and (name, number[0]) in names:
                    shown[name] = names[name, number[0]]
            elif attribute.is_visible and found.get(name):
                shown[name] = from_texts(attribute, found[name])
        return shown


async def put_internal(
    connection: AsyncConnection, level: Level, number: int, values: Mapping[str, Texts]
) -> None:
    """Set preferences that only we write, for whom operators know by `number`."""
    await truth.write(connection, level, await level.owner(connection, number), values)
