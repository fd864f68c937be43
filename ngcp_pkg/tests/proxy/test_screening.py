"""As whom a caller is shown (CLI screening), allowed and refused."""

import pytest

from ngcp.provisioning.runtime import Peer, Preferences, RewriteRule
from ngcp.proxy.call import Call, Caller, Identity
from ngcp.proxy.floor import Outcome
from ngcp.proxy.stations.numbers import rewrite_callee
from ngcp.proxy.stations.screening import identify
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage, layer, make_request

Wishes = dict[str, str | tuple[str, ...]]
HIDDEN = "<sip:anonymous@anonymous.invalid>"


@pytest.fixture
def stage() -> Stage:
    """alice's number is 4311001; she may use 4311009, too."""
    stage = Stage()
    stage.give("alice", cli="4311001")
    stage.source.aliases["4311009"] = "alice"
    return stage


def screened(
    stage: Stage, from_: str, *extra: str, caller: Caller | None = None
) -> tuple[Call, Outcome | None]:
    call = stage.call(caller, make_request("INVITE", "sip:bob@example.org", *extra, from_=from_))
    rewrite_callee(call, stage.floor)
    return call, identify(call, stage.floor)


def said(user: str) -> str:
    return f"<sip:{user}@example.org>"


@pytest.mark.parametrize(
    ("user", "wishes", "npn", "upn", "hides"),
    [
        ("alice", {}, "4311001", "4311001", False),
        ("alice", {"cli": ()}, "alice", "alice", False),
        ("alice", {"user_cli": "4311005"}, "4311001", "4311005", False),
        ("4311001", {}, "4311001", "4311001", False),
        ("+4311001", {}, "4311001", "4311001", False),
        ("4311009", {}, "4311001", "4311009", False),
        ("4311005", {"user_cli": "4311005"}, "4311001", "4311005", False),
        ("4312345", {}, "4311001", "4311001", False),
        ("4312345", {"user_cli": "4311005"}, "4311001", "4311005", False),
        ("4312345", {"allowed_clis": ("4319*", "43123[4-6]?")}, "4311001", "4312345", False),
        ("4312375", {"allowed_clis": ("4319*", "43123[4-6]?")}, "4311001", "4311001", False),
        ("4312345", {"allowed_clis_reject_policy": "override_by_usernpn"}, "4311001", "4311001", False),
        ("4312345", {"allowed_clis_reject_policy": "override_by_clir"}, "4311001", "4311001", True),
        ("4312345", {"clip_no_screening": "1"}, "4311001", "4312345", False),
        ("431100177", {"extension_in_npn": "1"}, "431100177", "431100177", False),
        ("431100977", {"extension_in_npn": "1"}, "431100977", "431100977", False),
        ("431200177", {"extension_in_npn": "1"}, "4311001", "4311001", False),
        ("431100177", {}, "4311001", "4311001", False),
        ("alice", {"clir": "1"}, "4311001", "4311001", True),
        ("anonymous", {}, "4311001", "4311001", True),
        ("anonymous", {"allowed_clis_reject_policy": "reject"}, "4311001", "4311001", True),
        ("alice", {"allowed_clis_reject_policy": "reject"}, "4311001", "4311001", False),
    ],
)
def test_number_that_a_caller_says(
    stage: Stage, user: str, wishes: Wishes, npn: str, upn: str, hides: bool
) -> None:
    stage.give("alice", **wishes)
    call, outcome = screened(stage, said(user))
    assert outcome is None
    assert call.identity == Identity(npn, upn, "", None, hides)


def test_number_that_is_not_his_is_refused_where_the_operator_says_so(stage: Stage) -> None:
    stage.give("alice", allowed_clis_reject_policy="reject")
    assert screened(stage, said("4312345"))[1] == Reply(403)
    assert stage.decide(lambda: stage.call(request=make_request(from_=said("4312345")))) == Reply(403)


