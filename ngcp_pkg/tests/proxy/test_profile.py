"""What the B2BUA is told of a call: session timers of both legs, longest duration, credentials for a peer."""

import pytest

from ngcp.provisioning.runtime import Peer, PeerGroup, PeerRule, Preferences
from ngcp.proxy.profile import parameters
from proxy.stage import Stage, layer, make_request

NO_TIMERS = ";aleg_sst_enable=no;sst_enable=no"


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.register("bob", "sip:bob@192.0.2.20")
    return stage


def told(stage: Stage, number: str = "bob") -> str:
    """Return the parameters after the first one."""
    request = make_request("INVITE", f"sip:{number}@example.org")
    found = parameters(stage.routed(lambda: stage.call(request=request)), 600.4)
    first, *others = found.split(";")[1:]
    assert first == "calltimer=600"
    return "".join(f";{other}" for other in others)


def test_without_any_preference(stage: Stage) -> None:
    assert told(stage) == NO_TIMERS


@pytest.mark.parametrize(
    ("user", "preferences", "expected"),
    [
        ("alice", {"sst_enable": "no", "sst_expires": "600"}, NO_TIMERS),
        ("alice", {"sst_enable": "NULL"}, NO_TIMERS),
        (
            "alice",
            {"sst_enable": "yes"},
            ";aleg_sst_enable=yes;aleg_sst_expires=300;aleg_sst_min_timer=90;aleg_sst_max_timer=7200"
            ";aleg_sst_refresh_method=UPDATE_FALLBACK_INVITE;sst_enable=no",
        ),
        (
            "bob",
            {"sst_enable": "yes", "sst_expires": "600", "sst_min_timer": "120", "sst_max_timer": "1800"}
            | {"sst_refresh_method": "INVITE"},
            ";aleg_sst_enable=no;sst_enable=yes;sst_expires=600;sst_min_timer=120;sst_max_timer=1800"
            ";sst_refresh_method=INVITE",
        ),
        ("alice", {"disable_prack_method": "1"}, f"{NO_TIMERS};disable_prack_method=yes"),
        ("bob", {"disable_prack_method": "1"}, f"{NO_TIMERS};disable_prack_method=yes"),
        ("alice", {"clir": "1"}, f"{NO_TIMERS};hide_caller=yes"),
        ("bob", {"peer_auth_user": "b", "peer_auth_pass": "p"}, NO_TIMERS),
    ],
)
def test_preferences_of_a_leg(stage: Stage, user: str, preferences: dict[str, str], expected: str) -> None:
    stage.give(user, **preferences)
    assert told(stage) == expected


OURS = {"peer_auth_user": "node", "peer_auth_pass": 'a;b"c\\', "peer_auth_realm": "carrier.example"}
HERS = {"peer_auth_user": "alice", "peer_auth_pass": "secret"}


@pytest.mark.parametrize(
    ("of_peer", "of_caller", "expected"),
    [
        ({}, {}, ""),
        (OURS, {}, r';peer_auth_user="node";peer_auth_pass="a;b\"c\\";peer_auth_realm="carrier.example"'),
        ({}, HERS, ';peer_auth_user="alice";peer_auth_pass="secret"'),
        (OURS, HERS, ';peer_auth_user="alice";peer_auth_pass="secret"'),
        (OURS | {"peer_auth_pass": ""}, {}, ""),
    ],
)
def test_credentials_for_a_peer(
    stage: Stage, of_peer: dict[str, str], of_caller: dict[str, str], expected: str
) -> None:
    """An account that the caller has with the peer is asked first, else the one that the node has."""
    peer = Peer(1, "gw", "203.0.113.9", 5060, preferences=Preferences((layer(dict(of_peer)),)))
    stage.share(peer_groups=(PeerGroup(1, "carriers", 1, 1, (PeerRule(),), (), (peer,)),))
    stage.give("alice", **of_caller)
    found = parameters(
        stage.routed(lambda: stage.call(request=make_request("INVITE", "sip:0664@example.org"))), 1.0
    )
    assert found == f";calltimer=1{NO_TIMERS}{expected}"
