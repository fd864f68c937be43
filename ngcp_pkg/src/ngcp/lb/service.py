"""The load-balancer with its sockets and clock: what `kamailio-lb` runs."""

import contextlib
import secrets
from collections.abc import Callable

from ngcp.lb.config import Configuration
from ngcp.lb.control import make_commands
from ngcp.lb.core import LoadBalancer
from ngcp.lb.listeners import Listeners
from ngcp.lb.metrics import metrics
from ngcp.service import xmlrpc
from ngcp.service.metrics import serve_metrics


class LoadBalancerService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(
        self, configuration: Configuration, secret: bytes, reread: Callable[[], Configuration]
    ) -> None:
        """`reread` reads the configuration file again, or raises `ConfigError`."""
        self._reread = reread
        self._configuration = configuration
        self._core = LoadBalancer(configuration, secret, lambda: secrets.token_hex(8))
        self._release = contextlib.ExitStack()

    async def start(self) -> None:
        """Listen on both sides."""
        internal = self._configuration.internal
        listeners = Listeners(self._core, self._configuration)
        self._release.callback(listeners.close)
        listeners.open()
        server = await xmlrpc.serve(
            make_commands(self._core, self._reread), internal.address, internal.xmlrpc_port
        )
        self._release.callback(server.close)
        scraped = await serve_metrics(lambda: metrics(self._core), self._configuration.metrics)
        self._release.callback(scraped.close)

    async def stop(self) -> None:
        """Let go of every socket."""
        self._release.close()

    def status(self) -> str:
        """Return what is alive now."""
        return f"{self._core.transactions} transactions, {self._core.connections} connections"
