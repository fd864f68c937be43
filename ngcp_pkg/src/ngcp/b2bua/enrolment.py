"""Registrations and the world around: MariaDB says what is wanted and keeps how it stands, DNS says where."""

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.foreign_accounts import ForeignAccount, Owner, read_accounts, read_rows, write_rows
from ngcp.sip.core.challenge import Secret
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri
from ngcp.sip.transport.flow import format_address, parse_host

from .accounts import PEERING, SUBSCRIBER, Account, Key, Standing, Status
from .registrations import Registrations

#: Seconds after which MariaDB is asked again what is wanted, whoever told us or not.
REREAD: Final = 60.0
#: Seconds between two writings at least: what changes meanwhile is one transaction.
REST: Final = 0.5
#: Seconds that a name may take.
LOOKUP: Final = 5.0
#: What the user part of a URI may hold unescaped (RFC 3261 §25.1).
_USER: Final = "-_.!~*'()&=+$,;?/"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,255}")

_log = logging.getLogger(__name__)


class Resolve(Protocol):
    """Finds IP addresses of a name; none if it has none, or nobody knows."""

    async def __call__(self, host: str) -> Sequence[str]:
        """Return them."""


class Enrolment:
    """Keeps `registrations` what MariaDB says, and MariaDB told."""

    def __init__(
        self,
        engine: AsyncEngine,
        registrations: Registrations,
        now: Callable[[], float],
        transmit: Callable[[], None],
        resolve: Resolve | None = None,
    ) -> None:
        """Read the clock of the core by `now`."""
        self._engine = engine
        self.registrations = registrations
        self._now, self.transmit = now, transmit
        """Called when messages wait."""
        self._resolve = resolve or look_up
        self._hops: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._has_begun = False
        registrations.noticed = self._woken.set

    async def keep(self) -> None:
        """Do so for ever."""
        due = 0.0
        while True:
            if self._now() >= due:
                due = self._now() + REREAD
                await _cautiously(self.reload())
            await _cautiously(self.store())
            await asyncio.sleep(REST)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(due - self._now(), 0.0)):
                    await self._woken.wait()
            self._woken.clear()

    async def reload(self) -> None:
        """Have the registrations that are wanted now; raises DatabaseUnavailable."""
        async with self._turn:
            async with transaction(self._engine) as connection:
                wanted = await read_accounts(connection)
                stored = None if self._has_begun else await read_rows(connection)
            accounts = await asyncio.gather(*map(self._account, wanted))
            known = None if stored is None else {_key(owner): _standing(row) for owner, row in stored.items()}
            self.registrations.want([one for one in accounts if one is not None], self._now(), known)
            self._has_begun = True
        self.transmit()

    async def store(self) -> None:
        """Write what has changed; raises DatabaseUnavailable, and tries again the next time."""
        changed, standings = set(self.registrations.changed), self.registrations.standings
        if not changed:
            return
        self.registrations.changed -= changed
        gone = [_owner(key) for key in changed if key not in standings]
        rows = {_owner(key): _row(standings[key]) for key in changed if key in standings}
        try:
            async with transaction(self._engine) as connection:
                await write_rows(connection, gone, rows)
        except BaseException:
            self.registrations.changed |= changed
            raise

    async def _account(self, found: ForeignAccount) -> Account | None:
        """Return the account to register, None with one log line if there is no registrar to be found."""
        values, key = found.preferences, _key(found.owner)
        realm = values.get("peer_auth_realm", "")
        where = values.get("peer_auth_registrar_server") or (
            format_address(found.address) if found.address else realm
        )
        try:
            registrar = Uri.parse(where if where.startswith("sip:") else f"sip:{where}")
        except SipError:
            _log.warning("%s %d is not registered: %.80r is no registrar", *key, where)
            return None
        registrar.user = None
        user = values["peer_auth_user"]
        return Account(
            key,
            Secret(user, values.get("peer_auth_pass", ""), realm),
            registrar,
            await self._next_hop(registrar),
            realm if _HOST.fullmatch(realm) else registrar.host,
            quote(values.get("peer_auth_hf_user") or user, safe=_USER),
            found.uuid,
        )

    async def _next_hop(self, registrar: Uri) -> str:
        """Return the address of a registrar: the one that it had as long as its name has it."""
        host = parse_host(registrar.host)
        port = registrar.port or 5060
        with suppress(ValueError):
            return format_address((str(ipaddress.ip_address(host)), port))
        found = await self._resolve(host)
        if found and self._hops.get(host) not in found:
            self._hops[host] = found[0]
        return format_address((self._hops.get(host, host), port))


async def look_up(host: str) -> Sequence[str]:
    """Return the IP addresses of a name, as the system's resolver has them."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        _log.warning("registrar %s has no address: %s", host, error)
        return ()
    return [str(address[0]) for *_, address in found]


async def _cautiously(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except (DatabaseUnavailable, DataError, IntegrityError) as error:
        _log.warning("registrations: %s", error)
    except Exception:  # the door of a worker: it tries again
        _log.exception("registrations")


def _key(owner: Owner) -> Key:
    if owner.subscriber is not None:
        return Key(SUBSCRIBER, owner.subscriber)
    return Key(PEERING, owner.peer or 0)


def _owner(key: Key) -> Owner:
    return Owner(key.number, None) if key.kind == SUBSCRIBER else Owner(None, key.number)


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(
        Status(row["registration_status"]) if row["registration_status"] in list(Status) else Status.INACTIVE,
        _read(row["last_registration"]),
        _read(row["expiry"]),
        row["last_code"],
        row["last_reason"] or "",
        row["contacts"] or "",
    )


def _row(standing: Standing) -> dict[str, Any]:
    return {
        "registration_status": int(standing.status),
        "last_registration": _write(standing.last),
        "expiry": _write(standing.expiry),
        "last_code": standing.code,
        "last_reason": standing.reason[:256],
        "contacts": standing.contact[:512],
    }


def _read(time: datetime | None) -> float | None:
    return None if time is None else time.replace(tzinfo=UTC).timestamp()


def _write(time: float | None) -> datetime | None:
    return None if time is None else datetime.fromtimestamp(time, UTC).replace(tzinfo=None, microsecond=0)
