"""Every row of the corridor, allowed and refused, as a table over calls."""

import pytest

from ngcp.provisioning.runtime import Preferences
from ngcp.proxy.call import Caller
from ngcp.proxy.floor import Store
from ngcp.proxy.stations.registration import source_of
from ngcp.sip.core.bindings import Source
from ngcp.sip.core.decision import Reply
from ngcp.sip.core.digest import Verdict
from proxy.stage import PATH, Stage, make_request


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("caller", "uri", "status", "reason"),
    [
        (Caller("example.net"), "sip:bob@example.org", 403, "Relaying denied"),
        (None, "sip:bob@example.net", 403, "Relaying denied"),
        (None, "sip:nobody@example.org", 404, "Not Found"),
        (None, "sip:bob@example.org", 480, "Offline"),
    ],
    ids=["foreign caller", "foreign callee", "unknown", "offline"],
)
def test_refused_call(stage: Stage, caller: Caller | None, uri: str, status: int, reason: str | None) -> None:
    request = make_request(uri=uri)
    assert stage.decide(lambda: stage.call(caller, request)) == Reply(status, reason)


def test_nobody_registers_under_a_name_that_is_not_his(stage: Stage) -> None:
    caller = stage.good()
    caller.owns_identity = False
    assert stage.decide(lambda: stage.call(caller, make_request("REGISTER"))) == Reply(403)


@pytest.mark.parametrize(
    ("user", "lock", "reason"), [("alice", 2, "Caller locked"), ("bob", 3, "Callee locked")]
)
def test_locked(stage: Stage, user: str, lock: int, reason: str) -> None:
    stage.source.add(user, lock=lock)
    assert stage.decide(stage.call) == Reply(403, reason)


@pytest.mark.parametrize(
    ("method", "status", "header"),
    [("REGISTER", 401, "WWW-Authenticate"), ("INVITE", 407, "Proxy-Authenticate")],
)
@pytest.mark.parametrize("verdict", [None, Verdict.WRONG, Verdict.STALE])
def test_challenge(stage: Stage, method: str, status: int, header: str, verdict: Verdict | None) -> None:
    caller = Caller("example.org", is_local=True, verdict=verdict)
    reply = stage.decide(lambda: stage.call(caller, make_request(method)))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers[0][0]) == (status, header)
    assert ("stale=true" in reply.headers[0][1]) is (verdict is Verdict.STALE)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [(Verdict.WRONG, ("alice@example.org", "0")), (Verdict.STALE, ()), (None, ())],
)
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_the_load_balancer_is_told_whose_password_was_wrong(
    stage: Stage, method: str, verdict: Verdict | None, told: tuple[str, ...]
) -> None:
    request = make_request(method)
    header = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    request.append(
        header, 'Digest username="alice", realm="Example.ORG", nonce="1", uri="sip:h", response="2"'
    )
    caller = Caller("Example.ORG", is_local=True, verdict=verdict)
    reply = stage.decide(lambda: stage.call(caller, request))
    assert isinstance(reply, Reply)

    assert tuple(value for name, value in reply.headers if name.startswith("P-NGCP-Authoriz")) == told


@pytest.mark.parametrize("method", ["BYE", "REFER", "PUBLISH", "FOO"])
def test_method_that_starts_nothing_is_405_with_allow(stage: Stage, method: str) -> None:
    reply = stage.decide(lambda: stage.call(request=make_request(method)))
    assert isinstance(reply, Reply)
    assert reply.status == 405
    assert "INVITE" in dict(reply.headers)["Allow"]


def test_call_forks_to_every_binding_along_its_path(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.register("bob", "sip:bob@192.0.2.10", path=None)
    attempt = stage.routed(stage.call).attempt
    assert attempt is not None
    assert [(target.uri, target.route) for target in attempt.targets] == [
        ("sip:bob@192.0.2.9", (PATH,)),
        ("sip:bob@192.0.2.10", ()),
    ]
    assert {target.flow.remote for target in attempt.targets} == {("127.0.0.1", 5060)}
    assert attempt.timeout == 30.0


def test_relayed_call_carries_neither_foreign_routes_nor_our_credentials(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    attempt = stage.routed(stage.call).attempt
    assert attempt is not None
    assert "Route" not in attempt.request
    assert "Proxy-Authorization" not in attempt.request


def test_only_a_request_that_forms_a_dialog_records_its_route(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    invite, message = (
        stage.routed(stage.call),
        stage.routed(lambda: stage.call(request=make_request("MESSAGE"))),
    )
    assert invite.attempt is not None and message.attempt is not None
    assert len(invite.attempt.record_route) == 1
    assert message.attempt.record_route == ()


def test_a_failure_without_another_attempt_is_the_callers(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    assert stage.proceed(stage.routed(stage.call), 486) is None


def test_register_is_planned_for_the_subscriber_and_notes_its_way(stage: Stage) -> None:
    request = make_request("REGISTER")
    request.append("Path", f"{PATH}, <sip:foreign@192.0.2.66;lr>")
    request.append("P-NGCP-Src-Ip", "192.0.2.9")
    request.append("P-NGCP-Src-Port", "6000")
    request.append("P-NGCP-Src-Proto", "tls")
    store = stage.decide(lambda: stage.call(request=request))
    assert isinstance(store, Store)
    assert store.update.aor == ("alice", "example.org")
    path = f"{PATH}, <sip:foreign@192.0.2.66;lr>"
    assert store.update.saved[0].source == Source(path, "sip:192.0.2.9:6000;transport=tls")


def test_locked_subscriber_may_still_register(stage: Stage) -> None:
    stage.source.add("alice", lock=2)
    assert isinstance(stage.decide(lambda: stage.call(request=make_request("REGISTER"))), Store)


def test_register_from_inside_has_no_source() -> None:
    assert source_of(make_request("REGISTER")) == Source()


@pytest.mark.parametrize(("set_to", "pinging"), [("no", "no"), ("always", "always"), (None, ""), ("odd", "")])
def test_subscriber_says_whether_phones_are_pinged(stage: Stage, set_to: str | None, pinging: str) -> None:
    caller = stage.good()
    caller.preferences = Preferences(({"nat_sipping": (set_to,)} if set_to else {},))
    store = stage.decide(lambda: stage.call(caller, make_request("REGISTER")))
    assert isinstance(store, Store)
    assert store.update.saved[0].source.pinging == pinging
