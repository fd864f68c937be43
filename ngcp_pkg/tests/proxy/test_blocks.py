"""Numbers that must not be called, or must not call: allowed and refused."""

import pytest

from ngcp.provisioning.runtime import Carrier, NcosLevel, Ported, RewriteRule
from ngcp.proxy.call import Call, Identity, Party
from ngcp.proxy.stations.blocks import barred_in
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage, layer, make_request

Wishes = dict[str, str | tuple[str, ...]]
ADMIN, CALLER, CALLEE, NCOS = (
    Reply(403, f"Blocked by {who}") for who in ("Admin", "Caller", "Callee", "NCOS level")
)
#: What becomes of a call that nobody blocks: bob's phone is off.
PASSES = Reply(480, "Offline")
BOB = "sip:4311002@example.org"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def call_bob(stage: Stage, uri: str = BOB) -> object:
    return stage.decide(lambda: stage.call(request=make_request("INVITE", uri)))


@pytest.mark.parametrize(
    ("wishes", "outcome"),
    [
        ({"block_out_list": ("4311*",)}, CALLER),
        ({"block_out_list": ("4311*",), "block_out_mode": "0"}, CALLER),
        ({"block_out_list": ("4312*", "431100[3-9]")}, PASSES),
        ({"block_out_list": ("4312*", "431100?")}, CALLER),
        ({"block_out_list": ("4311*",), "block_out_mode": "1"}, PASSES),
        ({"block_out_list": ("4312*",), "block_out_mode": "1"}, CALLER),
        ({"block_out_mode": "1"}, CALLER),
        ({"adm_block_out_list": ("4311*",)}, ADMIN),
        ({"adm_block_out_list": ("4312*",), "adm_block_out_mode": "1"}, ADMIN),
        ({"adm_block_out_list": ("4311*",), "block_out_list": ("4311*",)}, ADMIN),
        ({"adm_block_out_list": ("4311*",), "adm_block_out_mode": "1", "block_out_list": ("4*",)}, CALLER),
        ({"block_in_list": ("*",), "adm_block_in_mode": "1"}, PASSES),
    ],
)
def test_list_of_the_caller(stage: Stage, wishes: Wishes, outcome: Reply) -> None:
    stage.give("alice", **wishes)
    assert call_bob(stage) == call_bob(stage, "sip:+4311002@example.org") == outcome


def test_customers_list_holds_whatever_the_subscriber_wants(stage: Stage) -> None:
    stage.change("alice", contract_preferences=layer({"block_out_list": ("4311*",)}))
    stage.give("alice", block_out_list=("4312*",))
    assert call_bob(stage) == CALLER


LEVELS = {
    1: NcosLevel("no 4311", False, (r"^4311",)),
    2: NcosLevel("4312 only", True, (r"^4312",)),
    3: NcosLevel("local only", True, (), matches_local_area=True),
    4: NcosLevel("no carrier 5", False, (), frozenset({5})),
    5: NcosLevel("own PBX only", True, (), matches_pbx=True),
}


@pytest.mark.parametrize(
    ("wishes", "outcome"),
    [
        ({"ncos_id": "1"}, NCOS),
        ({"adm_ncos_id": "1"}, NCOS),
        ({"ncos_id": "2"}, NCOS),
        ({"ncos_id": "4"}, PASSES),
        ({"ncos_id": "99"}, PASSES),
        ({"ncos_id": "3", "cc": "43", "ac": "1"}, PASSES),
        ({"ncos_id": "3", "cc": "43", "ac": "2"}, NCOS),
        ({"ncos_id": "3", "cc": "43"}, NCOS),
        ({"ncos_id": "5"}, NCOS),
        ({"adm_ncos_id": "1", "adm_ncos_exceptions": ("4311002", "4311003")}, PASSES),
        ({"adm_ncos_id": "1", "adm_ncos_exceptions": ("4311003",)}, NCOS),
        ({"ncos_id": "1", "adm_ncos_exceptions": ("4311002",)}, NCOS),
        ({"ncos_id": "1", "adm_block_out_list": ("4311*",)}, NCOS),
    ],
)
def test_class_of_service(stage: Stage, wishes: Wishes, outcome: Reply) -> None:
    stage.share(ncos_levels=LEVELS)
    stage.give("alice", **wishes)
    assert call_bob(stage) == outcome


