"""The stations of the corridor: each looks at a request and its facts, and decides or lets it pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ngcp.sip.core.decision import Decision, Relay, Reply, Target
from ngcp.sip.core.digest import Authenticator, Credentials, Verdict
from ngcp.sip.core.registrar import AddressOfRecord, Binding, Registrar, Source, Update
from ngcp.sip.syntax import Request
from ngcp.sip.syntax.fields import split_list
from ngcp.sip.transport.flow import format_address

from .dialogs import Dialogs
from .edge import Edge
from .facts import Facts

#: Requests that start something here; all others belong into a dialog.
OUT_OF_DIALOG: Final = frozenset({"REGISTER", "INVITE", "OPTIONS", "MESSAGE"})
ALLOW: Final = "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, REGISTER, UPDATE, PRACK, INFO, REFER, NOTIFY"

#: Subscriber lock levels (platform preference `lock`) from which calls are refused.
LOCKED_OUTGOING: Final = 2
LOCKED_ALL: Final = 3


@dataclass(slots=True)
class Store:
    """Store an update of the location table, and answer the REGISTER only then."""

    update: Update


Outcome = Decision | Store


@dataclass(frozen=True, slots=True)
class Floor:
    """What the stations stand on."""

    authenticator: Authenticator
    registrar: Registrar
    dialogs: Dialogs
    edge: Edge
    """The ways to the load-balancer."""
    ring_timeout: float


def check_method(request: Request, facts: Facts, floor: Floor) -> Outcome | None:
    """Refuse what neither starts nor continues anything (§8.2.1)."""
    if request.method in OUT_OF_DIALOG:
        return None
    return Reply(405, headers=(("Allow", ALLOW),))


def authenticate(request: Request, facts: Facts, floor: Floor) -> Outcome | None:
    """Let only our own subscribers pass, each under an identity that is theirs (§22)."""
    caller = facts.caller
    if not caller.is_local:
        return Reply(403, "Relaying denied")
    if caller.verdict is Verdict.GOOD:
        return None if caller.owns_identity else Reply(403)
    stale = caller.verdict is Verdict.STALE
    challenge = floor.authenticator.challenge(caller.realm, facts.now, stale=stale)
    failure = _failure(request, caller.realm) if caller.verdict is Verdict.WRONG else ()
    if request.method == "REGISTER":
        return Reply(401, headers=(("WWW-Authenticate", challenge), *failure))
    return Reply(407, headers=(("Proxy-Authenticate", challenge), *failure))


def _failure(request: Request, realm: str) -> tuple[tuple[str, str], ...]:
    """Tell the load-balancer whose password was wrong: it counts, and bans."""
    credentials = Credentials.find(request, realm)
    if credentials is None:
        return ()
    user = f"{credentials.username}@{realm.lower()}"
    return ("P-NGCP-Authorization", user), ("P-NGCP-Authorized", "0")


def check_locks(request: Request, facts: Facts, floor: Floor) -> Outcome | None:
    """Refuse calls from or to a subscriber whom the operator locked."""
    if request.method == "REGISTER":
        return None
    caller, callee = facts.caller.subscriber, facts.callee.subscriber
    if caller is not None and caller.lock >= LOCKED_OUTGOING:
        return Reply(403, "Caller locked")
    if callee is not None and callee.lock >= LOCKED_ALL:
        return Reply(403, "Callee locked")
    return None


def register(request: Request, facts: Facts, floor: Floor) -> Outcome | None:
    """Plan a REGISTER (§10.3)."""
    subscriber = facts.caller.subscriber
    if request.method != "REGISTER" or subscriber is None:
        return None
    aor = AddressOfRecord(subscriber.username, subscriber.domain)
    return Store(floor.registrar.plan(aor, request, source_of(request), facts.now))


def route(request: Request, facts: Facts, floor: Floor) -> Outcome | None:
    """Fork to where the callee is registered (§16.5)."""
    callee = facts.callee
    if not callee.is_local:
        return Reply(403, "Relaying denied")
    if callee.subscriber is None:
        return Reply(404)
    if not callee.bindings:
        return Reply(480, "Offline")
    request.remove("Route")
    request.remove("Proxy-Authorization")
    targets = tuple(_target(binding, floor.edge) for binding in callee.bindings)
    record_route = (floor.dialogs.record_route(request),) if request.method == "INVITE" else ()
    return Relay(request, targets, record_route, timer_c=floor.ring_timeout)


Station = Callable[[Request, Facts, Floor], Outcome | None]

#: The order in which a request out of a dialog meets them; the last one always decides.
STATIONS: Final[tuple[Station, ...]] = (check_method, authenticate, check_locks, register, route)


def source_of(request: Request) -> Source:
    """Read what the load-balancer noted about where a REGISTER came from."""
    path = request.first("path") if "path" in request else None
    host, port = request.get("p-ngcp-src-ip"), request.get("p-ngcp-src-port")
    transport = (request.get("p-ngcp-src-proto") or "udp").lower()
    received = None
    if host and port and port.isdigit():
        received = f"sip:{format_address((host, int(port)))};transport={transport}"
    return Source(path, received, None, request.get("p-ngcp-src-nat") == "1")


def _target(binding: Binding, edge: Edge) -> Target:
    path = tuple(split_list(binding.source.path)) if binding.source.path else ()
    return Target(binding.contact, edge.towards(path[0] if path else None), path)
