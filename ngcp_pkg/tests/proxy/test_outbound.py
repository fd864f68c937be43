"""What a request says as it leaves: names, numbers, privacy, diversions as the callee's side wants them."""

from dataclasses import replace

import pytest

from ngcp.provisioning.runtime import Carrier, Peer, Ported, Preferences, RewriteRule
from ngcp.proxy.call import Attempt, Call, Caller, Diversion, Identity, Party
from ngcp.proxy.stations.outbound import leave
from ngcp.sip.core.decision import Target
from proxy.stage import Stage, layer, make_request

Wishes = dict[str, str | tuple[str, ...]]
NUMBERS = Identity("4311001", "4311009", display="Al")
HIDDEN = replace(NUMBERS, is_anonymous=True)
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a'
PEER = Peer(1, "carrier", "192.0.2.100", 5060, host="carrier.example")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def call_to(stage: Stage, party: Party, identity: Identity = NUMBERS, *extra: str) -> Call:
    call = stage.call(request=make_request("INVITE", "sip:+4311002@example.org", *extra))
    call.identity, call.callee = identity, party
    return call


def sent(stage: Stage, call: Call, uri: str = "sip:bob@192.0.2.9") -> Attempt:
    return stage.known(lambda: leave(call, stage.floor, (Target(uri, stage.floor.edge.main),), 30.0))


def bob(stage: Stage, **wishes: str) -> Party:
    return Party(Preferences((layer(dict(wishes)),)), stage.subscriber("bob"))


def peer(**wishes: str) -> Party:
    return Party(Preferences((layer(dict(wishes)),)), peer=PEER)


@pytest.mark.parametrize(
    ("wishes", "from_"),
    [
        ({}, '"Al" <sip:4311001@example.org>;tag=a'),
        ({"outbound_from_user": "NULL"}, '"Al" <sip:4311001@example.org>;tag=a'),
        ({"outbound_from_user": "upn"}, '"Al" <sip:4311009@example.org>;tag=a'),
        ({"outbound_from_user": "auth_user"}, '"Al" <sip:alice@example.org>;tag=a'),
        ({"outbound_from_user": "rcv_display"}, '"Al" <sip:Al@example.org>;tag=a'),
        ({"outbound_from_user": "uprn/upn"}, '"Al" <sip:4311009@example.org>;tag=a'),
        ({"outbound_from_user": "peer_auth_user"}, '"Al" <sip:4311001@example.org>;tag=a'),
        (
            {"outbound_from_user": "peer_auth_user", "peer_auth_user": "us"},
            '"Al" <sip:us@example.org>;tag=a',
        ),
        ({"outbound_from_display": "none"}, "<sip:4311001@example.org>;tag=a"),
        ({"outbound_from_display": "upn"}, '"4311009" <sip:4311001@example.org>;tag=a'),
        ({"outbound_from_display": "np_display"}, '"Alice & Co" <sip:4311001@example.org>;tag=a'),
        ({"outbound_from_user_is_phone": "1"}, '"Al" <sip:4311001@example.org;user=phone>;tag=a'),
    ],
)
@pytest.mark.parametrize("side", ["subscriber", "peer"])
def test_from(stage: Stage, wishes: dict[str, str], from_: str, side: str) -> None:
    stage.give("alice", display_name="Alice & Co")
    party = peer(**wishes) if side == "peer" else bob(stage, **wishes)
    assert sent(stage, call_to(stage, party)).request.all("From") == [from_]


@pytest.mark.parametrize(
    ("wishes", "asserted", "preferred"),
    [
        ({}, ["<sip:4311001@example.org>"], []),
        ({"outbound_pai_user": "none"}, [], []),
        ({"outbound_pai_user": "upn"}, ["<sip:4311009@example.org>"], []),
        ({"outbound_pai_display": "rcv_display"}, ['"Al" <sip:4311001@example.org>'], []),
        ({"outbound_ppi_user": "upn"}, ["<sip:4311001@example.org>"], ["<sip:4311009@example.org>"]),
        ({"outbound_ppi_user": "none"}, ["<sip:4311001@example.org>"], []),
    ],
)
def test_asserted_and_preferred_identity(
    stage: Stage, wishes: dict[str, str], asserted: list[str], preferred: list[str]
) -> None:
    """RFC 3325 §9; what the phone said in them goes no further."""
    extra = (
        "P-Asserted-Identity: <sip:boss@h>",
        "P-Preferred-Identity: <sip:x@h>",
        "Remote-Party-ID: <sip:x@h>",
    )
    request = sent(stage, call_to(stage, bob(stage, **wishes), NUMBERS, *extra)).request
    assert request.all("P-Asserted-Identity") == asserted
    assert request.all("P-Preferred-Identity") == preferred
    assert "Remote-Party-ID" not in request


