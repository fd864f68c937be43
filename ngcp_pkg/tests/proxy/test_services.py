"""What can be dialled beside numbers: service codes, speed dial, and PINs that open block lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.provisioning.runtime import RewriteRule
from ngcp.proxy.call import Call, Routed
from ngcp.proxy.codes import USUAL, Codes, Dialled, ServiceCodes
from ngcp.proxy.stations import CONTINUATIONS
from ngcp.sip.core.decision import Reply
from ngcp.sip.syntax import Response
from proxy.stage import Stage, make_request

OFFLINE = Reply(480, "Offline")
EMPTY = Reply(484, "Speed-Dial slot empty")
B2BUA = ("127.0.0.1", 5080)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def dial(stage: Stage, number: str, domain: str = "example.org") -> object:
    return stage.decide(lambda: stage.call(request=make_request("INVITE", f"sip:{number}@{domain}")))


def served(stage: Stage, code: str) -> Call:
    return stage.routed(lambda: stage.call(request=make_request("INVITE", f"sip:{code}@example.org")))


@pytest.mark.parametrize(
    "code",
    ["*72*4311002", "%2372", "*90*0664", "%2390%23", "*31*", "%2331%23", "%2388", "*55*0630", "*50*31*5"],
)
def test_code_goes_to_the_element_that_serves_it(stage: Stage, code: str) -> None:
    stage.give("alice", language="de")
    call = served(stage, code)
    assert call.attempt is not None
    (target,) = call.attempt.targets
    assert (target.uri, target.flow.remote) == (f"sip:{code}@example.org", B2BUA)
    assert call.attempt.request.all("P-Caller-UUID") == ["uuid-alice"]
    assert call.attempt.request.all("P-Language") == ["de"]
    assert call.attempt.media.offer["direction"] == ["default", "int"]


@pytest.mark.parametrize("code", ["*11*5", "*727", "%23", "*", "72*5", "*72x"])
def test_no_code(stage: Stage, code: str) -> None:
    assert dial(stage, code) == Reply(404, "Not Found")


def test_codes_are_the_operators_to_choose() -> None:
    codes = Codes.of(ServiceCodes(cfu="21", cfb=""), "81")
    assert codes.read("*21*5") == Dialled("cfu", is_on=True, number="5")
    assert codes.read("*72*5") is codes.read("*90*5") is None
    assert codes.override.fullmatch("*81*1234*5") and not codes.override.fullmatch("*80*1234*5")
    with pytest.raises(ValueError, match="digits"):
        ServiceCodes(cfu="7x")
    with pytest.raises(ValueError, match="different"):
        ServiceCodes(cfu="90")


@pytest.mark.parametrize(
    ("dialled", "code"),
    [
        ("*72*0664", Dialled("cfu", True, number="0664")),
        ("*72*+43664#", Dialled("cfu", True, number="+43664")),
        ("#72", Dialled("cfu", False)),
        ("#72#", Dialled("cfu", False)),
        ("*92*20*0664", Dialled("cft", True, seconds="20", number="0664")),
        ("*92*0664", Dialled("cft", True, is_complete=False)),
        ("*50*30664", Dialled("speed_dial", True, slot="*3", number="0664")),
        ("*50*3*0664", Dialled("speed_dial", True, slot="*3", number="0664")),
        ("#50*3", Dialled("speed_dial", False, slot="*3")),
        ("#50", Dialled("speed_dial", False, is_complete=False)),
        ("*55*0630", Dialled("reminder", True, time="0630")),
        ("*55*2430", Dialled("reminder", True, is_complete=False)),
        ("*31*", Dialled("clir", True)),
        ("*31", Dialled("clir", True)),
        ("#31#", Dialled("clir", False)),
        ("*31*5", Dialled("clir", True, is_complete=False)),
        ("#99#", Dialled("forwards", False)),
        ("#88", Dialled("all", False)),
        ("*88*", Dialled("all", True, is_complete=False)),
        ("*72*sip:x", Dialled("cfu", True, is_complete=False)),
        ("*72", Dialled("cfu", True, is_complete=False)),
    ],
)
def test_what_was_dialled(dialled: str, code: Dialled) -> None:
    assert USUAL.read(dialled) == code


@given(st.text(alphabet="*#0123456789+x", max_size=30))
def test_anything_may_be_dialled(dialled: str) -> None:
    code = USUAL.read(dialled)
    assert code is None or code.is_complete or not (code.number or code.slot or code.seconds or code.time)


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("*72*0664123", ";service=cfu;state=on;number=43664123;domain=example.org"),
        ("*92*20*0664123", ";service=cft;state=on;number=43664123;domain=example.org;seconds=20"),
        ("*50*30664123", ";service=speed_dial;state=on;number=43664123;domain=example.org;slot=*3"),
        ("*55*0630", ";service=reminder;state=on;time=0630"),
        ("%2372%23", ";service=cfu;state=off"),
        ("*72*", ";service=cfu;state=error"),
    ],
)
def test_code_is_told_with_the_number_that_is_meant(stage: Stage, code: str, order: str) -> None:
    stage.give("alice", rewrite_callee_in_dpid="3")
    stage.share(dialplans={3: (RewriteRule("^0([1-9].*)$", r"43\1"),)})
    call = served(stage, code)
    assert call.attempt is not None
    assert call.attempt.request.first("P-App-Name") == "vsc"
    assert call.attempt.request.first("P-App-Param") == order


def test_codes_may_be_refused(stage: Stage) -> None:
    stage.give("alice", reject_vsc="1")
    assert dial(stage, "*72*5") == Reply(403, "Forbidden")


def test_what_a_phone_says_of_its_uuid_is_not_passed_on(stage: Stage) -> None:
    request = make_request("INVITE", "sip:*72*5@example.org", "P-Caller-UUID: uuid-bob")
    call = stage.routed(lambda: stage.call(request=request))
    assert call.attempt is not None
    assert call.attempt.request.all("P-Caller-UUID") == ["uuid-alice"]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(503, Reply(480, "Temporarily Unavailable")), (408, Reply(480, "Temporarily Unavailable"))],
)
def test_nobody_serves_codes(stage: Stage, status: int, answer: Reply) -> None:
    assert stage.proceed(served(stage, "*72*5"), status) == answer


def test_a_code_that_was_wrong_is_the_callers_to_know(stage: Stage) -> None:
    call = served(stage, "*72*5")
    assert [each(call, Response(484), stage.floor) for each in CONTINUATIONS[:1]] == [None]


# Speed dial


@pytest.mark.parametrize(
    ("slots", "slot", "outcome"),
    [
        ({"*1": "sip:4311002@example.org"}, "*1", OFFLINE),
        ({"*1": "sip:4311002@example.org"}, "*2", EMPTY),
        ({"*1": "sip:joe@elsewhere.example"}, "*1", Reply(403, "Relaying denied")),
        ({"*1": "broken"}, "*1", EMPTY),
        ({}, "*0", EMPTY),
        ({"*1": "sip:4311002@example.org"}, "*12", Reply(404, "Not Found")),
    ],
)
def test_speed_dial(stage: Stage, slots: dict[str, str], slot: str, outcome: Reply) -> None:
    stage.change("alice", speed_dials=slots)
    assert dial(stage, slot) == outcome


def test_speed_dial_of_a_slot_that_an_operator_added(stage: Stage) -> None:
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.change("alice", speed_dials={"#7": "sip:4311002@example.org"})
    call = stage.routed(lambda: stage.call(request=make_request(uri="sip:%237@example.org")))
    assert call.callee.subscriber is not None
    assert call.callee.subscriber.username == "bob"


def test_speed_dial_does_not_pass_block_lists(stage: Stage) -> None:
    stage.change("alice", speed_dials={"*1": "sip:4311002@example.org"})
    stage.give("alice", block_out_list=("4311002",))
    assert dial(stage, "*1") == Reply(403, "Blocked by Caller")


# PINs


@pytest.mark.parametrize(
    ("dialled", "wishes", "is_open"),
    [
        ("*80*1234*011002", {"block_out_list": "43*", "block_out_override_pin": "1234"}, True),
        ("*80*9999*011002", {"block_out_list": "43*", "block_out_override_pin": "1234"}, False),
        ("*80*1234*011002", {"block_out_list": "43*"}, False),
        ("*80*1234*011002", {"adm_block_out_list": "43*", "block_out_override_pin": "1234"}, False),
        ("*80*5678*011002", {"adm_block_out_list": "43*", "adm_block_out_override_pin": "5678"}, True),
        ("*80*5678*011002", {"block_out_list": "43*", "adm_block_out_override_pin": "5678"}, True),
        ("*80*9999*011002", {}, True),
    ],
)
def test_pin(stage: Stage, dialled: str, wishes: dict[str, str], is_open: bool) -> None:
    """What follows the PIN is dialled as any number is."""
    stage.share(dialplans={1: (RewriteRule(r"^0(\d+)$", r"43\1"),)})
    stage.give("alice", rewrite_callee_in_dpid="1", **wishes)
    outcome = dial(stage, dialled)
    assert isinstance(outcome, Reply)
    if is_open:
        assert outcome == OFFLINE
    else:
        assert outcome.status == 403
        assert "PIN" in (outcome.reason or "")


def test_without_a_pin_the_list_holds(stage: Stage) -> None:
    stage.give("alice", block_out_list="43*", block_out_override_pin="1234")
    assert dial(stage, "4311002") == Reply(403, "Blocked by Caller")


def test_codes_are_for_subscribers_in_their_own_domain(stage: Stage) -> None:
    assert dial(stage, "*72*5", "elsewhere.example") == Reply(403, "Relaying denied")
    outcome = stage.decide(lambda: stage.gather(make_request("INVITE", "sip:*72*5@example.org")))
    assert not isinstance(outcome, Routed)
