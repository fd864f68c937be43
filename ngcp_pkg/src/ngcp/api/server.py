"""HTTPS, by uvicorn: a socket in, connections bounded in number and in patience."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

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


def bind(listen: Listen) -> socket.socket:
    """Return a listening socket."""
    family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
    return socket.create_server(
        (listen.address, listen.port), family=family, dualstack_ipv6=listen.address == "::", backlog=128
    )


def make_server(app: Callable[..., Awaitable[None]], listen: Listen) -> Server:
    """Return the server of `app`; raises OSError if the certificate or its key cannot be read."""
    for file in (listen.certificate, listen.private_key):
        file.open("rb").close()  # unlike OpenSSL, this names the file that cannot be read
    config = uvicorn.Config(
        app,
        ssl_certfile=listen.certificate,
        ssl_keyfile=str(listen.private_key),
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
