"""HTTPS, by uvicorn: a socket in, connections bounded in number and in patience."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ngcp.api.authentication import CLIENT_SERIAL
from ngcp.api.config import Listen

#: Connections at once; whoever comes later is told 503.
CONNECTIONS: Final = 100
#: Seconds that a new connection has for the head of its first request; the next one may come when it likes,
#: but only from a client that was let in by the first.
PATIENCE: Final = 10.0
#: Seconds that requests under way have left when the daemon stops.
FAREWELL: Final = 5


class Connection(H11Protocol):
    """One connection; it ends if it asks for nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait."""
        super().connection_made(transport)
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.app_state = {**self.app_state, CLIENT_SERIAL: int(certificate["serialNumber"], 16)}
        self.loop.call_later(PATIENCE, self._lose_patience)

    def _lose_patience(self) -> None:
        if self.cycle is None:  # no request yet
            self.transport.close()


class Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: the frame's stop it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def bind(listen: Listen) -> list[socket.socket]:
    """Return a listening socket for each address."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_bind(address, listen.port)) for address in listen.addresses]
        stack.pop_all()
    return sockets


def _bind(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=128)


def make_server(app: Callable[..., Awaitable[None]], listen: Listen, clients: Path) -> Server:
    """Return the server of `app`; `clients` is the authority that client certificates are of.

    Raises OSError if the certificate or its key cannot be read.
    """
    for file in (listen.certificate, listen.private_key):
        file.open("rb").close()  # unlike OpenSSL, this names the file that cannot be read
    config = uvicorn.Config(
        app,
        ssl_certfile=listen.certificate,
        ssl_keyfile=str(listen.private_key),
        ssl_ca_certs=str(clients),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=FAREWELL,
    )
    config.load()
    return Server(config)
