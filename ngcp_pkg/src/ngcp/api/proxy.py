"""The SIP proxy's control interface, seen from here: XMLRPC over HTTP."""

import asyncio
import http.client
import logging
import xmlrpc.client
from collections.abc import Collection
from typing import Final

_log = logging.getLogger(__name__)

#: Seconds to wait for the proxy's answer: less than a database transaction may last around it.
PATIENCE: Final = 1.5
TABLE: Final = "location"
#: Names in one announcement; more than that are announced as everything.
MOST: Final = 100


class ProxyUnavailable(Exception):
    """The proxy gave no answer."""


class ProxyRefusal(Exception):
    """The proxy will not do it; `code` as in SIP."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Transport(xmlrpc.client.Transport):
    """HTTP with a time-out."""

    def make_connection(self, host: "xmlrpc.client._HostType") -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = PATIENCE
        return connection


class ProxyControl:
    """Commands to the proxy's registrar."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def add(self, aor: str, contact: str, expires: int, q: float, path: str) -> str:
        """Register `contact` for `expires` seconds, 0 for ever; return the registration's ruid."""
        arguments = (aor, contact, expires, q, path, 0, 0, 0, 0, "")
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
        try:
            await self._call("ul.rm", aor)
        except (ProxyUnavailable, ProxyRefusal) as error:
            _log.warning("registrations of %s stay in the proxy until it restarts: %s", aor, error)

    async def announce(self, changed: Collection[str]) -> None:
        """Tell which `user@domain` and domains were changed; a proxy that is down remembers nothing."""
        try:
            await self._send_to("directory.drop", *(sorted(changed) if len(changed) <= MOST else "*"))
        except (ProxyUnavailable, ProxyRefusal) as error:
            _log.warning("the proxy may see the change of %s late: %s", ", ".join(sorted(changed)), error)

    async def _call(self, method: str, *arguments: str | float) -> object:
        return await self._send_to(method, TABLE, *arguments)

    async def _send_to(self, method: str, *arguments: str | float) -> object:
        try:
            return await asyncio.to_thread(self._send, method, arguments)
        except xmlrpc.client.Fault as fault:
            raise ProxyRefusal(fault.faultCode, fault.faultString) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise ProxyUnavailable(f"{self._url}: {error}") from error

    def _send(self, method: str, arguments: tuple[str | float, ...]) -> object:
        with xmlrpc.client.ServerProxy(self._url, transport=_Transport()) as server:
            return getattr(server, method)(*arguments)
