"""Calls as they are now, asked of the proxies: /api/activecalls/."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.errors import ApiError
from ngcp.api.parts import part
from ngcp.api.proxy import ProxyControl
from ngcp.api.requests import read_filter, read_listing
from ngcp.api.resource import READING, Kind
from ngcp.provisioning.belongings import Belonging, owners_of
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.principals import Root
from ngcp.provisioning.store import Entity, Listing

#: Kamailio's number of a call that was answered.
ANSWERED: Final = 4
#: What a party's counters are named, and the one that only a caller has.
_PARTY, _CALLER = "totaluser:", "totaluserout:"
#: Filters that mean either side, and what they compare.
_EITHER: Final = ("subscriber_id", "customer_id", "reseller_id")


@dataclass(frozen=True, slots=True)
class ActiveCalls(Kind):
    """Calls that ring or were answered."""

    @property
    def fields(self) -> tuple[str, ...]:
        """What a list can be ordered by."""
        sides = (f"{side}_{name}" for side in ("source", "destination") for name in _EITHER[:2])
        return "id", "call_id", "status", "caller", "callee", "init_time", "start_time", "duration", *sides

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched by."""
        return *self.fields, *_EITHER

    @property
    def item_methods(self) -> tuple[str, ...]:
        """Methods of a call's path."""
        return (*READING, "DELETE")


ACTIVE_CALLS: Final = ActiveCalls(
    "activecalls",
    "active call",
    "Calls as they are now; filtered by `subscriber_id`, `customer_id` or `reseller_id`, `total_count` is how"
    " many somebody has. DELETE ends one that was answered",
    links={
        "source_subscriber_id": "subscribers",
        "source_customer_id": "customers",
        "destination_subscriber_id": "subscribers",
        "destination_customer_id": "customers",
    },
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A call, and whose it is."""

    entity: Entity
    owners: Sequence[Belonging]

    def is_of(self, name: str, number: int) -> bool:
        """Tell whether one who takes part is, or belongs to, the one with that number."""
        return any(getattr(owner, name) == number for owner in self.owners)


@dataclass(frozen=True, slots=True)
class ActiveCallHandlers:
    """The methods of calls."""

    engine: AsyncEngine
    proxy: ProxyControl

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        listing = read_listing(request.query_params)
        filters = listing.filters
        wanted = {name: read_filter(name, filters[name]) for name in _EITHER if name in filters}
        seen = await self._seen(request)
        found = [one.entity for one in seen if all(one.is_of(*of) for of in wanted.items())]
        rest = {name: text for name, text in filters.items() if name not in wanted}
        own = Listing(listing.page, listing.rows, listing.order_by, listing.descending, rest, listing.counted)
        page = part(found, ACTIVE_CALLS.fields, own)
        return self._show(hal.collection(ACTIVE_CALLS, listing, page, [*map(self._item, page.entities)]))

    async def read(self, request: Request) -> Response:
        """Answer GET of a call."""
        return self._show(self._item(await self._find(request)))

    async def remove(self, request: Request) -> Response:
        """Answer DELETE: both sides get a BYE."""
        entity = await self._find(request)
        if entity["status"] != "answered":
            raise ApiError(HTTPStatus.CONFLICT, "The call is not answered yet.")
        await self.proxy.end_call(entity["call_id"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def _find(self, request: Request) -> Entity:
        wanted = request.path_params["id"]
        for one in await self._seen(request):
            if one.entity["id"] == wanted:
                return one.entity
        raise ApiError(HTTPStatus.NOT_FOUND, f"Entity '{ACTIVE_CALLS.entity}' not found.")

    async def _seen(self, request: Request) -> Sequence[Seen]:
        """Return the calls that whoever asks may see."""
        rows, root = await self.proxy.calls(), request.state.principal.root
        sides = [_sides(row["counters"]) for row in rows]
        uuids = {uuid for callers, callees in sides for uuid in (*callers, *callees)}
        async with transaction(self.engine) as connection:
            owners = await owners_of(connection, uuids)
        now = datetime.now(UTC)
        seen = [_describe(row, side, owners, now, root) for row, side in zip(rows, sides, strict=True)]
        return (
            seen if root is None else [one for one in seen if one.is_of(_NAMES[root.resource], root.number)]
        )

    def _item(self, entity: Entity) -> hal.Json:
        return hal.item(ACTIVE_CALLS, entity, show_passwords=False)

    def _show(self, content: hal.Json) -> Response:
        return JSONResponse(content, media_type=ACTIVE_CALLS.profile)


_NAMES: Final[Mapping[str, str]] = {"resellers": "reseller_id"}


def _sides(counters: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the UUIDs of those who call, forwarders included, and of those who are called, in their order.

    The counter of all calls of a caller is followed by that of his outgoing ones.
    """
    callers: list[str] = []
    callees: list[str] = []
    for key in counters:
        if key.startswith(_PARTY):
            callees.append(key.removeprefix(_PARTY))
        elif key.startswith(_CALLER):
            callers.append(callees.pop())
    return callers, callees


def _describe(
    row: Mapping[str, Any],
    sides: tuple[Sequence[str], Sequence[str]],
    owners: Mapping[str, Belonging],
    now: datetime,
    root: Root | None,
) -> Seen:
    """Return a call; whoever may not see everything learns whose it is only of his own."""
    callers, callees = sides
    is_answered = row["state"] == ANSWERED
    start = datetime.fromtimestamp(row["start_ts"], UTC) if is_answered else None
    entity: Entity = {
        "id": row["call-id"],
        "call_id": row["call-id"],
        "status": "answered" if is_answered else "ringing",
        "caller": row["from_uri"],
        "callee": row["to_uri"],
        "init_time": datetime.fromtimestamp(row["init_ts"], UTC),
        "start_time": start,
        "duration": max(0, int((now - start).total_seconds())) if start else 0,
    }
    for side, party in (("source", callers[:1]), ("destination", callees[-1:])):
        owner = owners.get(party[0]) if party else None
        if owner is not None and root is not None and getattr(owner, _NAMES[root.resource]) != root.number:
            owner = None
        entity[f"{side}_subscriber_id"] = owner.subscriber_id if owner else None
        entity[f"{side}_customer_id"] = owner.customer_id if owner else None
    return Seen(entity, [owners[uuid] for uuid in (*callers, *callees) if uuid in owners])
