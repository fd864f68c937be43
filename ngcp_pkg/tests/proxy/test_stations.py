"""Every row of the corridor, allowed and refused, as a table over facts."""

from itertools import count

import pytest

from ngcp.proxy.dialogs import Dialogs
from ngcp.proxy.edge import Edge
from ngcp.proxy.facts import Callee, Caller, Facts
from ngcp.proxy.stations import STATIONS, Floor, Outcome, Store, source_of
from ngcp.service.workers import sockets_of
from ngcp.sip.core.decision import Relay, Reply
from ngcp.sip.core.digest import Authenticator, Verdict
from ngcp.sip.core.registrar import AddressOfRecord, Binding, Registrar, Rules, Source
from ngcp.sip.syntax import Request
from proxy.doors import make_subscriber

PATH = "<sip:lb@127.0.0.1:5060;lr;received=sip:192.0.2.9:6000>"
ALICE, BOB = make_subscriber("alice"), make_subscriber("bob")
GOOD = Caller("example.org", True, Verdict.GOOD, ALICE, owns_identity=True)


def make_binding(contact: str, path: str | None = PATH) -> Binding:
    return Binding(
        contact, AddressOfRecord("bob", "example.org"), contact, 3600.0, "c", 1, source=Source(path)
    )


ONLINE = Callee(True, BOB, (make_binding("sip:bob@192.0.2.9"), make_binding("sip:bob@192.0.2.10", None)))


def make_floor() -> Floor:
    ids = count()
    authenticator = Authenticator(b"s", lifetime=300.0, ids=lambda: str(next(ids)))
    own = ("127.0.0.1", 5062)
    edge = Edge(own, sockets_of(("127.0.0.1", 5060), 5101))
    registrar = Registrar(Rules(), lambda: f"r{next(ids)}")
    return Floor(authenticator, registrar, Dialogs(b"s", own), edge, ring_timeout=30.0)


def make_request(method: str = "INVITE") -> Request:
    return Request(
        method,
        "sip:bob@example.org",
        [
            "Route: <sip:preloaded@192.0.2.66;lr>",
            "From: <sip:alice@example.org>;tag=a",
            "To: <sip:bob@example.org>",
            "Call-ID: c",
            f"CSeq: 1 {method}",
            "Contact: <sip:alice@192.0.2.1>",
            "Proxy-Authorization: Digest x=y",
        ],
    )


def decide(request: Request, caller: Caller, callee: Callee = ONLINE, floor: Floor | None = None) -> Outcome:
    floor = floor or make_floor()
    outcomes = (station(request, Facts(caller, callee, 0.0), floor) for station in STATIONS)
    return next(outcome for outcome in outcomes if outcome is not None)


@pytest.mark.parametrize(
    ("caller", "callee", "status", "reason"),
    [
        (Caller("example.net"), Callee(), 403, "Relaying denied"),
        (Caller("example.org", True, Verdict.GOOD, ALICE), ONLINE, 403, None),
        (GOOD, Callee(), 403, "Relaying denied"),
        (GOOD, Callee(is_local=True), 404, None),
        (GOOD, Callee(True, BOB), 480, "Offline"),
        (GOOD, Callee(True, make_subscriber("bob", lock=3)), 403, "Callee locked"),
        (
            Caller("example.org", True, Verdict.GOOD, make_subscriber("a", lock=2), True),
            ONLINE,
            403,
            "Caller locked",
        ),
    ],
    ids=[
        "foreign caller",
        "foreign identity",
        "foreign callee",
        "unknown",
        "offline",
        "callee locked",
        "caller locked",
    ],
)
def test_refused_call(caller: Caller, callee: Callee, status: int, reason: str | None) -> None:
    assert decide(make_request(), caller, callee) == Reply(status, reason)


@pytest.mark.parametrize(
    ("method", "status", "header"),
    [("REGISTER", 401, "WWW-Authenticate"), ("INVITE", 407, "Proxy-Authenticate")],
)
@pytest.mark.parametrize("verdict", [None, Verdict.WRONG, Verdict.STALE])
def test_challenge(method: str, status: int, header: str, verdict: Verdict | None) -> None:
    reply = decide(make_request(method), Caller("example.org", is_local=True, verdict=verdict))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers[0][0]) == (status, header)
    assert ("stale=true" in reply.headers[0][1]) is (verdict is Verdict.STALE)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [(Verdict.WRONG, ("alice@example.org", "0")), (Verdict.STALE, ()), (None, ())],
)
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_the_load_balancer_is_told_whose_password_was_wrong(
    method: str, verdict: Verdict | None, told: tuple[str, ...]
) -> None:
    request = make_request(method)
    header = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    request.append(
        header, 'Digest username="alice", realm="Example.ORG", nonce="1", uri="sip:h", response="2"'
    )
    reply = decide(request, Caller("Example.ORG", is_local=True, verdict=verdict))
    assert isinstance(reply, Reply)

    assert tuple(value for name, value in reply.headers if name.startswith("P-NGCP-Authoriz")) == told


@pytest.mark.parametrize("method", ["BYE", "REFER", "PUBLISH", "FOO"])
def test_method_that_starts_nothing_is_405_with_allow(method: str) -> None:
    reply = decide(make_request(method), GOOD)
    assert isinstance(reply, Reply)
    assert reply.status == 405
    assert "INVITE" in dict(reply.headers)["Allow"]


def test_call_forks_to_every_binding_along_its_path() -> None:
    relay = decide(make_request(), GOOD)
    assert isinstance(relay, Relay)
    assert [(target.uri, target.route) for target in relay.targets] == [
        ("sip:bob@192.0.2.9", (PATH,)),
        ("sip:bob@192.0.2.10", ()),
    ]
    assert {target.flow.remote for target in relay.targets} == {("127.0.0.1", 5060)}
    assert relay.timer_c == 30.0


def test_relayed_call_carries_neither_foreign_routes_nor_our_credentials() -> None:
    relay = decide(make_request(), GOOD)
    assert isinstance(relay, Relay)
    assert "Route" not in relay.request
    assert "Proxy-Authorization" not in relay.request


def test_only_a_request_that_forms_a_dialog_records_its_route() -> None:
    invite, message = decide(make_request(), GOOD), decide(make_request("MESSAGE"), GOOD)
    assert isinstance(invite, Relay) and isinstance(message, Relay)
    assert len(invite.record_route) == 1
    assert message.record_route == ()


def test_register_is_planned_for_the_subscriber_and_notes_its_way() -> None:
    request = make_request("REGISTER")
    request.append("Path", f"{PATH}, <sip:foreign@192.0.2.66;lr>")
    request.append("P-NGCP-Src-Ip", "192.0.2.9")
    request.append("P-NGCP-Src-Port", "6000")
    request.append("P-NGCP-Src-Proto", "tls")
    store = decide(request, GOOD)
    assert isinstance(store, Store)
    assert store.update.aor == ("alice", "example.org")
    assert store.update.saved[0].source == Source(PATH, "sip:192.0.2.9:6000;transport=tls")


def test_locked_subscriber_may_still_register() -> None:
    caller = Caller("example.org", True, Verdict.GOOD, make_subscriber("alice", lock=4), True)
    assert isinstance(decide(make_request("REGISTER"), caller), Store)


def test_register_from_inside_has_no_source() -> None:
    assert source_of(make_request("REGISTER")) == Source()
