"""Session timers of each leg of a back-to-back user agent (RFC 4028)."""

import pytest

from flows.attempts import SDP
from flows.backtoback import ByHand
from flows.hands import TYPE, of

FAR = ";sst_enable=yes;sst_expires=300;sst_min_timer=120"
NEAR = ";aleg_sst_enable=yes;aleg_sst_expires=600;aleg_sst_min_timer=100;aleg_sst_max_timer=1000"
OURS = ("Session-Expires: 300;refresher=uac", "Require: timer")
THEIRS = ("Session-Expires: 300;refresher=uas", "Require: timer")


def test_the_callee_is_asked_for_a_timer() -> None:
    here = ByHand()

    _, invite = here.invite(FAR, "Supported: timer, replaces", "Session-Expires: 1800")

    assert invite.all("Session-Expires") == ["300"]
    assert invite.all("Min-SE") == ["120"]
    assert invite.all("Supported") == ["replaces", "timer"]


def test_without_timers_of_ours_both_sides_agree_on_theirs() -> None:
    here = ByHand()

    here.connect("", "Supported: timer", "Session-Expires: 1800", answer=THEIRS)

    assert here.bob.requests("INVITE")[0].all("Session-Expires") == ["1800"]
    assert here.alice.answers()[-1].all("Session-Expires") == ["300;refresher=uas"]
    here.run(2000)
    assert here.b2bua.calls


def test_we_refresh_the_callee_at_half_time() -> None:
    here = ByHand()
    here.connect(FAR, answer=OURS)

    here.run(151)
    (update,) = here.bob.requests("UPDATE")
    here.bob.answer(update, 200, *OURS)
    here.run(151)

    assert len(here.bob.requests("UPDATE")) == 2
    assert update.all("Session-Expires") == ["300"]
    assert update.body == b""
    assert here.alice.requests("UPDATE") == []


def test_a_callee_without_update_is_refreshed_by_invite() -> None:
    here = ByHand()
    here.connect(FAR, answer=OURS)

    here.run(151)
    here.bob.answer(here.bob.requests("UPDATE")[0], 405)
    here.run()
    again = here.bob.requests("INVITE")[1]
    assert again.body == SDP
    here.bob.answer(again, 200, *OURS, body=SDP)
    here.run()

    assert here.bob.requests("ACK")[-1].cseq.number == again.cseq.number
    here.run(151)
    assert len(here.bob.requests("INVITE")) == 3
    assert len(here.bob.requests("UPDATE")) == 1


def test_glare_of_a_refresh_is_tried_again() -> None:
    """§14.1: the owner of the Call-ID waits 2.1 to 4 seconds."""
    here = ByHand()
    here.connect(f"{FAR};sst_refresh_method=INVITE", answer=OURS)
    here.run(151)
    here.bob.answer(here.bob.requests("INVITE")[1], 491)

    here.run(2)
    assert len(here.bob.requests("INVITE")) == 2
    here.run(2.2)

    assert len(here.bob.requests("INVITE")) == 3


def test_a_silent_callee_is_given_up_and_so_is_the_caller() -> None:
    here = ByHand()
    here.connect(FAR, answer=OURS)

    here.run(150 + 33)

    assert here.alice.requests("BYE")
    here.alice.answer(here.alice.requests("BYE")[0], 200)
    here.bob.answer(here.bob.requests("BYE")[0], 200)
    here.run(40)
    assert here.is_empty


def test_a_callee_that_does_not_refresh_is_given_up() -> None:
    """§10: a third before the end, at most 32 seconds."""
    here = ByHand()
    here.connect(FAR, answer=THEIRS)

    here.run(267)
    assert here.alice.requests("BYE") == []
    here.run(2)

    assert here.alice.requests("BYE")
    assert here.bob.requests("BYE")


def test_a_callee_refreshes_its_leg_alone() -> None:
    here = ByHand()
    here.connect(FAR, answer=THEIRS)
    here.run(200)

    here.bob.ask("UPDATE", "Supported: timer", "Session-Expires: 300;refresher=uac")
    here.run(200)

    (answer,) = here.bob.answers("UPDATE")
    assert answer.status == 200
    assert answer.all("Session-Expires") == ["300;refresher=uac"]
    assert here.alice.requests("UPDATE") == []
    assert here.alice.requests("BYE") == []


def test_a_callee_wants_longer_intervals() -> None:
    here = ByHand()
    _, invite = here.invite(FAR)

    here.bob.answer(invite, 422, "Min-SE: 900")
    here.run()

    again = here.bob.requests("INVITE")[1]
    assert (again.get("Session-Expires"), again.get("Min-SE")) == ("900", "900")
    assert again.cseq.number == 2
    here.bob.answer(again, 200, "Session-Expires: 900;refresher=uac", body=SDP)
    here.run()
    assert here.alice.statuses() == [200]


def test_a_caller_that_wants_too_short_intervals_is_told() -> None:
    here = ByHand()

    here.alice.invite("P-App-Name: sbc", f"P-App-Param: {NEAR}", "Supported: timer", "Session-Expires: 91")
    here.run()

    (refusal,) = here.alice.answers()
    assert (refusal.status, refusal.get("Min-SE")) == (422, "100")


@pytest.mark.parametrize(
    ("asks", "agreed"),
    [
        ((), []),
        (("Supported: timer",), ["600;refresher=uac"]),
        (("Supported: timer", "Session-Expires: 200"), ["200;refresher=uac"]),
        (("Supported: timer", "Session-Expires: 200;refresher=uas"), ["200;refresher=uas"]),
        (("Supported: timer", "Session-Expires: 5000"), ["1000;refresher=uac"]),
        (("Supported: timer", "Session-Expires: 5000", "Min-SE: 2000"), ["2000;refresher=uac"]),
        (("Session-Expires: 200",), ["200;refresher=uas"]),
    ],
)
def test_what_the_caller_is_answered(asks: tuple[str, ...], agreed: list[str]) -> None:
    """§9, table 2."""
    here = ByHand()

    here.connect(NEAR, *asks)

    answer = here.alice.answers()[-1]
    assert answer.all("Session-Expires") == agreed
    assert ("timer" in answer.all("Require")) == any("uac" in value for value in agreed)
    assert "Session-Expires" not in here.bob.requests("INVITE")[0]


def test_a_new_session_refreshes_both_legs() -> None:
    here = ByHand()
    here.connect(FAR + NEAR, "Supported: timer", answer=OURS)
    here.run(100)

    here.alice.ask("INVITE", TYPE, "Supported: timer", "Session-Expires: 600", body=SDP)
    here.run()
    again = here.bob.requests("INVITE")[1]
    here.bob.answer(again, 200, *OURS, body=SDP)
    here.run()
    here.alice.acknowledge(here.alice.answers()[-1])
    here.run(140)

    assert again.get("Session-Expires") == "300"
    assert here.alice.answers()[-1].get("Session-Expires") == "600;refresher=uac"
    assert of(here.bob.requests("UPDATE"), "CSeq") == []
    here.run(15)
    assert len(here.bob.requests("UPDATE")) == 1
