"""Where stations are tried: a floor over memory, and a call from alice to bob that a test may change."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeVar

from ngcp.provisioning.runtime import Name, Subscriber
from ngcp.proxy.applications import Applications
from ngcp.proxy.batches import settled
from ngcp.proxy.call import Call, Caller, Routed
from ngcp.proxy.corridor import Corridor
from ngcp.proxy.dialogs import Dialogs
from ngcp.proxy.directory import Directory, Terms, Unknown
from ngcp.proxy.edge import Edge
from ngcp.proxy.facts import Gatherer
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.stations import STATIONS
from ngcp.service.workers import sockets_of
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Rules, Source
from ngcp.sip.core.digest import Authenticator, Verdict
from ngcp.sip.core.gruu import Gruus
from ngcp.sip.core.nonces import Nonces
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.syntax import Request, Response, Uri
from proxy.doors import MemoryDirectory, run_now

PATH = "<sip:lb@127.0.0.1:5060;lr;received=sip:192.0.2.9:6000>"

T = TypeVar("T")


@dataclass
class Stage:
    """alice@example.org calls bob@example.org, both provisioned; nobody is registered."""

    source: MemoryDirectory = field(default_factory=MemoryDirectory)
    chance: float = 0.0
    """What every draw of chance gives."""

    def __post_init__(self) -> None:
        self.source.add("alice", "4311001")
        self.source.add("bob", "4311002")
        own, self._ids = ("127.0.0.1", 5062), count()
        directory = Directory(self.source, Terms(60.0, lambda: 0.0, run_now))
        self.registrar = Registrar(Rules(), self._id)
        authenticator = Authenticator(Nonces(b"s", self._id, lifetime=300.0, now=0.0), ["MD5"])
        edge = Edge(own, sockets_of(("127.0.0.1", 5060), 5101))
        applications = Applications.of(own, ("127.0.0.1", 5070), ("127.0.0.1", 5080), "2000", "4312000")
        gruus, dialogs = Gruus(b"s", self.registrar), Dialogs(b"s", own)
        self.floor = Floor(
            directory,
            authenticator,
            self.registrar,
            gruus,
            dialogs,
            edge,
            30.0,
            applications,
            self._draw,
        )
        self.corridor = Corridor(Gatherer(directory, authenticator, applications.addresses), self.floor)

    def _draw(self) -> float:
        return self.chance

    def _id(self) -> str:
        return str(next(self._ids))

    def subscriber(self, username: str) -> Subscriber:
        """Return one as memory gives him."""
        name = Name(username, "example.org")
        found = self.known(lambda: self.floor.directory.subscriber(*name))
        assert found is not None
        return found

    def give(self, username: str, **preferences: str | tuple[str, ...]) -> None:
        """Set preferences of a subscriber."""
        known = self.source.accounts[username]
        self.source.accounts[username] = replace(
            known, preferences={**known.preferences, **layer(preferences)}
        )

    def change(self, username: str, **fields: Any) -> None:  # noqa: ANN401 - as `replace` has it
        """Let a subscriber be provisioned otherwise."""
        self.source.accounts[username] = replace(self.source.accounts[username], **fields)

    def share(self, **fields: Any) -> None:  # noqa: ANN401 - as `replace` has it
        """Let the platform be another one."""
        self.source.shared = replace(self.source.shared, **fields)

    def gather(self, request: Request) -> Call:
        """Return what a call begins with."""
        return self.known(lambda: self.corridor.gatherer.gather(request, 0.0))

    def good(self, username: str = "alice") -> Caller:
        """Return a caller who proved who he is."""
        subscriber = self.subscriber(username)
        preferences = self.source.shared.preferences_of(subscriber)
        return Caller("example.org", True, Verdict.GOOD, subscriber, True, preferences=preferences)

    def register(self, username: str, *contacts: str, path: str | None = PATH, q: float = 1.0) -> None:
        """Bind contacts, without a word on the wire."""
        aor = AddressOfRecord(username, "example.org")
        self.registrar.load(
            [Binding(f"r-{c}", aor, c, 3600.0, "c", 1, q=q, source=Source(path)) for c in contacts]
        )

    def call(self, caller: Caller | None = None, request: Request | None = None) -> Call:
        """Return a call as it enters the corridor, by default alice's to bob with good credentials."""
        request = request or make_request()
        platform = self.source.shared
        return Call(request, 0.0, platform, caller or self.good(), Uri.parse(request.uri))

    def decide(self, make: Callable[[], Call]) -> Outcome:
        """Let a call through all stations; `make` is called anew whenever memory has to learn."""

        def go() -> Outcome:
            call = make()
            outcomes = (station(call, self.floor) for station in STATIONS)
            return next(outcome for outcome in outcomes if outcome is not None)

        return self.known(go)

    def routed(self, make: Callable[[], Call]) -> Call:
        """Let a call through that goes somewhere."""
        outcome = self.decide(make)
        assert isinstance(outcome, Routed), outcome
        return outcome.call

    @staticmethod
    def routed_again(outcome: Outcome | None) -> Call:
        """Return the call that goes somewhere else after a failure."""
        assert isinstance(outcome, Routed), outcome
        return outcome.call

    def proceed(self, call: Call, status: int, *headers: tuple[str, str]) -> Outcome | None:
        """Let the call's attempt fail."""
        response = Response(status)
        for name, value in headers:
            response.append(name, value)
        return self.known(lambda: self.corridor.proceed_now(call, response, call.now))

    def known(self, ask: Callable[[], T]) -> T:
        """Ask until memory knows."""
        for _ in range(40):
            try:
                return ask()
            except Unknown as unknown:
                run_now(settled(unknown.learn))
        raise AssertionError("memory never knows")


def layer(preferences: dict[str, str | tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return preferences as memory has them."""
    return {name: (value,) if isinstance(value, str) else value for name, value in preferences.items()}


def make_request(
    method: str = "INVITE",
    uri: str = "sip:bob@example.org",
    *extra: str,
    from_: str = "<sip:alice@example.org>",
    via: str = "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1",
) -> Request:
    """Return what alice's phone sends, as the load-balancer passes it on; `extra` are lines."""
    return Request(
        method,
        uri,
        [
            f"Via: {via}",
            "Route: <sip:preloaded@192.0.2.66;lr>",
            f"From: {from_};tag=a",
            f"To: <{uri}>",
            "Call-ID: c",
            f"CSeq: 1 {method}",
            "Contact: <sip:alice@192.0.2.1>",
            "Proxy-Authorization: Digest x=y",
            *extra,
        ],
    )