def test_class_that_is_for_the_own_pbx(stage: Stage) -> None:
    stage.share(ncos_levels=LEVELS)
    stage.give("alice", ncos_id="5")
    for user in ("alice", "bob"):
        stage.change(user, account_id=7)
    assert call_bob(stage) == PASSES


def test_class_that_knows_carriers(stage: Stage) -> None:
    stage.share(ncos_levels=LEVELS, carriers={5: Carrier(5, "five", "D005")})
    stage.source.ported_numbers["4319999"] = Ported(5)
    stage.give("alice", ncos_id="4")
    assert call_bob(stage, "sip:4319999@example.org") == NCOS
    assert call_bob(stage, "sip:4319998@example.org") != NCOS


@pytest.mark.parametrize(
    "wishes",
    [
        {"ncos_id": "2"},
        {"adm_ncos_id": "2"},
        {"block_out_mode": "1"},
        {"adm_block_out_mode": "1"},
        {"lock": "2"},
        {"lock": "3"},
        {"lock": "4"},
        {"lock": "5"},
    ],
    ids=str,
)
def test_a_call_for_help_is_blocked_by_nothing(stage: Stage, wishes: Wishes) -> None:
    stage.share(ncos_levels=LEVELS, dialplans={8: (RewriteRule("^112$", "emergency_112"),)})
    stage.give("alice", rewrite_callee_in_dpid="8", **wishes)
    outcome = call_bob(stage, "sip:112@example.org")
    assert isinstance(outcome, Reply)
    assert outcome.status == 404  # no peer takes it


@pytest.mark.parametrize(
    ("wishes", "identity", "outcome"),
    [
        ({}, Identity("4311001", "4311001"), None),
        ({"block_in_list": ("4311*",)}, Identity("4311001", "4311001"), CALLEE),
        ({"block_in_list": ("4311*",)}, Identity("4311001", "4319"), None),
        ({"block_in_list": ("4311*",)}, Identity("", "+4311001"), CALLEE),
        ({"block_in_list": ("4311*",)}, Identity("4311001", "4311001", is_anonymous=True), None),
        ({"block_in_list": ("4311*",), "block_in_mode": "1"}, Identity("4311001", "4311001"), None),
        ({"block_in_list": ("4312*",), "block_in_mode": "1"}, Identity("4311001", "4311001"), CALLEE),
        ({"block_in_list": ("4311*",), "block_in_mode": "1"}, Identity("1", "1", is_anonymous=True), CALLEE),
        ({"block_in_list": ("anonymous",)}, Identity("1", "1", is_anonymous=True), CALLEE),
        ({"block_in_clir": "1"}, Identity("1", "1", is_anonymous=True), CALLEE),
        ({"block_in_clir": "1"}, Identity("1", "1"), None),
        ({"adm_block_in_clir": "1"}, Identity("1", "1", is_anonymous=True), ADMIN),
        ({"adm_block_in_list": ("4311*",)}, Identity("4311001", "4311001"), ADMIN),
        ({"block_out_list": ("*",), "adm_block_out_mode": "1"}, Identity("1", "1"), None),
    ],
)
def test_list_of_the_callee(stage: Stage, wishes: Wishes, identity: Identity, outcome: Reply | None) -> None:
    stage.give("bob", **wishes)
    assert barred_in(call_of(stage, identity), bob(stage)) == outcome


def test_a_callee_cannot_block_a_call_for_help(stage: Stage) -> None:
    stage.give("bob", block_in_mode="1")
    call = call_of(stage, Identity("1", "1"))
    call.is_emergency = True
    assert barred_in(call, bob(stage)) is None


def call_of(stage: Stage, identity: Identity) -> Call:
    call = stage.call()
    call.identity = identity
    return call


def bob(stage: Stage) -> Party:
    subscriber = stage.subscriber("bob")
    return Party(stage.source.shared.preferences_of(subscriber), subscriber)
