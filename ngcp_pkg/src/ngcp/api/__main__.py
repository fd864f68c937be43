"""The daemon: HTTPS over the application."""

import asyncio
import contextlib
import os
import pwd
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn

from ngcp.api.app import make_app
from ngcp.api.config import Config, Listen, load
from ngcp.api.proxy import ProxyControl
from ngcp.provisioning.engine import connect
from ngcp.service.frame import run

CONFIG: Final = Path("/etc/ngcp-api/api.yml")
#: Connections at once; whoever comes later is told 503.
CONNECTIONS: Final = 100
#: Seconds that requests under way have left when the daemon stops.
FAREWELL: Final = 5


class Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: the frame's stop it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class ApiService:
    """The API as its frame sees it."""

    def __init__(self, config: Config) -> None:
        self._listen = config.listen
        user = pwd.getpwuid(os.geteuid()).pw_name
        self._engine = connect(config.database.socket, user, config.database.timeout)
        self._app = make_app(self._engine, ProxyControl(config.proxy_xmlrpc))
        self._server = Server(_uvicorn(self._app, config.listen))
        self._serving: asyncio.Task[None] | None = None
        self.port = config.listen.port

    async def start(self) -> None:
        """Return once HTTPS is served, on the port that is then in `port`."""
        listening = _bind(self._listen)
        self.port = listening.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve([listening]))
        while not self._server.started:
            await asyncio.wait((self._serving,), timeout=0.01)
            if self._serving.done():
                self._serving.result()
                raise OSError("the HTTPS server has stopped")

    async def stop(self) -> None:
        """End what is under way, then let go of the database."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        await self._engine.dispose()

    def status(self) -> str:
        """Say how much was asked."""
        return f"{self._server.server_state.total_requests} requests"


def _bind(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
    return socket.create_server(
        (listen.address, listen.port), family=family, dualstack_ipv6=listen.address == "::", backlog=128
    )


def _uvicorn(app: Callable[..., Awaitable[None]], listen: Listen) -> uvicorn.Config:
    for file in (listen.certificate, listen.private_key):
        file.open("rb").close()  # unlike OpenSSL, this names the file that cannot be read
    config = uvicorn.Config(
        app,
        ssl_certfile=listen.certificate,
        ssl_keyfile=str(listen.private_key),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=FAREWELL,
    )
    config.load()
    return config


def main() -> int:
    """Be the daemon."""
    return run("ngcp-api", load=load, build=ApiService, default=CONFIG)


if __name__ == "__main__":
    sys.exit(main())
