"""Refusals and failures that the caller hears of: when, by which sound, and with which words after it."""

import pytest

from ngcp.provisioning.runtime import Peer, Preferences
from ngcp.provisioning.sound_names import GROUPS
from ngcp.proxy.call import Caller, Routed
from ngcp.proxy.refusals import REFUSALS, refuse
from ngcp.proxy.stations.announcements import HANDLES, announce, announce_failure
from ngcp.sip.core.decision import Reply
from ngcp.sip.syntax import Response
from proxy.stage import Stage, layer, make_request

ALL = frozenset(GROUPS["early_rejects"])


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.share(announcements={3: ALL, 4: frozenset({"callee_offline"})})
    stage.give("alice", sound_set="3")
    return stage


def ordered(outcome: object) -> str | None:
    """Return what the B2BUA is to say; None if nothing."""
    if not isinstance(outcome, Routed):
        return None
    attempt = outcome.call.attempt
    assert attempt is not None and attempt.announced is not None
    (target,) = attempt.targets
    assert target.flow.remote == ("127.0.0.1", 5080)
    assert attempt.request.first("P-App-Name") == "early_announce"
    assert "proxy-authorization" not in attempt.request and "route" not in attempt.request
    return attempt.request.first("P-App-Param")


OFFLINE = ';audio_id=callee_offline;sound_set_id=3;language=en;fr_code=480;fr_reason="Offline"'


def test_a_refusal_with_a_sound_is_said_first(stage: Stage) -> None:
    call = stage.call()
    outcome = stage.known(lambda: stage.corridor.decide_now(make_request(), 0.0))
    assert ordered(outcome) is None, "a challenge is nothing to be said"
    assert ordered(announce(call, refuse(call, "callee_offline"), stage.floor)) == OFFLINE
    assert call.attempt is not None
    assert call.attempt.announced == Reply(480, "Offline")
    assert len(call.attempt.record_route) == 1


@pytest.mark.parametrize("kind", sorted(REFUSALS))
def test_every_refusal_has_a_sound_of_its_name(stage: Stage, kind: str) -> None:
    call = stage.call()
    order = ordered(announce(call, refuse(call, kind), stage.floor))
    assert order is not None
    assert f";audio_id={HANDLES.get(kind, kind)};" in order
    assert f";fr_code={REFUSALS[kind][0]};" in order


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        ({"sound_set": "3", "language": "de"}, OFFLINE.replace("=en", "=de")),
        ({"sound_set": "4"}, OFFLINE.replace("_id=3", "_id=4")),
        ({"sound_set": "5"}, None),
        ({"sound_set": ""}, None),
    ],
)
def test_the_callers_sound_set_says_it(
    stage: Stage, preferences: dict[str, str], expected: str | None
) -> None:
    stage.give("alice", **preferences)
    call = stage.call()
    assert ordered(announce(call, refuse(call, "callee_offline"), stage.floor)) == expected


def test_a_sound_that_the_set_lacks_is_not_said(stage: Stage) -> None:
    stage.give("alice", sound_set="4")
    call = stage.call()
    assert announce(call, refuse(call, "locked_out"), stage.floor) is None


def test_words_that_a_peer_wants_to_hear_come_after_the_sound(stage: Stage) -> None:
    words = {"sound_set": "3", "callee_offline_code": "404", "callee_offline_reason": 'Gone "away"'}
    peer = Peer(1, "gw", "203.0.113.9", 5060, preferences=Preferences((layer(dict(words)),)))
    call = stage.call(Caller("example.org", peer=peer, preferences=peer.preferences))
    order = ordered(announce(call, refuse(call, "callee_offline"), stage.floor))
    assert order is not None and order.endswith(r';fr_code=404;fr_reason="Gone \"away\""')


def test_only_the_last_refusal_of_a_call_is_said(stage: Stage) -> None:
    call = stage.call()
    refuse(call, "callee_offline")
    assert announce(call, Reply(302), stage.floor) is None


def test_nothing_is_said_to_what_is_no_call(stage: Stage) -> None:
    call = stage.call(request=make_request("MESSAGE"))
    assert announce(call, refuse(call, "callee_offline"), stage.floor) is None


@pytest.mark.parametrize(
    ("status", "listed", "handle"),
    [
        (486, ("486", "600"), "callee_busy"),
        (600, ("486", "600"), "callee_busy"),
        (404, ("404",), "callee_unknown"),
        (502, ("502",), "peering_unavailable"),
        (403, ("403",), "callee_tmp_unavailable"),
        (486, ("404",), None),
    ],
)
def test_failures_of_callees_that_are_listed(
    stage: Stage, status: int, listed: tuple[str, ...], handle: str | None
) -> None:
    stage.give("alice", announce_error_codes_enable="1", announce_error_codes_list=listed)
    order = ordered(announce_failure(stage.call(), Response(status, "Of the callee"), stage.floor))
    assert (order or "").partition("audio_id=")[2].partition(";")[0] == (handle or "")
    if order is not None:
        assert order.endswith(f';fr_code={status};fr_reason="Of the callee"')


def test_failures_of_callees_are_as_they_are_unless_wanted(stage: Stage) -> None:
    stage.give("alice", announce_error_codes_list=("486",))
    assert announce_failure(stage.call(), Response(486), stage.floor) is None