def test_customers_allow_numbers_to_their_subscribers(stage: Stage) -> None:
    stage.change("alice", contract_preferences=layer({"allowed_clis": ("4312*",)}))
    assert screened(stage, said("4312345"))[0].identity.upn == "4312345"
    stage.give("alice", allowed_clis=("4319*",))
    stage.floor.directory.drop("alice@example.org")
    assert screened(stage, said("4312345"))[0].identity.upn == "4311001"


@pytest.mark.parametrize(
    ("source", "header", "upn"),
    [
        ("from_display", '"4311009" <sip:alice@example.org>', "4311009"),
        ("pai_user", "P-Asserted-Identity: <sip:4311009@example.org>, <tel:+4312>", "4311009"),
        ("ppi_user", "P-Preferred-Identity: <sip:+4311009@example.org>", "4311009"),
        ("rpid_user", "Remote-Party-ID: <sip:4311009@example.org>;party=calling", "4311009"),
        ("from_user", "P-Asserted-Identity: <sip:4311009@example.org>", "4311001"),
        ("pai_user", "P-Asserted-Identity: ;", "4311001"),
        ("pai_user", "X-Nothing: 1", "4311001"),
        ("NULL", "P-Asserted-Identity: <sip:4311009@example.org>", "4311001"),
    ],
)
def test_where_the_number_is_read(stage: Stage, source: str, header: str, upn: str) -> None:
    stage.give("alice", inbound_upn=source)
    if header.startswith('"'):
        call, _ = screened(stage, header)
    else:
        call, _ = screened(stage, said("alice"), header)
    assert call.identity.upn == upn


@pytest.mark.parametrize(
    ("from_", "privacy", "clir", "hides"),
    [
        (said("alice"), None, "0", False),
        (said("alice"), "id", "0", True),
        (said("alice"), "header; user;critical", "0", True),
        (said("alice"), "critical", "0", False),
        (said("alice"), "none", "0", False),
        (said("alice"), "none", "1", True),
        (said("Anonymous"), None, "0", True),
        (HIDDEN, None, "0", True),
        (HIDDEN, "none", "0", False),
        ("<sip:alice@anonymous.invalid>", None, "0", True),
        ('"Anonymous" <sip:alice@example.org>', None, "0", False),
    ],
)
def test_callers_who_want_to_stay_unknown(
    stage: Stage, from_: str, privacy: str | None, clir: str, hides: bool
) -> None:
    """RFC 3323 §4.1, §4.2; the operator's CLIR cannot be undone by a header."""
    stage.give("alice", clir=clir)
    call, _ = screened(stage, from_, *([f"Privacy: {privacy}"] if privacy else []))
    assert call.identity.is_anonymous is hides


DIVERSION, HISTORY = (
    "Diversion: <sip:{}@example.org>;reason=unconditional",
    "History-Info: <sip:{}@h>;index=1",
)


@pytest.mark.parametrize(
    ("skips", "header", "number", "is_shown"),
    [
        (None, DIVERSION, "4311009", False),
        ("no", DIVERSION, "4311009", False),
        ("yes", DIVERSION, "4311009", True),
        ("yes", HISTORY, "4311009", True),
        ("yes", HISTORY, "4315555", True),
        ("yes", DIVERSION, "4312222", False),
        ("check_aliases", DIVERSION, "+4311009", True),
        ("check_aliases", DIVERSION, "4315555", False),
        ("check_allowed_clis", HISTORY, "4315555", True),
        ("check_allowed_clis", HISTORY, "4311009", False),
        ("diversion", DIVERSION, "4312222", True),
        ("diversion", HISTORY, "4311009", False),
        ("historyinfo", HISTORY, "4312222", True),
        ("historyinfo", DIVERSION, "4311009", False),
        ("yes", "Diversion: {};;", "4311009", False),
    ],
)
def test_a_phone_that_passes_on_a_call(
    stage: Stage, skips: str | None, header: str, number: str, is_shown: bool
) -> None:
    stage.give("alice", allowed_clis=("4315555",))
    if skips:
        stage.give("alice", skip_upn_check_on_diversion=skips)
    call, _ = screened(stage, said("4312345"), header.format(number))
    assert call.identity.upn == ("4312345" if is_shown else "4311001")


