"""CDRs for operators (/api/calls/), and as lists for those whose calls they are (/api/calllists/)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.errors import ApiError
from ngcp.api.requests import read_filter, read_listing, read_number
from ngcp.api.resource import Kind
from ngcp.api.roles import PROVIDER
from ngcp.provisioning.belongings import owners_of
from ngcp.provisioning.call_views import SIDES, detail, hidden_inside, summary
from ngcp.provisioning.cdrs import FILTERS, OWN_FILTERS, Found, Row, Search, conditions, find_cdr
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.parties import COLUMNS, Party, find_party, party_of_root
from ngcp.provisioning.periods import zone_of
from ngcp.provisioning.principals import Principal
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Listing, Page

#: Filters that say whose call list is meant.
OWNERS: Final = ("subscriber_id", "customer_id")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, and by whom."""

    principal: Principal
    wanted: Mapping[str, int]
    """Numbers by those filters that name somebody."""
    listing: Listing
    """The rest of it."""
    zone: tzinfo

    @property
    def is_of_somebody(self) -> bool:
        """Whether it is about somebody's calls only."""
        return bool(self.wanted) or self.principal.root is not None

    async def party(self, connection: AsyncConnection) -> Party | None:
        """Return whose calls they are; None if anybody's, or if nobody's."""
        if not self.is_of_somebody:
            return None
        return await find_party(connection, self.wanted, self.principal.root)


#: How CDRs are shown to whoever asks; they are calls of that party.
View: TypeAlias = Callable[
    [AsyncConnection, Question, Sequence[Row], Party | None], Awaitable[Sequence[Entity]]
]


@dataclass(frozen=True, slots=True)
class Records(Kind):
    """Call records: they are only read."""

    owners: tuple[str, ...]
    """Filters that name somebody."""
    needs_owner: bool
    """Whether operators must say whose calls they mean."""
    view: View

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched by."""
        return *self.owners, *FILTERS, *OWN_FILTERS, "tz"

    def read(self, request: Request) -> Question:
        """Read the query; raises ApiError, BadListing and InvalidValue."""
        question = read_owner(request, self.owners, needed=self.needs_owner)
        filters = question.listing.filters
        conditions(filters, question.zone)  # of nobody's calls, too
        for name in OWN_FILTERS:
            if name in filters and not question.is_of_somebody:
                raise InvalidValue(name, filters[name], "needs subscriber_id or customer_id")
        return question


def read_owner(request: Request, owners: Sequence[str], *, needed: bool = True) -> Question:
    """Read a query whose filters `owners` say whose calls are meant; raises ApiError and InvalidValue."""
    principal: Principal = request.state.principal
    listing = read_listing(request.query_params)
    filters = dict(listing.filters)
    wanted = {name: read_filter(name, filters.pop(name)) for name in owners if name in filters}
    if needed and not wanted and not principal.is_customer:
        raise InvalidValue("subscriber_id", "", "this, or customer_id, is needed")
    zone = _zone(filters.pop("tz")) if "tz" in filters else UTC
    return Question(principal, wanted, replace(listing, filters=filters), zone)


async def show_details(
    connection: AsyncConnection, question: Question, rows: Sequence[Row], party: Party | None
) -> Sequence[Entity]:
    """Show CDRs, column by column."""
    root = question.principal.root
    viewer = await party_of_root(connection, root) if root else None
    owners = await owners_of(connection, {row[f"{side}_user_id"] for row in rows for side in SIDES})
    return [detail(row, viewer, owners) for row in rows]


async def show_summaries(
    connection: AsyncConnection, question: Question, rows: Sequence[Row], party: Party | None
) -> Sequence[Entity]:
    """Show CDRs as calls from or to somebody."""
    if party is None:
        return []
    sees_hidden = question.principal.role in PROVIDER
    hidden = set() if sees_hidden else await hidden_inside(connection, rows)
    return [summary(row, party, question.zone, sees_hidden=sees_hidden, hidden_inside=hidden) for row in rows]


CALLS: Final = Records(
    "calls",
    "call",
    "CDRs: one for each leg of a call; `total_count` is left out above 100000",
    tuple(COLUMNS),
    False,
    show_details,
    links={
        "source_subscriber_id": "subscribers",
        "source_customer_id": "customers",
        "destination_subscriber_id": "subscribers",
        "destination_customer_id": "customers",
    },
)
LISTS: Final = Records(
    "calllists",
    "call",
    "Calls of a subscriber (`subscriber_id`) or customer (`customer_id`) as he sees them, in time zone `tz`",
    OWNERS,
    True,
    show_summaries,
)
RECORDS: Final = (CALLS, LISTS)


@dataclass(frozen=True, slots=True)
class RecordHandlers:
    """The methods of one kind of records."""

    kind: Records
    engine: AsyncEngine

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        question, found = self.kind.read(request), Found((), 0, False)
        async with transaction(self.engine) as connection:
            party = await question.party(connection)
            if party is not None or not question.is_of_somebody:
                found = await Search(question.listing, party, question.zone).page(connection)
            entities = await self.kind.view(connection, question, found.rows, party)
        items = [self._item(question, entity) for entity in entities]
        page = Page(entities, found.total if question.listing.counted else None, found.has_more)
        content = hal.collection(self.kind, read_listing(request.query_params), page, items)
        return JSONResponse(content, media_type=self.kind.profile)

    async def read(self, request: Request) -> Response:
        """Answer GET of a record."""
        number, question = read_number(request.path_params["number"]), self.kind.read(request)
        async with transaction(self.engine) as connection:
            party = await question.party(connection)
            row = None
            if party is not None or not question.is_of_somebody:
                row = await find_cdr(connection, number, party)
            if row is None:
                raise ApiError(HTTPStatus.NOT_FOUND, f"Entity '{self.kind.entity}' not found.")
            (entity,) = await self.kind.view(connection, question, [row], party)
        return JSONResponse(self._item(question, entity), media_type=self.kind.profile)

    def _item(self, question: Question, entity: Entity) -> hal.Json:
        item = hal.item(self.kind, entity, show_passwords=False)
        if self.kind.needs_owner and question.wanted:
            item["_links"]["self"]["href"] += f"?{urlencode(question.wanted)}"
        return item


def _zone(name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError as error:
        raise InvalidValue("tz", name, str(error)) from error
