"""Every SIP socket of one load-balancer: opened together, closed together, all in front of one driver.

The public side has the sockets of `Public.sockets`. The internal one has UDP, and a TCP port that also takes
control commands: whoever says HTTP there is handed over.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from ngcp.lb.config import SECURE, Configuration
from ngcp.lb.core import LoadBalancer
from ngcp.net.admission import Admission, Limits
from ngcp.net.connection import Framer
from ngcp.net.driver import Driver
from ngcp.net.sniffing import SniffingFramer
from ngcp.net.stream import Manner, StreamServer
from ngcp.net.tls import Certificate
from ngcp.net.udp import UdpSocket
from ngcp.net.websocket import WebSocketFramer
from ngcp.sip.transport import stun
from ngcp.sip.transport.flow import Address, Flow
from ngcp.sip.transport.framing import StreamFramer

#: The elements inside are few, and all at the same address.
INSIDE: Final = Limits(connections=1024, per_address=1024)

Foreign = Callable[[socket.socket, bytes], None]


class Listeners:
    """The sockets of both sides, on the running loop."""

    def __init__(self, core: LoadBalancer, configuration: Configuration, foreign: Foreign) -> None:
        """`foreign` serves internal connections that speak HTTP, from what they have said so far."""
        self._core = core
        self._configuration = configuration
        self._foreign = foreign
        self._driver = Driver(core)
        self._certificate: Certificate | None = None
        self._release = contextlib.ExitStack()
        self._release.callback(self._driver.close)

    def open(self) -> None:
        """Listen; an `OSError` leaves open what `close` will close."""
        public, internal = self._configuration.public, self._configuration.internal
        tos, counters = self._configuration.tos, self._core.counters
        if public.certificate is not None and public.private_key is not None:
            self._certificate = Certificate(public.certificate, public.private_key)
        self._watch_proxies(self._listen_udp(internal.socket, 0))
        inside = Manner("tcp", framer=SniffingFramer, foreign=self._foreign)
        self._listen_stream(internal.socket, inside, Admission(INSIDE, counters))
        admission = Admission(self._configuration.limits, counters, self._welcomes)
        for transport, address in public.sockets:
            if transport == "udp":
                self._listen_udp(address, tos)
            else:
                self._listen_stream(address, self._manner(transport), admission)
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

    def _watch_proxies(self, inside: UdpSocket) -> None:
        """Let a call go to another proxy as soon as the first has no port; one alone may soon be back."""
        internal = self._configuration.internal.socket

        def unreachable(remote: Address) -> None:
            self._core.unreachable(Flow("udp", internal, remote), asyncio.get_running_loop().time())
            self._driver.transmit()

        inside.watch(unreachable)

    def _listen_udp(self, local: Address, tos: int) -> UdpSocket:
        def receive(data: bytes, remote: Address) -> None:
            if data[:1] == b"\0" and (answer := stun.answer(data, remote)) is not None:
                self._core.counters["stun"] += 1
                udp.send(answer, remote)
            else:
                self._driver.receive(data, Flow("udp", local, remote))

        udp = UdpSocket(local, receive, self._driver.transmit, tos)
        self._release.callback(udp.close)
        self._driver.attach("udp", local, udp)
        return udp

    def _listen_stream(self, local: Address, manner: Manner, admission: Admission) -> None:
        server = StreamServer(self._driver, manner, opened=self._core.connected, admission=admission)
        self._release.callback(server.close)
        server.listen(local)
        self._driver.attach(server.transport, local, server)
