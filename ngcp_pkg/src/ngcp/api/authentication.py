"""Who asks: HTTP Basic authentication (RFC 7617) against billing.admins and subscribers' web logins."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import math
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import bcrypt
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.api.errors import ApiError
from ngcp.api.failures import Failures
from ngcp.api.roles import may_enter
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.principals import Principal, find_by_certificate, find_principal

_log = logging.getLogger(__name__)

#: Under which a request keeps the serial number of its client certificate, which TLS has verified.
CLIENT_SERIAL: Final = "client_serial"
CHALLENGE: Final = 'Basic realm="api_{}_http", charset="UTF-8"'
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
        self._failures = Failures()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")
        self._waiting = 0

    async def recognize(self, serial: int) -> Principal:
        """Return to whom the client certificate of that serial was given; raises ApiError 401 or 403."""
        async with transaction(self._engine) as connection:
            principal = await find_by_certificate(connection, serial)
        if principal is None:
            raise unauthorized()
        return _entering(principal)

    async def authenticate(self, authorization: str | None, address: str) -> Principal:
        """Return who an Authorization header, sent from an address, proves to come from.

        Raises ApiError 401 or 403, the latter also after too many failures.
        """
        login, password = _credentials(authorization)
        async with transaction(self._engine) as connection:
            principal = await find_principal(connection, login)
        hashed = principal.saltedpass if principal else NOBODY
        right = await self._is_right(login, address, password, hashed)
        if principal is None or not right:
            _log.warning("login %r from %s failed", login[:100], address)
            self._failures.add(login, address, self._clock())
            raise unauthorized(login)
        return _entering(principal)

    async def _is_right(self, login: str, address: str, password: bytes, hashed: bytes) -> bool:
        """Tell whether a password is right; one that lately was needs no computation, and is never banned."""
        proof = hmac.digest(self._key, hashed + b"\0" + password, hashlib.sha256)
        now = self._clock()
        if self._right.get(proof, now) > now:
            return True
        seconds = self._failures.wait(login, address, now)
        if seconds:
            raise _banned(seconds)
        right = await self._compute(password, hashed)
        if right:
            self._remember(proof, now + REMEMBERED)
            self._failures.forgive(login, address)
        return right

    async def _compute(self, password: bytes, hashed: bytes) -> bool:
        """Compare, once it is the password's turn."""
        if self._waiting >= QUEUE:
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many logins at once.", {"Retry-After": "1"})
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._worker, _verify, password, hashed)
        finally:
            self._waiting -= 1

    def _remember(self, proof: bytes, until: float) -> None:
        self._right.pop(proof, None)
        self._right[proof] = until
        while len(self._right) > CAPACITY:
            del self._right[next(iter(self._right))]


def _entering(principal: Principal) -> Principal:
    if not may_enter(principal):
        raise ApiError(HTTPStatus.FORBIDDEN, "Invalid user")
    return principal


def unauthorized(login: str = "") -> ApiError:
    """Return the error that asks for credentials, in the realm of whoever tried: subscribers have domains."""
    challenge = CHALLENGE.format("subscriber" if "@" in login else "admin")
    return ApiError(HTTPStatus.UNAUTHORIZED, "Authorization required.", {"WWW-Authenticate": challenge})


def _banned(seconds: float) -> ApiError:
    wait = {"Retry-After": str(math.ceil(seconds))}
    return ApiError(HTTPStatus.FORBIDDEN, "Too many failed logins, try again later.", wait)


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
