"""Preferences over REST: what is set at each level, and what can be."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ConfigDict
from pydantic.config import JsonDict
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.models import Body
from ngcp.api.resource import Kind, Resource
from ngcp.provisioning.preferences.catalogue import Attribute
from ngcp.provisioning.preferences.levels import CUSTOMER, DOMAIN, PEER, PROFILE, RESELLER, SUBSCRIBER, Level
from ngcp.provisioning.preferences.store import PreferenceStore
from ngcp.provisioning.store import Entity

_TYPES: Final[Mapping[str, str]] = {"boolean": "boolean", "int": "integer"}


class PreferenceBody(Body):
    """Preferences by name; those that are not given, or are null, are unset."""

    model_config = ConfigDict(extra="allow")

    store: ClassVar[PreferenceStore]
    """Where they are kept."""

    @classmethod
    def document(cls, entity: Entity, fields: Collection[str]) -> dict[str, Any]:
        """Return what a patch is applied to: whatever can be set is there, if only as null."""
        cls.store.check_names(set(fields) - cls.unwritable - {"id"})
        return dict.fromkeys(cls.store.visible) | {
            name: entity[name] for name in cls.store.visible & entity.keys()
        }

    def values(self) -> dict[str, Any]:
        """Return the preferences as stores take them."""
        return self.model_extra or {}


@dataclass(frozen=True, slots=True)
class Definitions(Kind):
    """The document that tells which preferences a level has."""

    store: PreferenceStore

    @property
    def filters(self) -> tuple[str, ...]:
        """There is one document, and all of it."""
        return ()

    @property
    def item_methods(self) -> tuple[str, ...]:
        """It has no items."""
        return ()

    def endpoint(self) -> Callable[[], Awaitable[Response]]:
        """Return the handler of GET."""
        document = {"_links": hal.document_links(self)} | {
            name: _definition(self.store.attributes[name]) for name in sorted(self.store.visible)
        }

        async def show() -> Response:
            return JSONResponse(document, media_type=self.profile)

        return show


def _definition(attribute: Attribute) -> Mapping[str, Any]:
    choices = [
        {"label": choice, "value": choice, "default_val": choice == attribute.default}
        for choice in attribute.choices
    ]
    return {
        "label": attribute.name.replace("_", " "),
        "preference_group": attribute.group,
        "description": attribute.description,
        "data_type": "string" if attribute.access == "named" else attribute.data_type,
        "max_occur": int(not attribute.is_list),
        "read_only": not attribute.is_writable,
        "expose_to_customer": attribute.is_exposed,
        "default": attribute.default,
    } | ({"enum_values": choices} if choices else {})


def _schema(attribute: Attribute) -> JsonDict:
    """Return what OpenAPI says of an attribute."""
    kind = "string" if attribute.access == "named" else _TYPES.get(attribute.data_type, "string")
    one: JsonDict = {"type": kind} | ({"enum": [*attribute.choices]} if attribute.choices else {})
    schema: JsonDict = {"type": "array", "items": one} if attribute.is_list else one
    return schema | {"description": attribute.description, "readOnly": not attribute.is_writable}


def _body(store: PreferenceStore, name: str) -> type[PreferenceBody]:
    """Return the model of a level's preferences."""
    properties: JsonDict = {one: _schema(store.attributes[one]) for one in sorted(store.visible)}
    config = ConfigDict(extra="allow", json_schema_extra={"properties": properties})
    members = {
        "__doc__": PreferenceBody.__doc__,
        "__module__": __name__,
        "model_config": config,
        "store": store,
        "unwritable": frozenset({store.level.field}),
    }
    return type(name, (PreferenceBody,), members)


def _resources(level: Level, of: str, owners: str) -> tuple[Resource, Definitions]:
    """Return the preferences of `owners`, which are resources, and their definitions."""
    store = PreferenceStore(level)
    body = _body(store, f"{of.title().replace(' ', '')}Preferences")
    name = f"{of.replace(' ', '')}preference"
    summary = f"What is set for {of}s; what can be set is told by `{name}defs`"
    preferences = Resource(f"{name}s", f"{of} preference", summary, store, body, links={level.field: owners})
    return preferences, Definitions(
        f"{name}defs", f"{of} preference definition", f"What can be set for {of}s", store
    )


_PAIRS: Final = (
    _resources(SUBSCRIBER, "subscriber", "subscribers"),
    _resources(DOMAIN, "domain", "domains"),
    _resources(CUSTOMER, "customer", "customers"),
    _resources(PROFILE, "profile", "subscriberprofiles"),
    _resources(RESELLER, "reseller", "resellers"),
    _resources(PEER, "peering server", "peeringservers"),
)
PREFERENCES: Final = tuple(resource for resource, _ in _PAIRS)
DEFINITIONS: Final = tuple(definitions for _, definitions in _PAIRS)
