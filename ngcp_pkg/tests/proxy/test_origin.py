"""Where a call comes from: who is known without a password, and who is let in (RFC 3261 §22, RFC 3325)."""

import pytest

from ngcp.provisioning.runtime import Domain, InboundRule, Peer, PeerGroup, Preferences, TrustedSource
from ngcp.proxy.call import Caller
from ngcp.sip.core.decision import Reply
from ngcp.sip.syntax import Request
from proxy.stage import Stage, make_request

PBX, CARRIER, STRANGER = "192.0.2.50", "192.0.2.100", "203.0.113.9"
HIDDEN = "<sip:anonymous@anonymous.invalid>"
RELAYING_DENIED = Reply(403, "Relaying denied")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def make_peer(number: int, *rules: InboundRule, ip: str = CARRIER) -> PeerGroup:
    peer = Peer(number, f"peer{number}", ip, 5060, preferences=Preferences(({"cc": (str(number),)},)))
    return PeerGroup(number, f"group{number}", number, 1, (), rules, (peer,))


def sent_from(ip: str, *extra: str, transport: str = "udp", from_: str = "<sip:1@pbx.example>") -> Request:
    lines = (f"P-NGCP-Src-Ip: {ip}", f"P-NGCP-Src-Proto: {transport}", *extra)
    return make_request("INVITE", "sip:bob@example.org", *lines, from_=from_)


def who(stage: Stage, request: Request) -> Caller:
    request.remove("Proxy-Authorization")
    return stage.gather(request).caller


@pytest.mark.parametrize(
    ("known", "is_trusted"),
    [
        (TrustedSource("uuid-alice", PBX, "ANY"), True),
        (TrustedSource("uuid-alice", PBX, "UDP"), True),
        (TrustedSource("uuid-alice", PBX, "TLS"), False),
        (TrustedSource("uuid-alice", STRANGER, "ANY"), False),
        (TrustedSource("uuid-alice", PBX, "ANY", r"^sip:\d+@pbx\.example$"), True),
        (TrustedSource("uuid-alice", PBX, "ANY", "@other"), False),
        (TrustedSource("uuid-of-nobody", PBX, "ANY"), False),
    ],
    ids=["any transport", "its transport", "other transport", "elsewhere", "pattern", "no match", "nobody"],
)
def test_trusted_source(stage: Stage, known: TrustedSource, is_trusted: bool) -> None:
    stage.share(trusted=(known,))
    caller = who(stage, sent_from(PBX))
    assert (caller.subscriber is not None, caller.is_trusted) == (is_trusted, is_trusted)
    if is_trusted:
        assert (caller.realm, caller.subscriber) == ("example.org", stage.subscriber("alice"))
        assert stage.decide(lambda: stage.gather(sent_from(PBX))) == Reply(480, "Offline")
    else:
        assert stage.decide(lambda: stage.gather(sent_from(PBX))) == RELAYING_DENIED


def test_a_trusted_source_registers_with_a_password_like_anybody(stage: Stage) -> None:
    stage.share(trusted=(TrustedSource("uuid-alice", PBX, "ANY"),))
    request = make_request("REGISTER", "sip:example.org", f"P-NGCP-Src-Ip: {PBX}")
    request.set("To", "<sip:alice@example.org>")
    assert who(stage, request) == Caller("example.org", is_local=True)


@pytest.mark.parametrize(
    ("groups", "number", "rejection"),
    [
        ((make_peer(1),), 1, None),
        ((make_peer(1, ip=STRANGER),), None, None),
        ((make_peer(1, InboundRule("from_user", "^2$")), make_peer(2)), 2, None),
        ((make_peer(1, InboundRule("from_user", "^1$")), make_peer(2)), 1, None),
        ((make_peer(1, InboundRule("ruri_user", "^bob$")),), 1, None),
        ((make_peer(1, InboundRule("pai_user", "^43")),), 1, None),
        ((make_peer(1, InboundRule("from_domain", "^x$", 488, "Not Here")),), None, Reply(488, "Not Here")),
    ],
    ids=["peer", "elsewhere", "rule sends on", "rule takes", "by callee", "by asserted identity", "rejected"],
)
def test_peer(
    stage: Stage, groups: tuple[PeerGroup, ...], number: int | None, rejection: Reply | None
) -> None:
    stage.share(peer_groups=groups)
    asserted = "P-Asserted-Identity: <sip:431@carrier.example>"
    caller = who(stage, sent_from(CARRIER, asserted))
    assert (caller.peer.id if caller.peer else None, caller.rejection) == (number, rejection)
    if caller.peer:
        assert caller.preferences.text("cc") == str(number)
    expected = Reply(480, "Offline") if caller.peer else rejection or RELAYING_DENIED
    assert stage.decide(lambda: stage.gather(sent_from(CARRIER, asserted))) == expected


def test_a_new_platform_has_new_peers(stage: Stage) -> None:
    assert who(stage, sent_from(CARRIER)).peer is None
    stage.share(peer_groups=(make_peer(1),))
    stage.floor.directory.drop("*")
    assert who(stage, sent_from(CARRIER)).peer is not None


