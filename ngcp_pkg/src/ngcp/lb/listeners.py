"""Every SIP socket of one load-balancer: opened together, closed together, all in front of one driver.

The public side has the sockets of `Public.sockets`. The internal one has UDP, and a TCP port that also takes
control commands: whoever says HTTP there is handed over.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from ngcp.lb.channel import between
from ngcp.lb.colleagues import Colleagues
from ngcp.lb.config import SECURE, Configuration
from ngcp.lb.core import LoadBalancer
from ngcp.lb.past import directory, most_workers
from ngcp.net.admission import Admission, Limits
from ngcp.net.connection import Framer
from ngcp.net.driver import Driver
from ngcp.net.sniffing import SniffingFramer
from ngcp.net.stream import Manner, StreamServer
from ngcp.net.tls import Certificate
from ngcp.net.udp import UdpSocket
from ngcp.net.websocket import WebSocketFramer
from ngcp.service.workers import Crew
from ngcp.sip.transport.flow import Address, Flow
from ngcp.sip.transport.framing import StreamFramer
from ngcp.stun import binding

#: The elements inside are few, and all at the same address.
INSIDE: Final = Limits(connections=1024, per_address=1024)

Foreign = Callable[[socket.socket, bytes], None]

_log = logging.getLogger(__name__)


class Listeners:
    """The sockets of both sides, on the running loop."""

    def __init__(self, core: LoadBalancer, configuration: Configuration, crew: Crew) -> None:
        """`crew` says which worker this is; its links are ours."""
        self._core = core
        self._configuration = configuration
        self._crew = crew
        self._driver = Driver(core)
        self._certificate: Certificate | None = None
        self._release = contextlib.ExitStack()
        self._release.callback(self._driver.close)
        self.colleagues = Colleagues(crew, self._receive_packet, self._driver.transmit)
        self._release.callback(self.colleagues.close)
        self._driver.attach(*between(crew.number, 0)[:2], self.colleagues)
        if core.exchange is not None:
            loop = asyncio.get_running_loop()
            core.exchange.wake = lambda: loop.call_soon(self._driver.transmit)

    def open(self, foreign: Foreign) -> None:
        """Listen; an `OSError` leaves open what `close` will close.

        `foreign` serves internal connections that speak HTTP, from what they have said so far.
        """
        public, crew = self._configuration.public, self._crew
        tos, counters = self._configuration.tos, self._core.counters
        if public.certificate is not None and public.private_key is not None:
            self._certificate = Certificate(public.certificate, public.private_key)
        most = most_workers(crew.size, directory())
        self._open_inside(*self._configuration.internal.sockets[:most][crew.number :: crew.size])
        if crew.is_main:
            inside = Manner("tcp", framer=SniffingFramer, foreign=foreign)
            self._listen_stream(self._configuration.internal.socket, inside, Admission(INSIDE, counters))
        admission = Admission(self._configuration.limits, counters, self._welcomes)
        for transport, address in public.sockets:
            if transport == "udp":
                self._listen_udp(address, tos, shared=crew.size > 1)
            else:
                self._listen_stream(address, self._manner(transport), admission, shared=crew.size > 1)
        self._driver.transmit()  # the first probes

    def _manner(self, transport: str) -> Manner:
        certificate = self._certificate if transport in SECURE else None
        framer: Callable[[], Framer] = StreamFramer
        if transport in ("ws", "wss"):
            framer = partial(WebSocketFramer, frozenset(self._configuration.public.ws_origins))
        return Manner(transport, certificate, framer, tos=self._configuration.tos)

    def close(self) -> None:
        """Let go of every socket."""
        self._release.close()

    def _welcomes(self, host: str) -> bool:
        return not self._core.protection.is_banned(host, self._driver.now())

    def reload_certificate(self) -> bool:
        """Read the certificate anew for connections to come; False without TLS.

        A `BadCertificate` keeps the old one.
        """
        if self._certificate is None:
            return False
        self._certificate.reload()
        return True

    def _open_inside(self, own: Address, *others: Address) -> None:
        """Listen on our own internal socket, and for workers that are no more: phones may still be theirs."""
        self._watch_proxies(self._listen_udp(own, 0), own)
        for address in others:

            def receive(data: bytes, remote: Address) -> None:
                self._driver.receive(data, Flow("udp", own, remote))

            try:
                self._release.callback(UdpSocket(address, receive, self._driver.transmit).close)
            except OSError as error:  # its phones are lost until they register again, the others are not
                _log.warning("cannot listen for an earlier worker on %s:%d: %s", *address, error.strerror)

    def _receive_packet(self, sender: int, packet: bytes) -> None:
        try:
            self._core.receive_packet(packet, sender, asyncio.get_running_loop().time())
        except Exception:  # as a bug that one message hits
            _log.exception("what worker %d said could not be handled", sender)

    def _watch_proxies(self, inside: UdpSocket, own: Address) -> None:
        """Let a call go to another proxy as soon as the first has no port; one alone may soon be back."""

        def unreachable(remote: Address) -> None:
            self._core.unreachable(Flow("udp", own, remote), asyncio.get_running_loop().time())
            self._driver.transmit()

        inside.watch(unreachable)

    def _listen_udp(self, local: Address, tos: int, *, shared: bool = False) -> UdpSocket:
        def receive(data: bytes, remote: Address) -> None:
            if data[:1] == b"\0" and (answer := binding.answer(data, remote)) is not None:
                self._core.counters["stun"] += 1
                udp.send(answer, remote)
            else:
                self._driver.receive(data, Flow("udp", local, remote))

        udp = UdpSocket(local, receive, self._driver.transmit, tos, shared=shared)
        self._release.callback(udp.close)
        self._driver.attach("udp", local, udp)
        return udp

    def _listen_stream(
        self, local: Address, manner: Manner, admission: Admission, *, shared: bool = False
    ) -> None:
        server = StreamServer(self._driver, manner, opened=self._core.connected, admission=admission)
        self._release.callback(server.close)
        server.listen(local, shared=shared)
        self._driver.attach(server.transport, local, server)
