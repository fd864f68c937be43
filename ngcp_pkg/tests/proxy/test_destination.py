"""Where a call goes, as a table over calls: allowed and refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ngcp.provisioning.runtime import (
    Destination,
    Domain,
    Forward,
    LocationMapping,
    NcosLevel,
    Peer,
    PeerGroup,
    PeerRule,
    Ported,
    RewriteRule,
)
from ngcp.proxy.call import Attempt, Call, Caller, Routed
from ngcp.sip.core.decision import Reply
from ngcp.sip.core.digest import Verdict
from proxy.stage import Stage, make_request

NUMBER = "sip:43720555@example.org"
PEER = Peer(7, "carrier", "203.0.113.7", 5060)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.source.shared = replace(
        stage.source.shared,
        domains={"example.org": Domain(), "example.com": Domain()},
        peer_groups=(PeerGroup(1, "carriers", 1, 1, (PeerRule(),), (), (PEER,)),),
    )
    return stage


def attempt_of(call: Call) -> Attempt:
    assert call.attempt is not None
    return call.attempt


def called(stage: Stage, uri: str, make: Callable[[], Call] | None = None) -> list[str]:
    """Return the Request-URIs that the first attempt goes to."""
    call = stage.routed(make or (lambda: stage.call(request=make_request(uri=uri))))
    return [target.uri for target in attempt_of(call).targets]


def refused(stage: Stage, uri: str = "sip:bob@example.org", caller: Caller | None = None) -> Reply:
    reply = stage.decide(lambda: stage.call(caller, make_request(uri=uri)))
    assert isinstance(reply, Reply)
    return reply


def redirected(stage: Stage, *uris: str) -> None:
    stage.source.change("bob", forwards=(Forward("cfu", tuple(map(Destination, uris))),))


# Applications


@pytest.mark.parametrize(
    ("uri", "port"),
    [
        ("sip:vmu4311002@voicebox.local", 5070),
        ("sip:conf=1@conference.local", 5080),
        ("sip:callthrough@app.local", 5080),
    ],
)
def test_application_behind_a_forward(stage: Stage, uri: str, port: int) -> None:
    redirected(stage, uri)
    [target] = attempt_of(stage.routed(stage.call)).targets
    assert (target.uri, target.flow.remote, target.route) == (uri, ("127.0.0.1", port), ())


@pytest.mark.parametrize(
    ("room", "order"),
    [
        ("bob", ';room="bob@uuid-bob";roompin="1234";max_participants="3";language="de"'),
        ("4311002", ';room="4311002@uuid-bob";roompin="1234";max_participants="3";language="de"'),
        ("alice", ';room="alice@uuid-alice";roompin="99";language="en"'),
        ("team", ';room="team@uuid-bob";roompin="1234";max_participants="3";language="de"'),
    ],
)
def test_conference_room_is_its_owners_whoever_forwards_there(stage: Stage, room: str, order: str) -> None:
    stage.source.prefer("bob", conference_pin="1234", conference_max_participants="3", language="de")
    stage.source.prefer("alice", conference_pin="99")
    redirected(stage, f"sip:conf={room}@conference.local")
    request = attempt_of(stage.routed(stage.call)).request
    assert request.first("P-App-Name") == "conference"
    assert request.first("P-App-Param") == order


@pytest.mark.parametrize(
    ("user", "order"),
    [
        ("vmu4311002", ';mailbox="uuid-bob";greeting="unavail";number="4311002";language="de"'),
        ("vmb4311002", ';mailbox="uuid-bob";greeting="busy";number="4311002";language="de"'),
        ("vmuuuid-bob", ';mailbox="uuid-bob";greeting="unavail";language="de"'),
        ("vmuuuid-alice", ';mailbox="uuid-alice";greeting="unavail";sound_set_id="7";language="en"'),
        ("vmu43999", ';mailbox="uuid-bob";greeting="unavail";number="43999";language="de"'),
    ],
    ids=["number", "busy", "uuid", "another-subscriber", "former-number"],
)
def test_a_message_is_for_the_mailbox_that_is_called(stage: Stage, user: str, order: str) -> None:
    stage.source.prefer("bob", language="de")
    stage.source.prefer("alice", sound_set="7")
    redirected(stage, f"sip:{user}@voicebox.local")
    request = attempt_of(stage.routed(stage.call)).request
    assert (request.first("P-App-Name"), request.first("P-App-Param")) == ("voicebox", order)


def ordered(stage: Stage, uri: str) -> tuple[str, str, str | None]:
    """Return where a call goes, and what the application there is told."""
    attempt = attempt_of(stage.routed(lambda: stage.call(request=make_request(uri=uri))))
    request = attempt.request
    return attempt.targets[0].uri, request.first("P-App-Name"), request.get("P-App-Param")


def test_messages_are_those_of_the_phone_that_wants_to_hear_them(stage: Stage) -> None:
    stage.source.prefer("alice", language="de")
    order = ';mailbox="uuid-alice";language="de"'
    assert ordered(stage, "sip:2000@example.org") == ("sip:2000@voicebox.local", "mailbox", order)


@pytest.mark.parametrize("number", ["4312000", "+4312000"])
def test_who_calls_from_elsewhere_says_whose_messages_he_wants_to_hear(stage: Stage, number: str) -> None:
    place = "sip:access@voicebox.local"
    assert ordered(stage, f"sip:{number}@example.org") == (place, "mailbox", None)


def test_application_that_nobody_serves(stage: Stage) -> None:
    redirected(stage, "sip:fax=1@fax2mail.local")
    assert refused(stage) == Reply(404, "Not Found")


def test_an_unreadable_destination_is_none(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    redirected(stage, "mailto bob")
    assert called(stage, "sip:bob@example.org") == ["sip:bob@192.0.2.9"]


# Peers and foreign domains


def test_number_of_nobody_here(stage: Stage) -> None:
    assert called(stage, NUMBER) == ["sip:43720555@203.0.113.7:5060"]
    assert attempt_of(stage.routed(lambda: stage.call(request=make_request(uri=NUMBER)))).party.peer == PEER


def test_a_peer_does_not_call_another_one(stage: Stage) -> None:
    caller = Caller("203.0.113.9", peer=replace(PEER, id=9), verdict=Verdict.GOOD, is_local=True)
    caller.owns_identity = True
    assert refused(stage, NUMBER, caller) == Reply(404, "Not Found")


def test_no_404_fallback(stage: Stage) -> None:
    stage.source.prefer("alice", no_404_fallback="1")
    assert refused(stage, NUMBER) == Reply(404, "Not Found")


def test_calls_for_help_leave_all_the_same(stage: Stage) -> None:
    rules = (RewriteRule("^112$", "emergency_112"),)
    stage.source.shared = replace(stage.source.shared, dialplans={5: rules})
    stage.source.prefer("alice", no_404_fallback="1", lock="1", rewrite_callee_in_dpid="5")
    assert called(stage, "sip:112@example.org") == ["sip:emergency_112@203.0.113.7:5060"]


@pytest.mark.parametrize(
    ("allowed", "expected"), [("0", Reply(403, "Relaying denied")), ("1", ["sip:zoe@192.0.2.77"])]
)
def test_foreign_domain(stage: Stage, allowed: str, expected: Reply | list[str]) -> None:
    stage.source.prefer("alice", allow_out_foreign_domain=allowed)
    uri = "sip:zoe@192.0.2.77"
    assert (refused(stage, uri) if allowed == "0" else called(stage, uri)) == expected


def test_the_one_who_forwards_must_be_allowed_to(stage: Stage) -> None:
    redirected(stage, "sip:zoe@192.0.2.77")
    stage.source.prefer("alice", allow_out_foreign_domain="1")
    assert refused(stage) == Reply(403, "Relaying denied")


FORCED = ["sip:4311002@203.0.113.7:5060"]
HERE = ["sip:bob@192.0.2.9"]


@pytest.mark.parametrize(
    ("wish", "is_online", "expected"),
    [
        ("never", True, HERE),
        ("force_nonlocal", True, HERE),
        ("force", True, FORCED),
        ("force_offline", True, HERE),
        ("force_offline", False, FORCED),
        ("force_offline_primary", False, FORCED),
        ("force_offline_alias", False, None),
        ("force_interdomain", True, HERE),
        ("force_interpbx", True, FORCED),
    ],
)
def test_calls_forced_to_a_peer(stage: Stage, wish: str, is_online: bool, expected: list[str] | None) -> None:
    stage.source.change("alice", account_id=1)
    stage.source.prefer("alice", force_outbound_calls_to_peer=wish)
    stage.source.prefer("bob", cli="4311002")
    if is_online:
        stage.register("bob", "sip:bob@192.0.2.9")
    if expected is None:
        assert refused(stage, "sip:4311002@example.org") == Reply(480, "Offline")
    else:
        assert called(stage, "sip:4311002@example.org") == expected


def test_a_callee_who_wants_his_calls_from_a_peer(stage: Stage) -> None:
    stage.source.prefer("bob", force_inbound_calls_to_peer="force")
    assert called(stage, "sip:4311002@example.org") == FORCED


def test_a_ported_number_of_ours(stage: Stage) -> None:
    stage.source.prefer("alice", force_outbound_calls_to_peer="force_nonlocal_lnp")
    stage.register("bob", "sip:bob@192.0.2.9")

    def ported() -> Call:
        call = stage.call(request=make_request(uri="sip:4311002@example.org"))
        call.ported = Ported(1)
        return call

    assert called(stage, "", ported) == FORCED
    assert called(stage, "sip:4311002@example.org") == HERE


def test_peers_that_are_down(stage: Stage) -> None:
    stage.floor = replace(stage.floor, is_down=lambda peer: True)
    assert refused(stage, NUMBER) == Reply(503, "PSTN Termination Currently Unavailable")


@pytest.mark.parametrize(
    ("peer", "uri", "route"),
    [
        (replace(PEER, transport="tcp"), "sip:43720555@203.0.113.7:5060;transport=tcp", ()),
        (
            replace(PEER, host="pbx.example", port=5070),
            "sip:43720555@pbx.example:5070",
            ("<sip:203.0.113.7:5070;lr>",),
        ),
        (
            replace(PEER, route="sip:203.0.113.8;lr, <sip:203.0.113.9>"),
            "sip:43720555@203.0.113.7:5060",
            ("<sip:203.0.113.8;lr>", "<sip:203.0.113.9;lr>"),
        ),
    ],
    ids=["tcp", "named", "via route"],
)
def test_way_to_a_peer(stage: Stage, peer: Peer, uri: str, route: tuple[str, ...]) -> None:
    target = stage.floor.edge.peer(peer, "43720555")
    assert (target.uri, target.route) == (uri, route)


# Subscribers


def test_do_not_disturb(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.source.prefer("bob", dnd="1")
    assert refused(stage) == Reply(486, "Busy")
    stage.floor.directory.drop("*")
    stage.source.change("bob", forwards=(Forward("cfb", (Destination("sip:vmu1@voicebox.local"),)),))
    assert called(stage, "sip:bob@example.org") == ["sip:vmb1@voicebox.local"]


PLACE = "sip:bob@192.0.2.70"


@pytest.mark.parametrize(
    ("mapping", "is_online", "expected"),
    [
        (LocationMapping(PLACE, "add"), True, [*HERE, PLACE]),
        (LocationMapping(PLACE, "replace"), True, [PLACE]),
        (LocationMapping(PLACE, "offline"), True, HERE),
        (LocationMapping(PLACE, "offline"), False, [PLACE]),
        (LocationMapping(PLACE, "forward"), True, [PLACE]),
        (LocationMapping("sip:vm@192.0.2.70", "replace", to_username="b2"), True, ["sip:b2@192.0.2.70"]),
        (LocationMapping("sip:192.0.2.70", "replace"), True, [PLACE]),
        (LocationMapping(PLACE, "replace", caller_pattern="^alice$"), True, [PLACE]),
        (LocationMapping(PLACE, "replace", caller_pattern="^zoe$"), True, HERE),
        (LocationMapping(PLACE, "replace", callee_pattern="^b"), True, [PLACE]),
        (LocationMapping(PLACE, "replace", callee_pattern="^[0-9]"), True, HERE),
    ],
)
def test_location_mapping(
    stage: Stage, mapping: LocationMapping, is_online: bool, expected: list[str]
) -> None:
    if is_online:
        stage.register("bob", "sip:bob@192.0.2.9")
    stage.source.change("bob", locations=(mapping,))
    assert called(stage, "sip:bob@example.org") == expected


def test_a_mapping_that_leads_to_somebody_here(stage: Stage) -> None:
    stage.register("alice", "sip:alice@192.0.2.1")
    stage.source.change("bob", locations=(LocationMapping("sip:alice@example.org", "forward"),))
    assert called(stage, "sip:bob@example.org") == ["sip:alice@192.0.2.1"]


def test_mappings_in_a_circle(stage: Stage) -> None:
    stage.source.change("bob", locations=(LocationMapping("sip:bob@example.org", "forward"),))
    assert refused(stage) == Reply(480, "Unable to resolve destination")


@pytest.mark.parametrize(
    ("forking", "chance", "expected"),
    [
        ("no", 0.0, [(1.0, "a"), (1.0, "b")]),
        ("standard", 0.0, [(1.0, "a"), (0.5, "b")]),
        ("probability", 0.0, [(1.0, "a"), (0.999, "b")]),
        ("probability", 0.9, [(1.0, "b"), (0.999, "a")]),
    ],
)
def test_order_of_phones(
    stage: Stage, forking: str, chance: float, expected: list[tuple[float, str]]
) -> None:
    stage.chance = chance
    stage.register("bob", "sip:a@192.0.2.9")
    stage.register("bob", "sip:b@192.0.2.8", q=0.5)
    stage.source.prefer("bob", serial_forking_by_q_value=forking)
    targets = attempt_of(stage.routed(stage.call)).targets
    assert [(target.q, target.uri[4]) for target in targets] == expected


@pytest.mark.parametrize(
    ("preferences", "timeout", "each"),
    [
        ({}, 30.0, float("inf")),
        ({"ringtimeout": "12"}, 12.0, float("inf")),
        ({"contact_ringtimeout": "5"}, 30.0, 5.0),
    ],
)
def test_ring_time(stage: Stage, preferences: dict[str, str], timeout: float, each: float) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.source.prefer("bob", **preferences)
    attempt = attempt_of(stage.routed(stage.call))
    assert (attempt.timeout, attempt.each) == (timeout, each)


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ({"block_in_list": "alice"}, "Blocked by Callee"),
        ({"adm_block_in_list": "ali*"}, "Blocked by Admin"),
        ({"block_in_list": "zoe"}, None),
        ({"block_in_list": "alice", "block_in_mode": "1"}, None),
    ],
)
def test_callee_blocks_the_caller(stage: Stage, blocks: dict[str, str], reason: str | None) -> None:
    """Before any forward: who is blocked reaches nobody in his place."""
    stage.source.prefer("bob", **blocks)
    redirected(stage, "sip:vmu1@voicebox.local")
    outcome = stage.decide(stage.call)
    assert (outcome == Reply(403, reason)) if reason else isinstance(outcome, Routed)


def test_the_one_who_forwards_may_not_call_there(stage: Stage) -> None:
    redirected(stage, NUMBER, "sip:vmu1@voicebox.local")
    stage.source.prefer("bob", block_out_list="43720555")
    assert called(stage, "sip:bob@example.org") == ["sip:vmu1@voicebox.local"]


def test_where_calls_may_be_forwarded_to(stage: Stage) -> None:
    """adm_cf_ncos holds for forwards, not for calls that the subscriber makes."""
    levels = {3: NcosLevel("inland", is_whitelist=False, patterns=("^4372",))}
    stage.source.shared = replace(stage.source.shared, ncos_levels=levels)
    for user in ("alice", "bob"):
        stage.source.prefer(user, adm_cf_ncos_id="3")
    assert called(stage, NUMBER) == ["sip:43720555@203.0.113.7:5060"]
    redirected(stage, NUMBER)
    assert refused(stage) == Reply(403, "Blocked by NCOS level")


def test_a_subscriber_who_is_confined_to_his_domain(stage: Stage) -> None:
    stage.source.add("alice", "4311001", lock=1)
    assert refused(stage, NUMBER) == Reply(403, "Caller locked")


def test_messages_are_heard_whatever_rewriting_makes_of_the_number(stage: Stage) -> None:
    rules = (RewriteRule(r"^(\d+)$", r"43\1"),)
    stage.source.shared = replace(stage.source.shared, dialplans={5: rules})
    stage.source.prefer("alice", rewrite_callee_in_dpid="5")
    assert called(stage, "sip:2000@example.org") == ["sip:2000@voicebox.local"]


def test_a_phone_redirects_to_a_number_as_it_dials_it(stage: Stage) -> None:
    rules = (RewriteRule(r"^0(\d+)$", r"43\1"),)
    stage.source.shared = replace(stage.source.shared, dialplans={5: rules})
    stage.source.prefer("bob", rewrite_callee_in_dpid="5")
    stage.register("alice", "sip:alice@192.0.2.1")
    stage.register("bob", "sip:bob@192.0.2.9")
    outcome = stage.proceed(stage.routed(stage.call), 302, ("Contact", "<sip:0720555@192.0.2.9>"))
    assert isinstance(outcome, Reply)
    outcome = stage.proceed(stage.routed(stage.call), 302, ("Contact", "<sip:0720555@example.org>"))
    assert attempt_of(stage.routed_again(outcome)).targets[0].uri == "sip:43720555@203.0.113.7:5060"


# Forwards after a failure


def forwards(*kinds: str) -> tuple[Forward, ...]:
    return tuple(Forward(kind, (Destination(f"sip:{kind}@voicebox.local"),)) for kind in kinds)


@pytest.mark.parametrize(
    ("status", "preferences", "kind"),
    [
        (486, {}, "cfb"),
        (600, {}, "cfb"),
        (480, {}, "cfna"),
        (430, {}, "cfna"),
        (408, {}, "cft"),
        (404, {}, None),
        (603, {}, None),
        (404, {"rerouting_mode": "whitelist", "rerouting_codes": "404 410"}, "cfr"),
        (500, {"rerouting_mode": "whitelist", "rerouting_codes": "404 410"}, None),
        (500, {"rerouting_mode": "blacklist", "rerouting_codes": "404 410"}, "cfr"),
        (404, {"rerouting_mode": "blacklist", "rerouting_codes": "404 410"}, None),
        (486, {"rerouting_mode": "whitelist", "rerouting_codes": "486"}, "cfb"),
    ],
)
def test_kind_of_forward(stage: Stage, status: int, preferences: dict[str, str], kind: str | None) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.source.prefer("bob", **preferences)
    stage.source.change("bob", forwards=forwards("cfb", "cft", "cfna", "cfr", "cfo"))
    outcome = stage.proceed(stage.routed(stage.call), status)
    if kind is None:
        assert outcome is None
    else:
        diversion = stage.routed_again(outcome).diversions[0]
        assert (diversion.kind, diversion.subscriber.username) == (kind, "bob")


def test_a_silent_phone_is_unavailable_where_there_is_no_cft(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.source.change("bob", forwards=forwards("cfna"))
    outcome = stage.proceed(stage.routed(stage.call), 408)
    assert stage.routed_again(outcome).diversions[0].kind == "cfna"


@pytest.mark.parametrize("own", ["20", ""], ids=["his own is longer", "he has none"])
def test_a_forward_to_somebody_takes_the_time_that_it_gave_him(stage: Stage, own: str) -> None:
    """His own forward on no answer is for his own ring time; when the other's is over, the other goes on."""
    stage.register("alice", "sip:alice@192.0.2.1")
    places = Destination("sip:alice@example.org", 10.0), Destination("sip:vmu2@voicebox.local")
    stage.source.change("bob", forwards=(Forward("cfu", places),))
    stage.source.prefer("alice", ringtimeout=own)
    stage.source.change("alice", forwards=forwards("cft"))
    call = stage.routed(stage.call)
    assert attempt_of(call).timeout == 10.0

    after = stage.routed_again(stage.proceed(call, 408))
    assert attempt_of(after).targets[0].uri == "sip:vmu2@voicebox.local"


