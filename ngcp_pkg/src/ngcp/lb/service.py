"""The load-balancer with its sockets and clock: what `kamailio-lb` runs."""

import contextlib
import logging
import secrets
from collections.abc import Callable

from ngcp.lb.config import Configuration
from ngcp.lb.control import make_commands
from ngcp.lb.core import LoadBalancer
from ngcp.lb.exchange import Exchange
from ngcp.lb.fanout import spread
from ngcp.lb.listeners import Listeners
from ngcp.lb.metrics import metrics
from ngcp.net.tls import BadCertificate
from ngcp.service.commands import CommandError
from ngcp.service.config import ConfigError
from ngcp.service.credentials import Credential
from ngcp.service.metrics import serve_metrics
from ngcp.service.workers import Crew
from ngcp.service.xmlrpc import ControlServer

_log = logging.getLogger(__name__)


class LoadBalancerService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(
        self,
        configuration: Configuration,
        read_secret: Callable[[], Credential],
        reread: Callable[[], Configuration],
        crew: Crew | None = None,
    ) -> None:
        """`reread` and `read_secret` read file and secret again, or raise `ConfigError`.

        `crew` are all workers.
        """
        self._crew = crew = crew or Crew()
        self._reread = reread
        self._configuration = configuration
        exchange = Exchange(crew.number, crew.size) if crew.size > 1 else None
        self._read_secret, credential = read_secret, read_secret()
        self._core = LoadBalancer(
            configuration, credential.secret, lambda: secrets.token_hex(8), exchange=exchange
        )
        self._core.rekey(credential.secret, credential.earlier)
        self._listeners: Listeners | None = None
        self._release = contextlib.ExitStack()

    async def start(self) -> None:
        """Listen on both sides."""
        internal = self._configuration.internal
        crew = self._crew
        listeners = Listeners(self._core, self._configuration, crew)
        self._listeners = listeners
        self._release.callback(listeners.close)
        colleagues = listeners.colleagues if crew.is_main and crew.size > 1 else None
        table = make_commands(self._core, self._reread, colleagues)
        table.add("tls.reload", self.reload_tls, "read certificate and key anew; connections stay up")
        if colleagues is not None:
            spread(table, colleagues)
        listeners.colleagues.serve(table)
        control = ControlServer(table)
        self._release.callback(control.close)
        listeners.open(control.adopt)
        if not crew.is_main:
            return
        if internal.xmlrpc_port != internal.port:
            await control.listen(internal.address, internal.xmlrpc_port)
        scraped = await serve_metrics(lambda: metrics(self._core, colleagues), self._configuration.metrics)
        self._release.callback(scraped.close)

    def reload(self) -> None:
        """Read secret, certificate and key anew (SIGHUP)."""
        try:
            credential = self._read_secret()
            self._core.rekey(credential.secret, credential.earlier)
            if self._configuration.public.certificate is not None:
                self.reload_tls()
        except (CommandError, ConfigError) as error:
            _log.error("%s", error)

    def reload_tls(self) -> str:
        """Read certificate and key anew; a `CommandError` tells why the old ones stay in use."""
        if self._listeners is None:
            raise CommandError(500, "not listening yet")
        try:
            is_there = self._listeners.reload_certificate()
        except BadCertificate as error:
            self._core.counters["tls.reloads_failed"] += 1
            raise CommandError(500, f"the old certificate stays in use: {error}") from error
        if not is_there:
            raise CommandError(404, "TLS is not enabled")
        _log.info("new TLS connections see the certificate that has just been read")
        return "Ok. TLS configuration reloaded."

    async def stop(self) -> None:
        """Let go of every socket."""
        self._release.close()

    def status(self) -> str:
        """Return what is alive now."""
        return f"{self._core.transactions} transactions, {self._core.connections} connections"