@pytest.mark.parametrize(
    ("party", "from_", "asserted", "privacy"),
    [
        ("bob", ANONYMOUS, [], ["id"]),
        ("bob overrides", '"Al" <sip:4311001@example.org>;tag=a', ["<sip:4311001@example.org>"], []),
        ("peer", ANONYMOUS, ["<sip:4311001@example.org>"], ["id"]),
        ("open peer", '"Al" <sip:4311001@example.org>;tag=a', ["<sip:4311001@example.org>"], ["id"]),
        ("peer without", ANONYMOUS, [], ["id"]),
    ],
)
def test_who_hides(stage: Stage, party: str, from_: str, asserted: list[str], privacy: list[str]) -> None:
    """RFC 3323 §4.1.1.3, RFC 3325 §7: only a peer, who is trusted, learns the number."""
    parties = {
        "bob": bob(stage),
        "bob overrides": bob(stage, clir_override="1"),
        "peer": peer(),
        "open peer": peer(anonymize_from_user="0"),
        "peer without": peer(outbound_pai_user="none"),
    }
    request = sent(stage, call_to(stage, parties[party], HIDDEN, "Privacy: header;id")).request
    assert request.all("From") == [from_]
    assert request.all("P-Asserted-Identity") == asserted
    assert request.all("Privacy") == privacy


@pytest.mark.parametrize(
    ("identity", "wishes", "callees", "hides"),
    [
        (HIDDEN, {}, 7, False),
        (NUMBERS, {"clir_intrapbx": "1"}, 7, True),
        (NUMBERS, {"clir_intrapbx": "1"}, 8, False),
        (HIDDEN, {"clir_intrapbx": "1"}, 8, True),
        (HIDDEN, {"cloud_pbx": "0"}, 7, True),
    ],
    ids=["inside", "inside, hidden", "other customer", "outside, hidden", "no PBX"],
)
def test_who_hides_inside_a_pbx(
    stage: Stage, identity: Identity, wishes: Wishes, callees: int, hides: bool
) -> None:
    stage.change("alice", account_id=7)
    stage.give("alice", cloud_pbx="1")
    stage.give("alice", **wishes)
    stage.change("bob", account_id=callees)
    request = sent(stage, call_to(stage, bob(stage, cloud_pbx="1"), identity)).request
    assert (request.first("From") == ANONYMOUS) is hides


@pytest.mark.parametrize(
    ("wishes", "to"),
    [
        ({}, "<sip:4311002@example.org>"),
        ({"outbound_to_user": "callee"}, "<sip:4311002@example.org>"),
        ({"outbound_to_user": "rcvd_to"}, "<sip:+4311002@example.org>"),
        ({"outbound_to_user": "orig_callee"}, "<sip:4311002@example.org>"),
        ({"outbound_to_user_is_phone": "1"}, "<sip:4311002@example.org;user=phone>"),
        ({"rewrite_callee_out_dpid": "4"}, "<sip:011002@example.org>"),
    ],
)
def test_to(stage: Stage, wishes: dict[str, str], to: str) -> None:
    stage.share(dialplans={4: (RewriteRule(r"^43(\d+)$", r"0\1"),)})
    call = call_to(stage, bob(stage, **wishes))
    call.uri = replace(call.uri, user="4311002")
    assert sent(stage, call).request.all("To") == [to]


def test_to_of_a_forwarded_call(stage: Stage) -> None:
    call = call_to(stage, bob(stage, outbound_to_user="orig_callee"))
    carol = replace(stage.subscriber("bob"), username="carol")
    call.diversions = (Diversion("cfu", carol, "sip:4311003@example.org"),)
    assert sent(stage, call).request.all("To") == ["<sip:4311003@example.org>"]


def test_call_without_wishes_leaves_as_it_came(stage: Stage) -> None:
    call = call_to(stage, bob(stage), Identity("alice", "alice"))
    attempt = sent(stage, call)
    assert attempt.request.first("From") == call.request.first("From")
    assert attempt.request.first("To") == call.request.first("To")
    assert "vsf=" not in attempt.record_route[0]


