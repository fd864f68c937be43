"""Who asks: HTTP Basic authentication (RFC 7617) against billing.admins."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import bcrypt
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.api.errors import ApiError
from ngcp.provisioning.administrators import Administrator, find_administrator
from ngcp.provisioning.engine import transaction

CHALLENGE: Final = 'Basic realm="api_admin_http", charset="UTF-8"'
ROLES: Final = frozenset({"system", "admin"})
#: Seconds for which a password that was right is right without a new computation.
REMEMBERED: Final = 60.0
#: How many such passwords are remembered.
CAPACITY: Final = 64
#: Computations that may wait for their turn; each costs a quarter of a second of one processor.
QUEUE: Final = 8
#: What an unknown login is measured with, so that it takes as long as a wrong password.
NOBODY: Final = b"$2b$12$l4865RWUVmn4y5AZOhtD/OhHIZ/UsDjR8sceFykiH0S.VwP/pm1lq"
#: bcrypt refuses to look further.
PASSWORD_BYTES: Final = 72


class Authenticator:
    """Checks credentials; what it remembers of right ones is a keyed hash in memory only."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, float] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")
        self._waiting = 0

    async def authenticate(self, authorization: str | None) -> Administrator:
        """Return who the value of an Authorization header proves to come from; raises ApiError 401 or 403."""
        login, password = _credentials(authorization)
        async with transaction(self._engine) as connection:
            administrator = await find_administrator(connection, login)
        hashed = administrator.saltedpass if administrator else NOBODY
        right = await self._is_right(password, hashed)
        if administrator is None or not right:
            raise unauthorized()
        if administrator.role not in ROLES:
            raise ApiError(HTTPStatus.FORBIDDEN, "Invalid user")
        return administrator

    async def _is_right(self, password: bytes, hashed: bytes) -> bool:
        proof = hmac.digest(self._key, hashed + b"\0" + password, hashlib.sha256)
        now = self._clock()
        if self._right.get(proof, now) > now:
            return True
        if self._waiting >= QUEUE:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many logins at once.", {"Retry-After": "1"})
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._worker, _verify, password, hashed)
        finally:
            self._waiting -= 1
        if right:
            self._remember(proof, now + REMEMBERED)
        return right

    def _remember(self, proof: bytes, until: float) -> None:
        self._right.pop(proof, None)
        self._right[proof] = until
        while len(self._right) > CAPACITY:
            del self._right[next(iter(self._right))]


def unauthorized() -> ApiError:
    """Return the error that asks for credentials."""
    return ApiError(HTTPStatus.UNAUTHORIZED, "Authorization required.", {"WWW-Authenticate": CHALLENGE})


def _credentials(authorization: str | None) -> tuple[str, bytes]:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized()
    try:
        login, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
        if not colon:
            raise unauthorized()
        return login.decode(), password
    except (binascii.Error, ValueError):
        raise unauthorized() from None


def _verify(password: bytes, hashed: bytes) -> bool:
    """Compare in the time that bcrypt takes; what bcrypt cannot take is wrong."""
    fits = len(password) <= PASSWORD_BYTES and b"\0" not in password
    try:
        return bcrypt.checkpw(password if fits else b"", hashed) and fits
    except ValueError:  # the stored text is no bcrypt hash
        return False
