"""Ported numbers: one by one as JSON, or many as CSV (RFC 4180)."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from ngcp.api.errors import ApiError, describe
from ngcp.api.gate import media_type
from ngcp.api.handlers import Handlers
from ngcp.api.requests import read_json
from ngcp.api.resource import Resource
from ngcp.api.routing_models import LnpCarrier, LnpNumber
from ngcp.provisioning.carriers import CarrierNumber, PortedNumberStore
from ngcp.provisioning.store import Values

#: Columns of a line; a first line of exactly these names is passed over.
COLUMNS: Final = (
    "carrier_name",
    "carrier_prefix",
    "number",
    "routing_number",
    "start",
    "end",
    "authoritative",
    "skip_rewrite",
    "type",
)
_STORE: Final = PortedNumberStore()
NUMBERS: Final = Resource(
    "lnpnumbers",
    "LNP number",
    "Ported numbers; `actual` finds those that hold now, or at a time. POST takes text/csv, too",
    _STORE,
    LnpNumber,
    links={"carrier_id": "lnpcarriers"},
)


@dataclass(frozen=True, slots=True)
class PortedNumbers(Handlers):
    """The methods of ported numbers."""

    async def upload(self, request: Request) -> Response:
        """Answer POST; of CSV all lines are stored, or none; `purge_existing=true` removes the others."""
        if media_type(request.headers.get("content-type")) != "text/csv":
            return await self.create(request, await read_json(request, LnpNumber))
        numbers = list(read_csv(await request.body()))
        purge = request.query_params.get("purge_existing", "false").lower() in ("1", "true")
        async with self._transaction() as connection:
            await _STORE.load(connection, numbers, purge=purge)
        return Response(status_code=HTTPStatus.CREATED)


def read_csv(body: bytes) -> Iterator[CarrierNumber]:
    """Yield the lines' carriers and numbers; raises ApiError naming line and field."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, f"The entity is not a well-formed CSV document. {error}"
        ) from error
    for number, line in enumerate(lines, 1):
        if not line or (number == 1 and tuple(line) == COLUMNS):
            continue
        if len(line) != len(COLUMNS):
            problem = f"{len(line)} columns instead of {len(COLUMNS)}: {', '.join(COLUMNS)}"
            raise _refused(number, problem)
        try:
            yield _read_line(dict(zip(COLUMNS, map(str.strip, line), strict=True)))
        except ValidationError as error:
            raise _refused(number, describe(error)) from error


def _read_line(line: Mapping[str, str]) -> CarrierNumber:
    """Return a carrier and a number, whose carrier is not known by number yet."""
    flags = {name: line[name] or False for name in ("authoritative", "skip_rewrite")}
    carrier = {"name": line["carrier_name"], "prefix": line["carrier_prefix"], **flags}
    rest = {name: line[name] or None for name in ("routing_number", "start", "end", "type")}
    number: Values = LnpNumber.model_validate({"carrier_id": 1, "number": line["number"], **rest}).values()
    return CarrierNumber(LnpCarrier.model_validate(carrier).values(), number)


def _refused(line: int, problem: str) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"Validation failed. line {line}: {problem}")
