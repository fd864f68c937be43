"""The load-balancer with its sockets and clock: what `kamailio-lb` runs."""

import contextlib
import secrets
import ssl

from ngcp.lb.config import Configuration
from ngcp.lb.control import make_commands
from ngcp.lb.core import LoadBalancer
from ngcp.net.driver import Driver
from ngcp.net.stream import StreamServer, server_context
from ngcp.net.udp import UdpSocket
from ngcp.service import xmlrpc
from ngcp.sip.transport.flow import Address, Flow


class LoadBalancerService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration, secret: bytes) -> None:
        self._configuration = configuration
        self._core = LoadBalancer(configuration, secret, lambda: secrets.token_hex(8))
        self._release = contextlib.ExitStack()

    async def start(self) -> None:
        """Listen on both sides."""
        public, internal = self._configuration.public, self._configuration.internal
        driver = Driver(self._core)
        self._release.callback(driver.close)
        self._listen_udp(driver, internal.socket, 0)
        self._listen_udp(driver, public.socket, self._configuration.tos)
        self._listen_stream(driver, public.socket, None)
        if public.certificate is not None and public.private_key is not None:
            tls = server_context(public.certificate, public.private_key)
            self._listen_stream(driver, (public.address, public.tls_port), tls)
        server = await xmlrpc.serve(make_commands(self._core), internal.address, internal.xmlrpc_port)
        self._release.callback(server.close)

    async def stop(self) -> None:
        """Let go of every socket."""
        self._release.close()

    def status(self) -> str:
        """Return what is alive now."""
        return f"{self._core.transactions} transactions, {self._core.connections} connections"

    def _listen_udp(self, driver: Driver, local: Address, tos: int) -> None:
        def receive(data: bytes, remote: Address) -> None:
            driver.receive(data, Flow("udp", local, remote))

        socket = UdpSocket(local, receive, driver.transmit, tos)
        self._release.callback(socket.close)
        driver.attach("udp", local, socket)

    def _listen_stream(self, driver: Driver, local: Address, tls: ssl.SSLContext | None) -> None:
        server = StreamServer(driver, opened=self._core.connected, tls=tls, tos=self._configuration.tos)
        self._release.callback(server.close)
        server.listen(local)
        driver.attach(server.transport, local, server)
