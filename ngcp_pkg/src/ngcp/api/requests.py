"""What a request's query and headers ask for."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from ngcp.api.errors import ApiError
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Listing

#: Entities of one page, and pages, that may be asked for.
MAXIMUM_ROWS: Final = 10_000
MAXIMUM_PAGE: Final = 1_000_000_000
DIRECTIONS: Final[Mapping[str, bool]] = {"asc": False, "desc": True}
Model = TypeVar("Model", bound=BaseModel)
_OWN: Final = frozenset({"page", "rows", "order_by", "order_by_direction", "no_count"})


def read_listing(query: QueryParams) -> Listing:
    """Return which part of a list is wanted; raises ApiError.

    Parameters that are not ours are filters, except for those that begin with "_": they are meant for others.
    """
    direction = query.get("order_by_direction", "asc").lower()
    if direction not in DIRECTIONS:
        raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid order_by_direction, must be 'asc' or 'desc'.")
    return Listing(
        page=_number(query, "page", 1, MAXIMUM_PAGE),
        rows=_number(query, "rows", 10, MAXIMUM_ROWS),
        order_by=query.get("order_by", "id"),
        descending=DIRECTIONS[direction],
        filters={k: v for k, v in query.items() if k not in _OWN and not k.startswith("_")},
        counted=query.get("no_count", "false").lower() in ("", "0", "false"),
    )


def _number(query: QueryParams, name: str, default: int, maximum: int) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) else 0
    if not 0 < number <= maximum:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, f"Invalid value for parameter '{name}', must be 1 to {maximum}."
        )
    return number


def read_number(text: str) -> int:
    """Return an entity's number from its path; raises ApiError."""
    if not (text.isascii() and text.isdigit()):
        raise ApiError(HTTPStatus.BAD_REQUEST, "Invalid id in request URI")
    return int(text[:20])


def read_filter(name: str, text: str) -> int:
    """Return the number that a filter is; raises InvalidValue."""
    if not (text.isascii() and text.isdigit()):
        raise InvalidValue(name, text, "a number expected")
    return int(text[:20])


def wants_representation(headers: Headers) -> bool:
    """Tell whether the answer to a change should show its outcome (RFC 7240 §4.2); raises ApiError."""
    asked = [one.strip() for value in headers.getlist("prefer") for one in value.split(",")]
    wanted = {one.partition("=")[2].strip('"').lower() for one in asked if one.lower().startswith("return=")}
    if not asked or wanted == {"minimal"}:
        return False
    if wanted != {"representation"}:
        message = "Header 'Prefer' must be either 'return=minimal' or 'return=representation'."
        raise ApiError(HTTPStatus.BAD_REQUEST, message)
    return True


async def read_json(request: Request, model: type[Model]) -> Model:
    """Return the body where it may be other than JSON, too; raises ApiError and ValidationError."""
    try:
        return model.model_validate(json.loads(await request.body()))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        message = f"The entity is not a well-formed JSON document. {error}"
        raise ApiError(HTTPStatus.BAD_REQUEST, message) from error
