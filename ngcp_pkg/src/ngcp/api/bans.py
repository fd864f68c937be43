"""Who the load-balancer keeps out, shown and let in again: /api/bannedips/ and /api/bannedusers/."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.errors import ApiError
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.requests import read_listing
from ngcp.api.resource import READING, Kind
from ngcp.provisioning.refusals import BadListing
from ngcp.provisioning.store import Entity, Listing, Page


@dataclass(frozen=True, slots=True)
class Bans(Kind):
    """Bans of one kind."""

    fields: tuple[str, ...]
    fetch: Callable[[], Awaitable[list[Entity]]]
    lift: Callable[[str], Awaitable[None]]

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched and ordered by."""
        return self.fields

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """Methods of the collection's path."""
        return READING

    @property
    def item_methods(self) -> tuple[str, ...]:
        """Methods of a ban's path."""
        return (*READING, "DELETE")


def make_bans(control: LoadBalancerControl) -> tuple[Bans, ...]:
    """Return both kinds."""
    users = ("id", "username", "auth_count", "last_auth")
    return (
        Bans(
            "bannedips",
            "banned address",
            "IP addresses that sent too much; an IPv6 address stands for its /64",
            ("id", "ip"),
            control.addresses,
            control.unban_address,
        ),
        Bans(
            "bannedusers",
            "banned user",
            "Users who failed to log in too often",
            users,
            control.users,
            control.unban_user,
        ),
    )


@dataclass(frozen=True, slots=True)
class BanHandlers:
    """The methods of one kind of ban."""

    bans: Bans

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        listing = read_listing(request.query_params)
        page = part(await self.bans.fetch(), self.bans.fields, listing)
        items = [self._item(entity) for entity in page.entities]
        return self._show(hal.collection(self.bans, listing, page, items))

    async def read(self, request: Request) -> Response:
        """Answer GET of a ban."""
        return self._show(self._item(await self._find(request)))

    async def remove(self, request: Request) -> Response:
        """Answer DELETE: the ban is lifted."""
        entity = await self._find(request)
        await self.bans.lift(entity["id"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _find(self, request: Request) -> Entity:
        wanted = request.path_params["id"]
        for entity in await self.bans.fetch():
            if entity["id"] == wanted:
                return entity
        raise ApiError(HTTPStatus.NOT_FOUND, f"Entity '{self.bans.entity}' not found.")

    def _item(self, entity: Entity) -> hal.Json:
        return hal.item(self.bans, entity, show_passwords=False)

    def _show(self, content: hal.Json) -> Response:
        return JSONResponse(content, media_type=self.bans.profile)


def part(entities: Sequence[Entity], fields: Sequence[str], listing: Listing) -> Page:
    """Return the part of a list that `listing` describes, as a store would; raises BadListing."""
    for name in (*listing.filters, listing.order_by):
        if name not in fields:
            raise BadListing(f"Unknown query parameter '{name}', must be one of {', '.join(fields)}.")
    found = [one for one in entities if all(_matches(one[n], v) for n, v in listing.filters.items())]
    found.sort(key=lambda one: (one[listing.order_by] is not None, one[listing.order_by], one["id"]))
    if listing.descending:
        found.reverse()
    start = (listing.page - 1) * listing.rows
    return Page(found[start : start + listing.rows], len(found) if listing.counted else None)


def _matches(value: object, wanted: str) -> bool:
    literal = "".join(f"[{character}]" if character in "?[" else character for character in wanted)
    return fnmatchcase(str(hal.plain(value)), literal)
