"""The load-balancer on the wire, and a proxy inside that believes everybody."""

import contextlib
from pathlib import Path

from flows.outside import watch
from flows.wire import Wire
from ngcp.lb.config import Configuration, ExtraSocket, Internal, Proxy, Public
from ngcp.lb.core import LoadBalancer
from ngcp.lb.security import Security
from ngcp.sip.core.decision import Decision, Relay, Reply, Target
from ngcp.sip.core.proxy import Incoming, Returning, StatefulProxy
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Uri, parse
from ngcp.sip.transport.flow import Address, Flow, format_address

PUBLIC, PUBLIC_TLS, EXTRA = ("192.0.2.1", 5060), ("192.0.2.1", 5061), ("192.0.2.1", 5070)
PUBLIC_WS, PUBLIC_WSS = ("192.0.2.1", 8080), ("192.0.2.1", 8443)
PUBLIC6, PUBLIC6_TLS = ("2001:db8::1", 5060), ("2001:db8::1", 5061)
INTERNAL, PROXY = ("127.0.0.1", 5060), ("127.0.0.1", 5062)
SECRET = bytes(range(32))

#: The certificate is never read here: TLS is a matter of the sockets. Nobody is banned for what a test sends.
CONFIGURATION = Configuration(
    Public(
        *PUBLIC,
        PUBLIC_TLS[1],
        Path("myserver.crt"),
        Path("myserver.key"),
        PUBLIC6[0],
        ws_port=PUBLIC_WS[1],
        wss_port=PUBLIC_WSS[1],
        extra_sockets=(ExtraSocket("udp", *EXTRA), ExtraSocket("tcp", *EXTRA)),
    ),
    Internal(*INTERNAL),
    (Proxy(*PROXY),),
    security=Security(dos_ban_enable=False),
)


def add_load_balancer(wire: Wire, configuration: Configuration = CONFIGURATION) -> LoadBalancer:
    """Put a load-balancer with all its sockets on the wire."""
    core = LoadBalancer(configuration, SECRET, wire.ids("lb"))
    for transport, address in (("udp", INTERNAL), ("tcp", INTERNAL), *configuration.public.sockets):
        wire.attach(core, transport, address)
    if configuration.topology_hiding:
        watch(wire, (PUBLIC, PUBLIC_TLS), {INTERNAL[0], *(proxy.address for proxy in configuration.proxies)})
    return core


class StubProxy:
    """A proxy that asks nobody for a password: it keeps registrations, and routes to them."""

    def __init__(
        self, wire: Wire, address: Address = PROXY, bindings: dict[str, tuple[str, str]] | None = None
    ) -> None:
        self.address = address
        self.answer: Decision | None = None
        """What it decides of everything out of a dialog, instead of what it would."""
        self.bindings: dict[str, tuple[str, str]] = {} if bindings is None else bindings
        """Contact and Path by user; several proxies can share them."""
        self.requests: list[Request] = []
        """What was received, before it was edited."""
        self._edge = Flow("udp", address, INTERNAL)
        self._engine = StatefulProxy(wire.ids(f"stub{address[1]}-"), translate_503=False)
        wire.attach(self, "udp", address)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        with contextlib.suppress(SipError):
            self._engine.receive(parse(data), flow, now)
        self._work(now)

    def handle_timer(self, now: float) -> None:
        self._engine.handle_timer(now)
        self._work(now)

    def next_timer(self) -> float | None:
        return self._engine.next_timer()

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        return self._engine.messages_to_send()

    def transport_failed(self, flow: Flow, now: float) -> None:
        self._engine.transport_failed(flow, now)
        self._work(now)

    def _work(self, now: float) -> None:
        while (event := self._engine.next_event()) is not None:
            if isinstance(event, Incoming):
                self.requests.append(event.request.copy())
                try:
                    decision = self._decide(event.request)
                except SipError as error:
                    decision = Reply(error.status)
                self._engine.execute(event, decision, now)
            elif isinstance(event, Returning):
                self._engine.forward(event, now)

    def _decide(self, request: Request) -> Decision:
        if self.answer is not None and "route" not in request:
            return self.answer
        if "route" in request:
            request.pop_first("Route")
            return Relay(request, (Target(request.uri, self._edge),))
        if request.method == "REGISTER":
            return self._register(request)
        binding = self.bindings.get(Uri.parse(request.uri).name)
        if binding is None:
            return Reply(404, headers=(("P-NGCP-Secret", "not for phones"),))
        contact, path = binding
        route = (f"<sip:{format_address(self.address)};lr=on;ftag={request.from_.tag};did=0>",)
        request.append("P-Caller-UUID", "not for phones")
        request.set("P-Asserted-Identity", f"<{request.from_.address}>")
        return Relay(request, (Target(contact, self._edge, (path,)),), route)

    def _register(self, request: Request) -> Decision:
        contact = NameAddr.parse(request.first("Contact"))
        self.bindings[request.to.uri.name] = contact.address, request.first("Path")
        return Reply(200, headers=(("Contact", str(contact)), ("Path", request.first("Path"))))
