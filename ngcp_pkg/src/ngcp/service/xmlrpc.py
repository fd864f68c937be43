"""XMLRPC over HTTP (POST / or /RPC2) in front of a command table.

h11 speaks HTTP, `xmlrpc.client` marshals. Everything a caller controls is bounded: connections, time
without a request, size of a request.
"""

import asyncio
import logging
import socket
import xmlrpc.client
from contextlib import suppress
from typing import Final, cast

import h11

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.listener import Listener

MAXIMUM_BODY: Final = 64 * 1024
MAXIMUM_CONNECTIONS: Final = 64
#: Seconds a connection may take for its next whole request.
PATIENCE: Final = 30.0
PATHS: Final = (b"/", b"/RPC2")
#: Fault codes of the "Specification for Fault Code Interoperability" (2001).
PARSE_ERROR: Final = -32700
APPLICATION_ERROR: Final = -32500

_log = logging.getLogger(__name__)


class HttpError(Exception):
    """A request that is answered with an HTTP status instead of XMLRPC."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ControlServer(Listener):
    """A listening XMLRPC server."""

    def __init__(self, table: CommandTable) -> None:
        super().__init__(self._converse_in_http, MAXIMUM_CONNECTIONS)
        self._table = table
        self._adoptions: set[asyncio.Task[None]] = set()

    def adopt(self, accepted: socket.socket, data: bytes) -> None:
        """Serve a connection of which another listener has read `data` and found that it is HTTP."""
        task = asyncio.get_running_loop().create_task(self._adopt(accepted, data))
        self._adoptions.add(task)
        task.add_done_callback(self._adoptions.discard)

    async def _adopt(self, accepted: socket.socket, data: bytes) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        protocol = asyncio.StreamReaderProtocol(reader, self.accept)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted)

    async def _converse_in_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The peer left, slept or does not speak HTTP: nobody to tell.
        with suppress(OSError, TimeoutError, h11.RemoteProtocolError):
            await _Connection(self._table, reader, writer).run()


async def serve(table: CommandTable, host: str, port: int) -> ControlServer:
    """Listen and answer until the returned server is closed."""
    server = ControlServer(table)
    await server.listen(host, port)
    return server


class _Connection:
    """One keep-alive HTTP connection."""

    def __init__(
        self, table: CommandTable, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._table = table
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        """Answer requests until the peer closes or breaks the protocol."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    body = await self._receive()
            except HttpError as error:
                await self._send(error.status, error.reason.encode(), b"text/plain")
                return
            if body is None:
                return
            await self._send(200, await respond(self._table, body), b"text/xml")
            if self._http.our_state is h11.MUST_CLOSE:
                return
            self._http.start_next_cycle()

    async def _receive(self) -> bytes | None:
        body = b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.Request):
                _check(event)
                if self._http.they_are_waiting_for_100_continue:
                    await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAXIMUM_BODY:
                    raise HttpError(413, f"a request has at most {MAXIMUM_BODY} octets")
            elif isinstance(event, h11.EndOfMessage):
                return body
            else:
                return None

    async def _send(self, status: int, body: bytes, content_type: bytes) -> None:
        headers = [(b"Content-Type", content_type), (b"Content-Length", str(len(body)).encode())]
        if status != 200:
            headers.append((b"Connection", b"close"))
        await self._write(h11.Response(status_code=status, headers=headers))
        await self._write(h11.Data(data=body))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()


def _check(request: h11.Request) -> None:
    if request.method != b"POST":
        raise HttpError(405, "XMLRPC is spoken by POST")
    if request.target not in PATHS:
        raise HttpError(404, "XMLRPC lives at / and /RPC2")


async def respond(table: CommandTable, body: bytes) -> bytes:
    """Execute one marshalled call; every failure becomes a fault."""
    try:
        name, arguments = _unmarshal(body)
        result = _portable(await table.call(name, *arguments))
        return xmlrpc.client.dumps((result,), methodresponse=True, allow_none=True).encode()
    except CommandError as error:
        fault = xmlrpc.client.Fault(error.code, error.message)
    except Exception:  # the door of a worker: a bug in one command must not take the daemon's control away
        _log.exception("control command failed")
        fault = xmlrpc.client.Fault(APPLICATION_ERROR, "internal error; the journal says more")
    return xmlrpc.client.dumps(fault, methodresponse=True).encode()


def _unmarshal(body: bytes) -> tuple[str, tuple[Json, ...]]:
    if b"<!" in body:  # no document type, so no entities to expand
        raise CommandError(PARSE_ERROR, "not an XMLRPC call: declarations are refused")
    try:
        arguments, name = xmlrpc.client.loads(body.decode())
    except Exception as error:  # the standard library's parser documents no list of what it raises
        raise CommandError(PARSE_ERROR, f"not an XMLRPC call: {error}") from error
    if name is None:
        raise CommandError(PARSE_ERROR, "not an XMLRPC call: no method name")
    return name, cast("tuple[Json, ...]", arguments)


def _portable(value: Json) -> Json:
    """Return `value` with counters beyond XMLRPC's 32 bits as doubles (exact up to 2^53)."""
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if isinstance(value, int) and abs(value) > xmlrpc.client.MAXINT:
        return float(value)
    return value