def test_forward_by_redirection(stage: Stage) -> None:
    """use_redirection: a peer is told the destination instead, a subscriber's call is forwarded."""
    stage.register("alice", "sip:alice@192.0.2.1")
    places = Destination("sip:4311001@example.org"), Destination("sip:vmu2@voicebox.local")
    stage.source.change("bob", forwards=(Forward("cfu", places, uses_redirection=True),))
    caller = Caller("203.0.113.7", True, Verdict.GOOD, owns_identity=True, peer=PEER)
    assert refused(stage, caller=caller) == Reply(302, headers=(("Contact", "<sip:4311001@example.org>"),))
    assert called(stage, "sip:bob@example.org") == ["sip:alice@192.0.2.1"]


def test_a_text_message_is_forwarded_by_its_own_kind(stage: Stage) -> None:
    stage.register("alice", "sip:alice@192.0.2.1")
    stage.register("bob", "sip:bob@192.0.2.9")
    kinds = Forward("cfu", (Destination(NUMBER),)), Forward("cfs", (Destination("sip:alice@example.org"),))
    stage.source.change("bob", forwards=kinds)
    make = lambda: stage.call(request=make_request("MESSAGE"))  # noqa: E731 - called anew each time
    assert called(stage, "", make) == ["sip:alice@192.0.2.1"]
