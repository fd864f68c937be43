"""Errors as the platform tells them: an HTTP status, and JSON with `code` and `message`."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ngcp.api.load_balancer import LoadBalancerUnavailable
from ngcp.api.proxy import ProxyUnavailable
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.refusals import BadListing, InUse, InvalidValue, LimitReached, NotAllowed, Refusal

_log = logging.getLogger(__name__)

#: Characters of a refused input that are repeated to whoever sent it.
ECHO: Final = 64

_REFUSALS: Final[Mapping[type[Refusal], int]] = {
    BadListing: HTTPStatus.BAD_REQUEST,
    InUse: HTTPStatus.LOCKED,
    InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    LimitReached: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
}


class ApiError(Exception):
    """A request that is answered with an error status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def answer(error: Exception) -> JSONResponse:
    """Return the response that tells a client about `error`."""
    match error:
        case ApiError():
            return _json(error.status, error.message, error.headers)
        case InvalidValue():
            return _json(_REFUSALS[InvalidValue], f"Validation failed. {error}")
        case Refusal():
            return _json(_REFUSALS[type(error)], str(error))
        case RequestValidationError():
            return _json(*_describe(error))
        case ValidationError():
            return _json(HTTPStatus.UNPROCESSABLE_ENTITY, _invalid(error.errors(include_url=False)))
        case HTTPException():
            return _json(error.status_code, str(error.detail), error.headers)
        case DatabaseUnavailable():
            _log.error("database: %s", error)
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, "Database is unavailable.")
        case LoadBalancerUnavailable():
            _log.error("load-balancer: %s", error)
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, "SIP load-balancer is unavailable.")
        case ProxyUnavailable():
            _log.error("proxy: %s", error)
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, "SIP proxy is unavailable.")
        case _:
            return _json(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")


def _json(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    sendable = message.encode(errors="replace").decode()  # it may repeat what was no text
    return JSONResponse({"code": int(status), "message": sendable}, int(status), dict(headers or {}))


def _describe(error: RequestValidationError) -> tuple[int, str]:
    """Tell a body that is no JSON, or is not there, from one with refused fields."""
    problems = error.errors()
    first = problems[0]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", first["msg"])
        return HTTPStatus.BAD_REQUEST, f"The entity is not a well-formed JSON document. {reason}"
    if first["type"] == "missing" and tuple(first["loc"]) == ("body",):
        return HTTPStatus.BAD_REQUEST, "This request is missing a message body."
    return HTTPStatus.UNPROCESSABLE_ENTITY, _invalid(problems)


def _invalid(problems: Iterable[Mapping[str, Any]]) -> str:
    return "Validation failed. " + "; ".join(map(_problem, problems))


def describe(error: ValidationError) -> str:
    """Say which fields are wrong, and why."""
    return "; ".join(_problem(problem) for problem in error.errors(include_url=False))


def _problem(problem: Mapping[str, Any]) -> str:
    path = [str(part) for part in problem["loc"] if part != "body"]
    field, value = ".".join(path), problem.get("input")
    shown = str(value)[:ECHO] if isinstance(value, str | int | float) and "password" not in field else ""
    message = "unknown field" if problem["type"] == "extra_forbidden" else problem["msg"]
    return f"field='{field}', input='{shown}', errors={message}"
