"""Every SIP socket of one load-balancer: opened together, closed together, all in front of one driver."""

import asyncio
import contextlib

from ngcp.lb.config import Configuration
from ngcp.lb.core import LoadBalancer
from ngcp.net.admission import Admission
from ngcp.net.driver import Driver
from ngcp.net.stream import Manner, StreamServer
from ngcp.net.tls import Certificate
from ngcp.net.udp import UdpSocket
from ngcp.sip.transport.flow import Address, Flow


class Listeners:
    """The sockets of both sides, on the running loop."""

    def __init__(self, core: LoadBalancer, configuration: Configuration) -> None:
        self._core = core
        self._configuration = configuration
        self._driver = Driver(core)
        self._admission = Admission(counters=core.counters, welcomes=self._welcomes)
        self._release = contextlib.ExitStack()
        self._release.callback(self._driver.close)

    def open(self) -> None:
        """Listen; an `OSError` leaves open what `close` will close."""
        public, internal = self._configuration.public, self._configuration.internal
        self._watch_proxies(self._listen_udp(internal.socket, 0))
        self._listen_udp(public.socket, self._configuration.tos)
        self._listen_stream(public.socket, Manner("tcp", tos=self._configuration.tos))
        if public.certificate is not None and public.private_key is not None:
            certificate = Certificate(public.certificate, public.private_key)
            manner = Manner("tls", certificate, tos=self._configuration.tos)
            self._listen_stream((public.address, public.tls_port), manner)
        self._driver.transmit()  # the first probes

    def close(self) -> None:
        """Let go of every socket."""
        self._release.close()

    def _welcomes(self, host: str) -> bool:
        return not self._core.protection.is_banned(host, self._driver.now())

    def _watch_proxies(self, socket: UdpSocket) -> None:
        """Let a call go to another proxy as soon as the first has no port; one alone may soon be back."""
        internal = self._configuration.internal.socket

        def unreachable(remote: Address) -> None:
            self._core.unreachable(Flow("udp", internal, remote), asyncio.get_running_loop().time())
            self._driver.transmit()

        socket.watch(unreachable)

    def _listen_udp(self, local: Address, tos: int) -> UdpSocket:
        def receive(data: bytes, remote: Address) -> None:
            self._driver.receive(data, Flow("udp", local, remote))

        socket = UdpSocket(local, receive, self._driver.transmit, tos)
        self._release.callback(socket.close)
        self._driver.attach("udp", local, socket)
        return socket

    def _listen_stream(self, local: Address, manner: Manner) -> None:
        server = StreamServer(self._driver, manner, opened=self._core.connected, admission=self._admission)
        self._release.callback(server.close)
        server.listen(local)
        self._driver.attach(server.transport, local, server)