@pytest.mark.parametrize(
    ("via", "extra", "is_inside", "uuid"),
    [
        ("SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1", ("P-Caller-UUID: uuid-alice",), True, "uuid-alice"),
        ("SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1", (), True, None),
        ("SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1", ("P-Caller-UUID: uuid-of-nobody",), True, None),
        ("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1", ("P-Caller-UUID: uuid-alice",), False, None),
        (
            "SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK1",
            ("P-Caller-UUID: uuid-alice", f"P-NGCP-Src-Ip: {STRANGER}"),
            False,
            None,
        ),
    ],
    ids=["for a subscriber", "for nobody", "for who was deleted", "load-balancer", "from outside"],
)
def test_elements_of_the_node(
    stage: Stage, via: str, extra: tuple[str, ...], is_inside: bool, uuid: str | None
) -> None:
    caller = who(stage, make_request("INVITE", "sip:bob@example.org", *extra, via=via))
    assert (caller.is_inside, caller.subscriber.uuid if caller.subscriber else None) == (is_inside, uuid)


@pytest.mark.parametrize(
    ("subscriber", "domain", "is_taken"),
    [
        ({}, {}, False),
        ({"unauth_inbound_calls": "1"}, {}, True),
        ({}, {"unauth_inbound_calls": ("1",)}, True),
        ({"unauth_inbound_calls": "0"}, {"unauth_inbound_calls": ("1",)}, False),
    ],
    ids=["no", "subscriber", "domain", "subscriber not"],
)
@pytest.mark.parametrize("uri", ["sip:bob@example.org", "sip:+4311002@example.org"])
def test_stranger(
    stage: Stage, subscriber: dict[str, str], domain: dict[str, tuple[str, ...]], is_taken: bool, uri: str
) -> None:
    stage.give("bob", **subscriber)
    stage.share(domains={"example.org": Domain(preferences=domain)})
    request = make_request("INVITE", uri, f"P-NGCP-Src-Ip: {STRANGER}", from_="<sip:joe@elsewhere.example>")
    outcome = stage.decide(lambda: stage.gather(request))
    assert outcome == (Reply(480, "Offline") if is_taken else RELAYING_DENIED)


@pytest.mark.parametrize("uri", ["sip:nobody@example.org", "sip:bob@elsewhere.example"])
def test_a_stranger_calls_subscribers_only(stage: Stage, uri: str) -> None:
    stage.share(domains={"example.org": Domain(preferences={"unauth_inbound_calls": ("1",)})})
    request = make_request("INVITE", uri, from_="<sip:joe@elsewhere.example>")
    assert stage.decide(lambda: stage.gather(request)) == RELAYING_DENIED


@pytest.mark.parametrize(
    ("from_", "extra", "realm"),
    [
        (HIDDEN, (), "example.org"),
        (
            "<sip:anonymous@anonymous.invalid>",
            ("P-Preferred-Identity: <sip:alice@two.example>",),
            "two.example",
        ),
        (HIDDEN, ("P-Preferred-Identity: <sip:a@foreign>",), "example.org"),
        (HIDDEN, ("P-Preferred-Identity: ;",), "example.org"),
        ("<sip:alice@two.example>", (), "two.example"),
        ("<tel:+4311001>", (), "example.org"),
        ("<tel:+4311001>", ("P-Preferred-Identity: <sip:alice@two.example>",), "two.example"),
    ],
    ids=[
        "whom it is for",
        "preferred",
        "preferred elsewhere",
        "unreadable",
        "not anonymous",
        "a number",
        "a number, and who",
    ],
)
def test_an_anonymous_caller_is_asked_for_a_password_as_well(
    stage: Stage, from_: str, extra: tuple[str, ...], realm: str
) -> None:
    stage.share(domains={"example.org": Domain(), "two.example": Domain()})
    caller = who(stage, make_request("INVITE", "sip:bob@example.org", *extra, from_=from_))
    assert caller == Caller(realm, is_local=True)


@pytest.mark.parametrize(
    ("uri", "outcome"),
    [
        ("sip:4311002@198.51.100.1", Reply(480, "Offline")),
        ("sip:+4311002@[2001:db8::1]:5060", Reply(480, "Offline")),
        ("sip:4319999@198.51.100.1", Reply(404, "Not Found")),
        ("sip:4311002@elsewhere.example", RELAYING_DENIED),
        ("sip:4311002@example.org", Reply(480, "Offline")),
    ],
    ids=["our address", "our IPv6 address", "nobody's number", "foreign domain", "our domain"],
)
def test_number_that_a_peer_calls(stage: Stage, uri: str, outcome: Reply) -> None:
    """The load-balancer lets only our own addresses through."""
    stage.share(peer_groups=(make_peer(1),))
    request = make_request("INVITE", uri, f"P-NGCP-Src-Ip: {CARRIER}", from_="<sip:4317@carrier.example>")
    assert stage.decide(lambda: stage.gather(request)) == outcome
