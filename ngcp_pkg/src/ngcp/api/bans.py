"""Who the load-balancer keeps out, shown and let in again: /api/bannedips/ and /api/bannedusers/."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.errors import ApiError
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.parts import part
from ngcp.api.requests import read_listing
from ngcp.api.resource import READING, Kind
from ngcp.provisioning.store import Entity


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
