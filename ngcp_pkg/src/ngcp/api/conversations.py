"""Somebody's calls and voice messages, merged by time: /api/conversations/."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ngcp.api import hal
from ngcp.api.call_records import OWNERS, Question, read_owner, show_summaries
from ngcp.api.errors import ApiError
from ngcp.api.requests import read_listing, read_number
from ngcp.api.resource import Kind
from ngcp.provisioning.call_views import message
from ngcp.provisioning.cdrs import Found, Row, find_cdr
from ngcp.provisioning.conversations import CALL, FILTERS, ORDER, Conversations, check, check_type, load
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.parties import Party, find_party
from ngcp.provisioning.store import Entity, Page


@dataclass(frozen=True, slots=True)
class ConversationKind(Kind):
    """Calls and messages: they are only read."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What a list can be searched by."""
        return *OWNERS, *FILTERS, "tz"


CONVERSATIONS: Final = ConversationKind(
    "conversations",
    "conversation",
    "Calls and voice messages (`type`) of a subscriber (`subscriber_id`) or customer (`customer_id`) by time;"
    f" `order_by={ORDER}`",
)


@dataclass(frozen=True, slots=True)
class ConversationHandlers:
    """The methods of conversations."""

    engine: AsyncEngine

    async def list(self, request: Request) -> Response:
        """Answer GET of the collection."""
        question, found = read_owner(request, OWNERS), Found((), 0, False)
        entities: Sequence[Entity] = ()
        check(question.listing, question.zone)
        async with transaction(self.engine) as connection:
            party = await question.party(connection)
            if party is not None:
                found = await Conversations(question.listing, party, question.zone).page(connection)
                entities = await _shown(connection, question, found.rows, party)
        page = Page(entities, found.total if question.listing.counted else None, found.has_more)
        items = [_item(question, entity) for entity in entities]
        content = hal.collection(CONVERSATIONS, read_listing(request.query_params), page, items)
        return JSONResponse(content, media_type=CONVERSATIONS.profile)

    async def read(self, request: Request) -> Response:
        """Answer GET of a call or message; `type` says which of them."""
        number, question = read_number(request.path_params["number"]), read_owner(request, OWNERS)
        kind = check_type(question.listing.filters.get("type"))
        async with transaction(self.engine) as connection:
            party = await question.party(connection)
            rows = [] if party is None else await _find(connection, question, kind, number, party)
            if not rows or party is None:
                raise ApiError(HTTPStatus.NOT_FOUND, f"Entity '{CONVERSATIONS.entity}' not found.")
            (entity,) = await _shown(connection, question, rows, party)
        return JSONResponse(_item(question, entity), media_type=CONVERSATIONS.profile)


async def _find(
    connection: AsyncConnection, question: Question, kind: str, number: int, party: Party
) -> Sequence[Row]:
    """Return a call or message, if it is somebody's."""
    if kind == CALL:
        row = await find_cdr(connection, number, party)
        return [] if row is None else [{**row, "type": kind}]
    rows = await load(connection, [(kind, number)])
    for row in rows:
        owner = {party.name: party.number, "subscriber_id": row["subscriber_id"]}
        is_of_him = party.name != "subscriber_id" or party.number == row["subscriber_id"]
        if not is_of_him or await find_party(connection, owner, question.principal.root) is None:
            return []
    return rows


async def _shown(
    connection: AsyncConnection, question: Question, rows: Sequence[Row], party: Party
) -> Sequence[Entity]:
    calls = [row for row in rows if row["type"] == CALL]
    summaries = {one["id"]: one for one in await show_summaries(connection, question, calls, party)}
    return [
        {**summaries[row["id"]], "type": CALL} if row["type"] == CALL else message(row, question.zone)
        for row in rows
    ]


def _item(question: Question, entity: Entity) -> hal.Json:
    item = hal.item(CONVERSATIONS, entity, show_passwords=False)
    item["_links"]["self"]["href"] += f"?{urlencode({'type': entity['type'], **question.wanted})}"
    return item
