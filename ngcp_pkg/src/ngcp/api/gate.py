"""The door of the API: who may enter, with what, and how much of it (ASGI middleware)."""

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ngcp.api.authentication import CLIENT_SERIAL, Authenticator
from ngcp.api.errors import ApiError, answer
from ngcp.api.resource import READING
from ngcp.api.roles import may
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.principals import Principal

_log = logging.getLogger(__name__)

MAXIMUM_BODY: Final = 1024 * 1024
#: Seconds that a client may take to send its body.
PATIENCE: Final = 10.0
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "POST": "application/json",
    "PUT": "application/json",
    "PATCH": "application/json-patch+json",
}
_SOUNDS: Final = frozenset({"audio/x-wav", "audio/wav", "multipart/form-data"})
#: What else collections, and their entities, take: sounds are large, lists long.
UPLOADS: Final[Mapping[str, tuple[frozenset[str], int]]] = {
    "soundfiles": (_SOUNDS, 16 * MAXIMUM_BODY),
    "voicemailgreetings": (_SOUNDS, 16 * MAXIMUM_BODY),
    "lnpnumbers": (frozenset({"text/csv"}), MAXIMUM_BODY),
}
_NOTHING: Final[tuple[frozenset[str], int]] = (frozenset(), MAXIMUM_BODY)


class Gate:
    """Lets requests through whose sender, media type and size are right, and logs what they change."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            principal = await self._admit(scope)
            body = await _read_body(Headers(scope=scope), receive, _uploads(scope)[1])
        except (ApiError, DatabaseUnavailable) as error:
            refusal = answer(error)
            refusal.headers["Connection"] = (
                "close"  # a stranger keeps no connection; the rest of a body is not read
            )
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal

        async def replay() -> Message:
            nonlocal body
            message: Message = {"type": "http.request", "body": body, "more_body": False}
            body = b""
            return message

        await self._app(scope, replay, _logged(scope, principal, send))

    async def _recognize(self, scope: Scope, authorization: str | None) -> Principal:
        serial = scope.get("state", {}).get(CLIENT_SERIAL)
        if authorization is None and serial is not None:
            return await self._authenticator.recognize(serial)
        address, _port = scope.get("client") or ("", 0)
        return await self._authenticator.authenticate(authorization, address)

    async def _admit(self, scope: Scope) -> Principal:
        headers = Headers(scope=scope)
        principal = await self._recognize(scope, headers.get("authorization"))
        if not may(principal.role, scope["method"], scope["path"]):
            raise ApiError(HTTPStatus.FORBIDDEN, "Forbidden: not for your role.")
        if scope["method"] in READING:
            return principal
        if principal.read_only:
            raise ApiError(HTTPStatus.FORBIDDEN, "This administrator may only read.")
        _check_media_type(scope, headers.get("content-type"))
        return principal


def media_type(sent: str | None) -> str:
    """Return the type in a Content-Type, without its parameters."""
    return (sent or "").partition(";")[0].strip().lower()


def _uploads(scope: Scope) -> tuple[frozenset[str], int]:
    """Return the media types that a path takes beside JSON, and the bytes of its longest body."""
    return UPLOADS.get(scope["path"].removeprefix("/api/").partition("/")[0], _NOTHING)


def _check_media_type(scope: Scope, sent: str | None) -> None:
    usual = MEDIA_TYPES.get(scope["method"])
    others = _uploads(scope)[0] if scope["method"] in ("POST", "PUT") else frozenset()
    if usual and media_type(sent) not in {usual, *others}:
        accepted = ", ".join([usual, *sorted(others)])
        message = f"Unsupported media type '{sent or 'undefined'}', accepting {accepted} only."
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


async def _read_body(headers: Headers, receive: Receive, maximum: int) -> bytes:
    """Return the whole body; raises ApiError if it is too large, or too slow."""
    announced = headers.get("content-length", "0")
    if not announced.isdigit() or int(announced[:20]) > maximum:
        raise _too_large(maximum)
    parts, size, more = list[bytes](), 0, True
    try:
        async with asyncio.timeout(PATIENCE):
            while more:
                message = await receive()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = message.get("more_body", False)
                if size > maximum:
                    raise _too_large(maximum)
    except TimeoutError:
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, "The request's body did not arrive in time.") from None
    return b"".join(parts)


def _too_large(maximum: int) -> ApiError:
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request's body exceeds {maximum} bytes.")


def _logged(scope: Scope, principal: Principal, send: Send) -> Send:
    """Return `send` that leaves a line about each change."""

    async def log_and_send(message: Message) -> None:
        if message["type"] == "http.response.start" and scope["method"] not in READING:
            path = scope.get("raw_path", b"").decode("ascii", "replace")
            _log.info("%s %s %s by %s", scope["method"], path, message["status"], principal.login)
        await send(message)

    return log_and_send