def test_numbers_are_rewritten_before_they_are_judged(stage: Stage) -> None:
    stage.share(dialplans={7: (RewriteRule(r"^0([1-9]\d+)$", r"${caller_cc}\1"),)})
    stage.give("alice", rewrite_caller_in_dpid="7", cc="43")
    assert screened(stage, said("011009"))[0].identity == Identity("4311001", "4311009")
    assert screened(stage, said("011777"))[0].identity == Identity("4311001", "4311001")
    stage.give("alice", allowed_clis=("4311*",))
    stage.floor.directory.drop("alice@example.org")
    assert screened(stage, said("011777"))[0].identity.upn == "4311777"


@pytest.mark.parametrize(
    ("wishes", "number", "npn", "upn"),
    [
        ({}, "4311009", "4311001", "4311001"),
        ({"emergency_upn": "upn"}, "4311009", "4311001", "4311009"),
        ({"emergency_upn": "npn"}, "4311009", "4311001", "4311001"),
        ({"emergency_cli": "4311000"}, "4311009", "4311000", "4311000"),
        ({"clir": "1"}, "anonymous", "4311001", "4311001"),
        ({"allowed_clis_reject_policy": "reject"}, "4319999", "4311001", "4311001"),
    ],
)
def test_who_calls_for_help_is_known(stage: Stage, wishes: Wishes, number: str, npn: str, upn: str) -> None:
    stage.give("alice", **wishes)
    stage.share(dialplans={8: (RewriteRule("^112$", "emergency_112"),)})
    stage.give("alice", rewrite_callee_in_dpid="8")
    call = stage.call(request=make_request("INVITE", "sip:112@example.org", from_=said(number)))
    rewrite_callee(call, stage.floor)
    assert identify(call, stage.floor) is None
    assert call.identity == Identity(npn, upn)


@pytest.mark.parametrize(
    ("wishes", "from_", "identity"),
    [
        ({}, said("4319"), Identity("4317", "4319")),
        ({"inbound_npn": "ppi_user"}, said("4319"), Identity("4318", "4319")),
        ({"inbound_npn": "rpid_user"}, said("4319"), Identity("4319", "4319")),
        ({"inbound_npn": "from_display"}, f'"4316" {said("4319")}', Identity("4316", "4319", display="4316")),
        ({"inbound_upn": "pai_user"}, said("4319"), Identity("4317", "4317")),
        ({}, HIDDEN, Identity("4317", "4317", is_anonymous=True)),
        ({"rewrite_caller_in_dpid": "9"}, said("4319"), Identity("17", "19")),
    ],
)
def test_peers_are_believed(stage: Stage, wishes: Wishes, from_: str, identity: Identity) -> None:
    stage.share(dialplans={9: (RewriteRule("^43(.*)$", r"\1"),)})
    peer = Peer(1, "carrier", "192.0.2.100", 5060)
    caller = Caller("carrier.example", peer=peer, preferences=Preferences((layer(wishes),)))
    extra = ("P-Asserted-Identity: <sip:4317@c>", "P-Preferred-Identity: <sip:4318@c>")
    assert screened(stage, from_, *extra, caller=caller)[0].identity == identity


def test_a_stranger_has_no_number_that_we_vouch_for(stage: Stage) -> None:
    extra = "P-Asserted-Identity: <sip:4317@c>"
    call, _ = screened(stage, "<sip:joe@elsewhere.example>", extra, caller=Caller("elsewhere.example"))
    assert call.identity == Identity("", "joe")


@pytest.mark.parametrize(
    ("wanted", "uprn"), [(None, ""), ("npn", ""), ("diversion", "4312222"), ("npn_diversion", "4312222")]
)
def test_who_forwarded_before_it_came_to_us(stage: Stage, wanted: str | None, uprn: str) -> None:
    if wanted:
        stage.give("alice", inbound_uprn=wanted)
    call, _ = screened(stage, said("alice"), DIVERSION.format("+4312222"))
    assert call.identity.uprn == uprn