@pytest.mark.parametrize(
    ("party", "uri"),
    [
        ("bob", "sip:bob@192.0.2.9;x=1"),
        ("bob wants numbers", "sip:4311002@192.0.2.9;x=1"),
        ("peer", "sip:4311002@192.0.2.9;x=1"),
        ("peer with rules", "sip:+4311002@192.0.2.9;x=1"),
        ("peer of phones", "sip:4311002@192.0.2.9;x=1;user=phone"),
    ],
)
def test_number_in_the_request_uri(stage: Stage, party: str, uri: str) -> None:
    stage.share(dialplans={5: (RewriteRule(r"^(\d+)$", r"+\1"),)})
    parties = {
        "bob": bob(stage),
        "bob wants numbers": bob(stage, e164_to_ruri="1"),
        "peer": peer(),
        "peer with rules": peer(rewrite_callee_out_dpid="5"),
        "peer of phones": peer(outbound_to_user_is_phone="1"),
    }
    call = call_to(stage, parties[party])
    call.uri = replace(call.uri, user="4311002")
    assert sent(stage, call, "sip:bob@192.0.2.9;x=1").targets[0].uri == uri


PORTED = Ported(5, "199")


@pytest.mark.parametrize(
    ("wishes", "ported", "user"),
    [
        ({}, None, "4319999"),
        ({}, PORTED, "D005199"),
        ({}, Ported(5), "D0054319999"),
        ({"lnp_to_rn": "1"}, PORTED, "4319999;rn=D005199"),
        ({"lnp_to_rn": "1", "lnp_add_npdi": "1"}, PORTED, "4319999;rn=D005199;npdi"),
        ({"lnp_add_npdi": "1"}, None, "4319999;npdi"),
        ({"default_lnp_prefix": "D000"}, None, "D0004319999"),
        ({"default_lnp_prefix": "D000"}, PORTED, "D005199"),
        ({"rewrite_callee_lnp_dpid": "6"}, PORTED, "X199"),
        ({"rewrite_callee_lnp_dpid": "6"}, Ported(6), "D0064319999"),
        ({"rewrite_callee_lnp_dpid": "6"}, None, "4319999"),
    ],
)
def test_ported_number(stage: Stage, wishes: Wishes, ported: Ported | None, user: str) -> None:
    stage.share(
        carriers={5: Carrier(5, "five", "D005"), 6: Carrier(6, "six", "D006", skips_rewrite=True)},
        dialplans={6: (RewriteRule(r"^D00\d(\d+)$", r"X\1"),)},
    )
    stage.give("alice", **wishes)
    call = call_to(stage, peer())
    call.uri, call.ported = replace(call.uri, user="4319999"), ported
    assert sent(stage, call).targets[0].uri == f"sip:{user}@192.0.2.9"


def test_an_emergency_number_has_no_network(stage: Stage) -> None:
    stage.give("alice", default_lnp_prefix="D000")
    call = call_to(stage, peer())
    call.uri, call.is_emergency = replace(call.uri, user="emergency_112"), True
    assert sent(stage, call).targets[0].uri == "sip:emergency_112@192.0.2.9"


def test_numbers_as_a_peer_writes_them(stage: Stage) -> None:
    rules = (RewriteRule(r"^43(\d+)$", r"${caller_emergency_prefix}0\1"),)
    stage.share(dialplans={4: rules})
    stage.give("alice", emergency_prefix="E1_")
    request = sent(stage, call_to(stage, peer(rewrite_caller_out_dpid="4"))).request
    assert request.first("From") == '"Al" <sip:E1_011001@example.org>;tag=a'
    assert request.first("P-Asserted-Identity") == "<sip:E1_011001@example.org>"
    assert request.first("To") == "<sip:4311002@carrier.example>"


def test_a_peers_number_can_be_called_back(stage: Stage) -> None:
    call = call_to(stage, bob(stage))
    call.caller = Caller("192.0.2.100", peer=PEER)
    assert sent(stage, call).request.first("From") == '"Al" <sip:4311001@example.org>;tag=a'


def test_a_stranger_keeps_his_name(stage: Stage) -> None:
    call = stage.call(Caller("elsewhere.example"), make_request(from_='"Joe" <sip:joe@elsewhere.example>'))
    call.identity, call.callee = Identity("", "joe"), bob(stage)
    request = sent(stage, call).request
    assert request.first("From") == '"Joe" <sip:joe@elsewhere.example>;tag=a'
    assert "P-Asserted-Identity" not in request


