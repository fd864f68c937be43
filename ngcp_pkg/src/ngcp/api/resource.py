"""What a resource is: a name, a store, a model; all the rest follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ngcp.api.models import Body
from ngcp.provisioning.store import Changer, Creator, Remover, Store

READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Kind:
    """A collection at /api/NAME/, wherever its entities come from."""

    name: str
    """Plural, as in its path."""
    entity: str
    """Singular, as in messages."""
    summary: str
    links: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Fields that refer to entities of other resources, and those resources' names."""

    @property
    def path(self) -> str:
        """Path of the collection."""
        return f"/api/{self.name}/"

    @property
    def profile(self) -> str:
        """Media type of its representation."""
        return f'application/hal+json; profile="http://purl.org/sipwise/ngcp-api/#rel-{self.name}"'

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched by."""
        raise NotImplementedError

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """Methods of the collection's path: it is only read, unless somebody says otherwise."""
        return READING

    @property
    def item_methods(self) -> tuple[str, ...]:
        """Methods of an entity's path."""
        return READING


@dataclass(frozen=True, slots=True)
class Resource(Kind):
    """A collection of entities in the database."""

    store: Store
    body: type[Body] | None = None
    """What clients may write; None for what they only read."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched by."""
        return *self.store.fields(), *self.store.conditions()

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """Methods of the collection's path."""
        return (*READING, "POST") if self.body and isinstance(self.store, Creator) else READING

    @property
    def item_methods(self) -> tuple[str, ...]:
        """Methods of an entity's path."""
        changing = ("PUT", "PATCH") if self.body and isinstance(self.store, Changer) else ()
        removing = ("DELETE",) if isinstance(self.store, Remover) else ()
        return (*READING, *changing, *removing)
