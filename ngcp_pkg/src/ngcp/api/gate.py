"""The door of the API: who may enter, with what, and how much of it (ASGI middleware)."""

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ngcp.api.authentication import Authenticator
from ngcp.api.errors import ApiError, answer
from ngcp.api.resource import READING
from ngcp.provisioning.administrators import Administrator
from ngcp.provisioning.engine import DatabaseUnavailable

_log = logging.getLogger(__name__)

MAXIMUM_BODY: Final = 1024 * 1024
#: Seconds that a client may take to send its body.
PATIENCE: Final = 10.0
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "POST": "application/json",
    "PUT": "application/json",
    "PATCH": "application/json-patch+json",
}


class Gate:
    """Lets requests through whose sender, media type and size are right, and logs what they change."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            administrator = await self._admit(scope)
            body = await _read_body(Headers(scope=scope), receive)
        except (ApiError, DatabaseUnavailable) as error:
            refusal = answer(error)
            refusal.headers["Connection"] = (
                "close"  # a stranger keeps no connection; the rest of a body is not read
            )
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["administrator"] = administrator

        async def replay() -> Message:
            nonlocal body
            message: Message = {"type": "http.request", "body": body, "more_body": False}
            body = b""
            return message

        await self._app(scope, replay, _logged(scope, administrator, send))

    async def _admit(self, scope: Scope) -> Administrator:
        headers = Headers(scope=scope)
        administrator = await self._authenticator.authenticate(headers.get("authorization"))
        if scope["method"] in READING:
            return administrator
        if administrator.read_only:
            raise ApiError(HTTPStatus.FORBIDDEN, "This administrator may only read.")
        _check_media_type(MEDIA_TYPES.get(scope["method"]), headers.get("content-type"))
        return administrator


def _check_media_type(expected: str | None, sent: str | None) -> None:
    if expected and (sent or "").partition(";")[0].strip().lower() != expected:
        message = f"Unsupported media type '{sent or 'undefined'}', accepting {expected} only."
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    """Return the whole body; raises ApiError if it is too large, or too slow."""
    announced = headers.get("content-length", "0")
    if not announced.isdigit() or int(announced[:20]) > MAXIMUM_BODY:
        raise _too_large()
    body, more = b"", True
    try:
        async with asyncio.timeout(PATIENCE):
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MAXIMUM_BODY:
                    raise _too_large()
    except TimeoutError:
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, "The request's body did not arrive in time.") from None
    return body


def _too_large() -> ApiError:
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request's body exceeds {MAXIMUM_BODY} bytes.")


def _logged(scope: Scope, administrator: Administrator, send: Send) -> Send:
    """Return `send` that leaves a line about each change."""

    async def log_and_send(message: Message) -> None:
        if message["type"] == "http.response.start" and scope["method"] not in READING:
            path = scope.get("raw_path", b"").decode("ascii", "replace")
            _log.info("%s %s %s by %s", scope["method"], path, message["status"], administrator.login)
        await send(message)

    return log_and_send