@pytest.mark.parametrize(
    ("wishes", "agent"),
    [
        ({}, []),
        ({"ua_header_mode": "strip"}, []),
        ({"ua_header_mode": "passthrough"}, ["Phone 1"]),
        ({"ua_header_mode": "replace", "ua_header_replace": "Us"}, ["Us"]),
        ({"ua_header_mode": "replace"}, []),
    ],
)
def test_user_agent(stage: Stage, wishes: dict[str, str], agent: list[str]) -> None:
    call = call_to(stage, bob(stage, **wishes), NUMBERS, "User-Agent: Phone 1")
    assert sent(stage, call).request.all("User-Agent") == agent


@pytest.fixture
def forwarded(stage: Stage) -> Call:
    """carol forwarded at once, then dave who was busy."""
    call = call_to(stage, peer(outbound_diversion="uprn", outbound_history_info="uprn"))
    bob_, call.uri = stage.subscriber("bob"), replace(call.uri, user="4319")
    carol = replace(bob_, username="carol", preferences=layer({"cli": "4311003"}))
    dave = replace(bob_, username="dave", preferences={})
    call.diversions = (
        Diversion("cfu", carol, "sip:4311003@example.org"),
        Diversion("cfb", dave, "sip:4311004@example.org"),
    )
    return call


def test_diversions(stage: Stage, forwarded: Call) -> None:
    """RFC 5806 §4: the last one is on top."""
    request = sent(stage, forwarded).request
    assert request.all("Diversion") == [
        "<sip:4311004@example.org>;reason=user-busy",
        "<sip:4311003@example.org>;reason=unconditional",
    ]
    assert request.all("History-Info") == [
        "<sip:4311003@example.org?Reason=SIP%3Bcause%3D302>;index=1",
        "<sip:4311004@example.org?Reason=SIP%3Bcause%3D486>;index=1.1",
        "<sip:4319@example.org>;index=1.1.1",
    ]


@pytest.mark.parametrize(
    ("wishes", "lines"),
    [
        ({}, 0),
        ({"outbound_diversion": "none", "outbound_history_info": "none"}, 0),
        ({"outbound_diversion": "npn"}, 2),
    ],
)
def test_diversions_that_nobody_wants_to_know(
    stage: Stage, forwarded: Call, wishes: dict[str, str], lines: int
) -> None:
    forwarded.callee = peer(**wishes)
    request = sent(stage, forwarded).request
    assert len(request.all("Diversion") + request.all("History-Info")) == lines


def test_diversion_in_the_peers_format(stage: Stage, forwarded: Call) -> None:
    stage.share(dialplans={4: (RewriteRule(r"^43(\d+)$", r"0\1"),)})
    forwarded.platform = stage.source.shared
    forwarded.callee = peer(
        outbound_diversion="uprn", outbound_diversion_counter="1", rewrite_caller_out_dpid="4"
    )
    diversion = sent(stage, forwarded).request.first("Diversion")
    assert diversion == "<sip:011004@example.org>;reason=user-busy;counter=1"


def test_diversion_that_a_phone_told_goes_on_where_it_is_wanted(stage: Stage) -> None:
    identity = replace(NUMBERS, uprn="4312222")
    call = call_to(
        stage,
        peer(outbound_diversion="uprn"),
        identity,
        "Diversion: <sip:x@h>",
        "History-Info: <sip:x@h>;index=1",
    )
    request = sent(stage, call).request
    assert request.all("Diversion") == ["<sip:4312222@example.org>;reason=unknown"]
    assert "History-Info" not in request


@pytest.mark.parametrize(
    ("wanted", "user"),
    [
        ({}, "4311004"),
        ({"inbound_uprn": "npn"}, "4311004"),
        ({"inbound_uprn": "none"}, "4311009"),
        ({"inbound_uprn": "upn"}, "4311009"),
        ({"inbound_uprn": "original/npn"}, "4311003"),
        ({"inbound_uprn": "npn_diversion"}, "4312222"),
    ],
)
def test_forwarder_is_shown_as_the_caller(stage: Stage, forwarded: Call, wanted: Wishes, user: str) -> None:
    first, last = forwarded.diversions
    dave = replace(last.subscriber, preferences=layer(wanted))
    forwarded.diversions = (first, replace(last, subscriber=dave))
    forwarded.callee = peer(outbound_from_user="uprn/upn")
    if wanted.get("inbound_uprn") == "npn_diversion":
        forwarded.identity = replace(NUMBERS, uprn="4312222")
    assert sent(stage, forwarded).request.first("From") == f'"Al" <sip:{user}@example.org>;tag=a'
