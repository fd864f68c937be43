"""The SIP proxy's control interface, seen from here: XMLRPC over HTTP."""

import asyncio
import http.client
import logging
import xmlrpc.client
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from ngcp.provisioning import changes
from ngcp.provisioning.changes import REGISTRATIONS
from ngcp.provisioning.location import NAT

_log = logging.getLogger(__name__)

#: Seconds to wait for the proxy's answer: less than a database transaction may last around it.
PATIENCE: Final = 1.5
TABLE: Final = "location"


class ProxyUnavailable(Exception):
    """The proxy gave no answer."""


class ProxyRefusal(Exception):
    """The proxy will not do it; `code` as in SIP."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Place(NamedTuple):
    """Where a subscriber is to be called."""

    contact: str
    q: float
    path: str
    is_behind_nat: bool


class _Transport(xmlrpc.client.Transport):
    """HTTP with a time-out."""

    def make_connection(self, host: "xmlrpc.client._HostType") -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = PATIENCE
        return connection


class ProxyControl:
    """Commands to the proxy's registrar; the `others` behind the same databases are told of changes, too.

    So is the `b2bua`, of registrations at peers.
    """

    def __init__(self, url: str, others: Collection[str] = (), b2bua: str | None = None) -> None:
        self._url, self._b2bua = url, b2bua
        self._all = (url, *others)

    async def add(self, aor: str, place: Place, expires: int) -> str:
        """Register a place for `expires` seconds, 0 for ever; return the registration's ruid."""
        cflags = NAT if place.is_behind_nat else 0
        arguments = (aor, place.contact, expires, place.q, place.path, 0, cflags, 0, 0, "")
        return str(await self._call("ul.add", *arguments))

    async def remove(self, aor: str, contact: str) -> None:
        """Forget a contact; one that is unknown is no error."""
        try:
            await self._call("ul.rm_contact", aor, contact)
        except ProxyRefusal as refusal:
            if refusal.code != http.client.NOT_FOUND:
                raise

    async def forget(self, aor: str) -> None:
        """Forget all contacts of `aor`; a proxy that is down will not know them, as their rows are gone."""
        for error in await self._tell("ul.rm", TABLE, aor):
            _log.warning("registrations of %s stay in the proxy until it restarts: %s", aor, error)

    async def calls(self) -> list[dict[str, Any]]:
        """Return the calls of all proxies; none is left out because its proxy does not answer."""
        lists = await asyncio.gather(*(_send_to(url, "dlg.briefing") for url in self._all))
        return [row for one in lists if isinstance(one, list) for row in one]

    async def end_call(self, call_id: str) -> None:
        """End an answered call, whichever proxy has it; one that is over already is no error."""
        for error in await self._tell("dlg.terminate_dlg", call_id):
            if not isinstance(error, ProxyRefusal) or error.code != http.client.NOT_FOUND:
                raise error

    async def announce(self, changed: Collection[str]) -> None:
        """Tell which `user@domain` and domains were changed; a proxy that is down remembers nothing."""
        if REGISTRATIONS in changed:
            await self._announce_registrations()
            changed = {*changed} - {REGISTRATIONS}
        if not changed:
            return
        for error in await self._tell("directory.drop", *changes.words(changed)):
            _log.warning("the proxy may see the change of %s late: %s", ", ".join(sorted(changed)), error)

    async def _announce_registrations(self) -> None:
        if self._b2bua is None:
            return
        try:
            await _send_to(self._b2bua, "db_reg_agent.reload")
        except (ProxyUnavailable, ProxyRefusal) as error:
            _log.warning("the B2BUA sees changed registrations at peers late: %s", error)

    async def _call(self, method: str, *arguments: str | float) -> object:
        return await _send_to(self._url, method, TABLE, *arguments)

    async def _tell(self, method: str, *arguments: str | float) -> list[Exception]:
        """Tell all proxies at the same time; return why some did not hear it."""

        async def tell(url: str) -> Exception | None:
            try:
                await _send_to(url, method, *arguments)
            except (ProxyUnavailable, ProxyRefusal) as error:
                return error
            return None

        return [error for error in await asyncio.gather(*map(tell, self._all)) if error]


async def _send_to(url: str, method: str, *arguments: str | float) -> object:
    try:
        return await asyncio.to_thread(_send, url, method, arguments)
    except xmlrpc.client.Fault as fault:
        raise ProxyRefusal(fault.faultCode, fault.faultString) from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        raise ProxyUnavailable(f"{url}: {error}") from error


def _send(url: str, method: str, arguments: tuple[str | float, ...]) -> object:
    with xmlrpc.client.ServerProxy(url, transport=_Transport()) as server:
        return getattr(server, method)(*arguments)
