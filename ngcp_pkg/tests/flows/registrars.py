"""A back-to-back user agent that keeps registrations, and the registrar where the load-balancer is."""

from collections.abc import Callable
from typing import Final

from flows.hands import Hand
from flows.wire import Wire
from ngcp.b2bua.accounts import SUBSCRIBER, Account, Key, Standing
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.core import B2bua
from ngcp.b2bua.registrations import Registrations
from ngcp.sip.core.challenge import Secret
from ngcp.sip.syntax import NameAddr, Request, Uri, parse
from ngcp.sip.transport.flow import Address, Flow

B2BUA: Final = ("127.0.0.1", 5080)
EDGE: Final = ("127.0.0.1", 5060)
PUBLIC: Final = "192.0.2.1:5060"
KEY: Final = Key(SUBSCRIBER, 7)
ASKS: Final = 'WWW-Authenticate: Digest realm="carrier.example", nonce="n1", qop="auth"'
#: Seconds since 1970 when a test begins.
EPOCH: Final = 1_800_000_000.0


def account(number: int = 7, password: str = "secret", name: str = "trunk") -> Account:
    """Return an account."""
    secret = Secret(name, password, "carrier.example")
    registrar = Uri.parse("sip:carrier.example")
    key = Key(SUBSCRIBER, number)
    return Account(key, secret, registrar, "198.51.100.9:5060", "carrier.example", name, f"uuid-{number}")


class Registrar(Hand):
    """One that does its duty."""

    bindings = 0
    """How often it took a REGISTER."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        super().receive(data, flow, now)
        request = parse(data)
        assert isinstance(request, Request), "we ask nobody"
        if "authorization" not in request:
            self.answer(request, 401, ASKS)
        else:
            self.bindings += 1
            self.answer(request, 200, f"Contact: {request.first('Contact')}")


class Enrolled:
    """Who registers, and the registrar by hand or by `answers`."""

    def __init__(self, registrar: type[Hand] = Hand, edge: Address = EDGE) -> None:
        self.wire = Wire()
        self.b2bua = B2bua(Configuration(), self.wire.ids("b2"))
        self.wire.attach(self.b2bua, "udp", B2BUA)
        way = "<sip:127.0.0.1:5060;lr>", Flow("udp", B2BUA, edge)
        start = self.wire.now
        wall: Callable[[], float] = lambda: self.wire.now - start + EPOCH  # noqa: E731 - one with a type
        self.all = Registrations(self.b2bua.agent, way, PUBLIC, wall)
        self.registrar = registrar(self.wire, "registrar", edge, B2BUA)
        self._answered = 0

    def want(self, *accounts: Account, stored: dict[Key, Standing] | None = None) -> None:
        self.all.want(accounts, self.wire.now, stored)
        self.run()

    def run(self, seconds: float = 0.1) -> None:
        self.wire.run(seconds)

    @property
    def heard(self) -> list[Request]:
        """REGISTERs, each once."""
        return self.registrar.requests("REGISTER")

    def answer(self, status: int, *lines: str) -> Request:
        """Answer the next REGISTER, and return it."""
        request = self.heard[self._answered]
        self._answered += 1
        self.registrar.answer(request, status, *lines)
        self.run()
        return request

    def accept(self, seconds: int = 600) -> Request:
        """Answer the next REGISTER as one does that takes it."""
        contact = self.heard[self._answered].first("Contact").partition(";expires")[0]
        other = "<sip:trunk@203.0.113.4>;expires=17"
        return self.answer(200, f"Contact: {other}", f"Contact: {contact};expires={seconds}")

    @property
    def standing(self) -> Standing:
        return self.all.standings[KEY]


def asked_seconds(request: Request) -> str | None:
    """Return for how long a REGISTER asks."""
    return NameAddr.parse(request.first("Contact")).params["expires"]
