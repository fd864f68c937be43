"""Which numbers of a call are looked up, and where a ported or an emergency number rings."""

import pytest

from ngcp.provisioning.runtime import (
    Carrier,
    Peer,
    PeerGroup,
    PeerRule,
    Ported,
    Preferences,
    RewriteRule,
)
from ngcp.proxy.call import Call, Caller
from ngcp.proxy.stations.portability import look_up_ported
from ngcp.proxy.stations.screening import identify
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage, layer, make_request

FIVE = Ported(5, "199")
NEVER, ALWAYS = "4319999", "4311002"


@pytest.fixture
def stage() -> Stage:
    """bob's number and that of a stranger are known as ported; a peer takes all calls."""
    stage = Stage()
    peer = Peer(1, "carrier", "192.0.2.100", 5060)
    stage.share(
        carriers={5: Carrier(5, "five", "D005")},
        peer_groups=(PeerGroup(1, "carriers", 1, 1, (PeerRule(),), (), (peer,)),),
        dialplans={
            7: (RewriteRule(r"^(\d+)$", r"X\1"),),
            8: (RewriteRule("^(112|133)$", r"emergency_\1"),),
        },
        emergency={1: {"112": "E3_112"}},
    )
    stage.source.ported_numbers |= {ALWAYS: FIVE, NEVER: FIVE, "4317": FIVE}
    return stage


def looked_up(stage: Stage, number: str, caller: Caller | None = None) -> Call:
    def look() -> Call:
        call = stage.call(caller, make_request("INVITE", f"sip:{number}@example.org"))
        identify(call, stage.floor)
        look_up_ported(call, stage.floor)
        return call

    return stage.known(look)


def a_peer(**wishes: str) -> Caller:
    peer = Peer(2, "other", "192.0.2.101", 5060)
    return Caller("other.example", peer=peer, preferences=Preferences((layer(dict(wishes)),)))


@pytest.mark.parametrize(
    ("number", "wishes", "lock", "ported"),
    [
        (NEVER, {}, "0", FIVE),
        (f"+{NEVER}", {}, "0", FIVE),
        ("4318888", {}, "0", None),
        (ALWAYS, {}, "0", None),
        ("bob", {}, "0", None),
        (ALWAYS, {"lnp_for_local_sub": "1"}, "0", FIVE),
        (ALWAYS, {}, "5", FIVE),
    ],
    ids=["foreign", "with +", "not ported", "ours", "a name", "ours, too", "ours once"],
)
def test_number_that_is_called(
    stage: Stage, number: str, wishes: dict[str, str], lock: str, ported: Ported | None
) -> None:
    stage.give("alice", **wishes)
    stage.give("bob", lock=lock)
    assert looked_up(stage, number).ported == ported


def test_without_carriers_nobody_is_asked(stage: Stage) -> None:
    stage.share(carriers={})
    assert looked_up(stage, NEVER).ported is None


def test_a_number_that_was_ours_is_called_where_it_is_now(stage: Stage) -> None:
    stage.give("bob", lock="5")
    call = stage.routed(lambda: stage.call(request=make_request("INVITE", f"sip:{ALWAYS}@example.org")))
    assert call.attempt is not None
    assert call.attempt.targets[0].uri == "sip:D005199@192.0.2.100:5060"


@pytest.mark.parametrize(
    ("wishes", "callee", "caller"),
    [
        ({}, FIVE, None),
        ({"skip_callee_lnp_lookup": "1"}, None, None),
        ({"caller_lnp_lookup": "1"}, FIVE, FIVE),
        ({"caller_lnp_lookup": "1", "skip_callee_lnp_lookup": "1"}, None, FIVE),
    ],
)
def test_call_from_a_peer(
    stage: Stage, wishes: dict[str, str], callee: Ported | None, caller: Ported | None
) -> None:
    known = a_peer(**wishes)

    def look() -> Call:
        request = make_request("INVITE", f"sip:{NEVER}@example.org", from_="<sip:4317@other.example>")
        call = stage.call(known, request)
        identify(call, stage.floor)
        look_up_ported(call, stage.floor)
        return call

    call = stage.known(look)
    assert (call.ported, call.caller_ported) == (callee, caller)


def test_ported_caller_is_rewritten_by_the_peers_rules(stage: Stage) -> None:
    known = a_peer(caller_lnp_lookup="1", rewrite_caller_lnp_dpid="7")

    def look() -> Call:
        call = stage.call(known, make_request(from_="<sip:4317@other.example>"))
        identify(call, stage.floor)
        look_up_ported(call, stage.floor)
        return call

    assert stage.known(look).identity.npn == "X4317"


# Emergencies


@pytest.mark.parametrize(
    ("dialled", "container", "called"),
    [
        ("112", "1", "emergency_E3_112"),
        ("133", "1", "emergency_133"),
        ("112", "9", "emergency_112"),
        ("112", "", "emergency_112"),
    ],
)
def test_emergency_mapping(stage: Stage, dialled: str, container: str, called: str) -> None:
    stage.give("alice", rewrite_callee_in_dpid="8", emergency_mapping_container_id=container)
    call = stage.routed(lambda: stage.call(request=make_request("INVITE", f"sip:{dialled}@example.org")))
    assert call.is_emergency
    assert call.attempt is not None
    assert call.attempt.targets[0].uri == f"sip:{called}@192.0.2.100:5060"


def test_container_of_the_customer(stage: Stage) -> None:
    stage.give("alice", rewrite_callee_in_dpid="8")
    stage.change("alice", contract_preferences=layer({"emergency_mapping_container_id": "1"}))
    call = stage.routed(lambda: stage.call(request=make_request("INVITE", "sip:112@example.org")))
    assert call.uri.user == "emergency_E3_112"


def test_emergency_calls_may_be_refused(stage: Stage) -> None:
    stage.give("alice", rewrite_callee_in_dpid="8", reject_emergency="1")
    outcome = stage.decide(lambda: stage.call(request=make_request("INVITE", "sip:112@example.org")))
    assert outcome == Reply(403, "Emergency Calls Unsupported")
    assert stage.decide(stage.call) == Reply(480, "Offline")
