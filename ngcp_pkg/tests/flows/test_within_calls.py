"""What both sides say to each other within a call, through a back-to-back user agent (RFC 3261 §14, §15)."""

import pytest

from flows.attempts import SDP
from flows.backtoback import CALLEE, CALLER, ByHand
from flows.hands import TYPE, of
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.profile import Profile

HELD = SDP + b"a=sendonly\r\n"


@pytest.fixture
def here() -> ByHand:
    """Return a call that is answered."""
    made = ByHand()
    made.connect()
    return made


@pytest.mark.parametrize(
    ("method", "lines", "body"),
    [
        ("INFO", ("Content-Type: application/dtmf-relay",), b"Signal=1"),
        ("UPDATE", (TYPE,), SDP),
        ("MESSAGE", ("Content-Type: text/plain",), b"hello"),
        ("NOTIFY", ("Event: talk", "Subscription-State: active"), b""),
        ("OPTIONS", (), b""),
    ],
)
def test_a_request_reaches_the_other_side(
    here: ByHand, method: str, lines: tuple[str, ...], body: bytes
) -> None:
    here.alice.ask(method, *lines, body=body)
    here.run()
    (request,) = here.bob.requests(method)
    here.bob.answer(request, 200, "Warning: 399 h x")
    here.run()

    assert request.body == body
    assert request.call_id.endswith("_b2b-1")
    for line in lines:
        name, value = line.split(": ")
        assert request.first(name) == value
    (answer,) = here.alice.answers(method)
    assert (answer.status, answer.get("Warning")) == (200, "399 h x")


def test_a_request_of_the_callee_reaches_the_caller(here: ByHand) -> None:
    here.bob.ask("INFO", body=b"x")
    here.run()

    (request,) = here.alice.requests("INFO")
    assert (request.call_id, request.to.tag) == ("call-of-alice", "alice-tag")


def test_a_method_that_does_not_pass_is_refused(here: ByHand) -> None:
    here.alice.ask("SUBSCRIBE", "Event: dialog")
    here.run()

    (answer,) = here.alice.answers("SUBSCRIBE")
    assert answer.status == 405
    assert "UPDATE" in answer.all("Allow")
    assert here.bob.requests("SUBSCRIBE") == []


def test_hold_and_resume(here: ByHand) -> None:
    for session in (HELD, SDP):
        here.alice.invite(body=session)
        here.run()
        again = here.bob.requests("INVITE")[-1]
        assert again.body == session
        here.bob.answer(again, 200, body=session.replace(b"sendonly", b"recvonly"))
        here.run()
        answer = here.alice.answers()[-1]
        assert answer.body == session.replace(b"sendonly", b"recvonly")
        here.alice.acknowledge(answer)
        here.run()

    assert len(here.bob.requests("ACK")) == 3


def test_both_sides_offer_at_the_same_time(here: ByHand) -> None:
    """§14.1, §14.2: each is told 491 and tries again; who is first then is answered."""
    here.alice.invite(body=HELD)
    here.bob.invite(body=HELD)
    here.run()

    assert here.alice.statuses()[-1] == 200  # of the call itself: nothing yet
    assert here.bob.statuses() == [491]
    here.bob.answer(here.bob.requests("INVITE")[1], 491)
    here.run()
    assert here.alice.statuses()[-1] == 491
    here.bob.invite(body=HELD)
    here.run()
    here.alice.answer(here.alice.requests("INVITE")[0], 200, body=SDP)
    here.run()

    assert here.bob.statuses() == [491, 200]


def test_a_second_offer_before_the_first_is_answered_has_to_wait(here: ByHand) -> None:
    """§14.2."""
    here.alice.invite(body=HELD)
    here.run()
    here.alice.invite(body=SDP)
    here.run()

    assert here.alice.answers()[-1].status == 500
    assert here.alice.answers()[-1].get("Retry-After") == "2"
    assert len(here.bob.requests("INVITE")) == 2


def test_an_offer_is_not_made_before_the_call_is_acknowledged() -> None:
    here = ByHand()
    _, invite = here.invite()
    here.bob.answer(invite, 200, body=SDP)
    here.run()

    here.bob.invite(body=HELD)
    here.run()

    assert here.bob.statuses() == [491]


def test_a_new_offer_is_refused_and_the_call_goes_on(here: ByHand) -> None:
    here.alice.invite(body=HELD)
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 488)
    here.run()

    assert here.alice.statuses() == [200, 488]
    assert len(here.b2bua.calls) == 1
    here.alice.invite(body=HELD)
    here.run()
    assert len(here.bob.requests("INVITE")) == 3


def test_a_new_offer_is_taken_back(here: ByHand) -> None:
    again = here.alice.invite(body=HELD)
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 180)
    here.run()

    here.alice.cancel(again)
    here.run()
    (cancel,) = here.bob.requests("CANCEL")
    here.bob.answer(cancel, 200)
    here.bob.answer(here.bob.requests("INVITE")[1], 487)
    here.run()

    assert here.alice.statuses()[-1] == 487
    assert len(here.b2bua.calls) == 1


def test_the_other_side_offers_when_asked_to(here: ByHand) -> None:
    """§14.1: an INVITE without offer; the answer is in the ACK."""
    here.alice.invite(body=b"")
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 200, body=HELD)
    here.run()
    assert len(here.bob.requests("ACK")) == 1

    here.alice.acknowledge(here.alice.answers()[-1], SDP)
    here.run()

    assert here.bob.requests("ACK")[-1].body == SDP


def test_a_call_without_offer_is_offered_to_and_answers_in_its_ack() -> None:
    """§13.2.1."""
    here = ByHand()
    _, invite = here.invite(body=b"")
    here.bob.answer(invite, 200, body=SDP)
    here.run()
    assert here.bob.requests("ACK") == []

    here.alice.acknowledge(here.alice.answers()[-1], HELD)
    here.run()

    (ack,) = here.bob.requests("ACK")
    assert ack.body == HELD
    assert ack.get("Content-Type") == "application/sdp"


def test_a_callee_that_knows_the_call_no_more_ends_it(here: ByHand) -> None:
    """§12.2.1.2: 481 to anything ends the dialog, and so the call."""
    here.alice.ask("INFO")
    here.run()

    here.bob.answer(here.bob.requests("INFO")[0], 481)
    here.run()

    assert here.alice.statuses("INFO") == [481]
    assert here.alice.requests("BYE")
    assert here.bob.requests("BYE")


def test_a_callee_that_hangs_up_before_the_caller_acknowledged() -> None:
    """§15: who was called sends no BYE before the ACK came."""
    here = ByHand()
    _, invite = here.invite()
    here.bob.answer(invite, 200, body=SDP)
    here.run()

    here.bob.ask("BYE")
    here.run()
    assert here.bob.statuses("BYE") == [200]
    assert here.alice.requests("BYE") == []
    here.alice.acknowledge(here.alice.answers()[-1])
    here.run()

    (bye,) = here.alice.requests("BYE")
    here.alice.answer(bye, 200)
    here.run(40)
    assert here.is_empty


def test_a_caller_that_never_acknowledges_loses_the_call() -> None:
    """§13.3.1.4: 64 T1, then BYE to both."""
    here = ByHand()
    _, invite = here.invite()
    here.bob.answer(invite, 200, body=SDP)

    here.run(33)

    assert here.alice.requests("BYE")
    assert here.bob.requests("BYE")


def test_a_caller_hangs_up_while_it_rings() -> None:
    """§15.1.1: a caller may end an early dialog by BYE."""
    here = ByHand()
    _, invite = here.invite()
    here.bob.answer(invite, 180)
    here.run()
    here.alice.take(here.alice.answers()[0])

    here.alice.ask("BYE")
    here.run()

    assert here.alice.statuses("BYE") == [200]
    assert here.alice.statuses() == [180, 487]
    assert here.bob.requests("CANCEL")


def test_why_a_call_ended_is_told(here: ByHand) -> None:
    """RFC 3326."""
    here.alice.ask("BYE", 'Reason: Q.850;cause=16;text="x"')
    here.run()

    assert of(here.bob.requests("BYE"), "Reason") == ['Q.850;cause=16;text="x"']


def test_an_old_request_is_refused(here: ByHand) -> None:
    """§12.2.2."""
    here.alice.ask("INFO", number=1)
    here.run()

    assert here.alice.statuses("INFO") == [500]
    assert here.bob.requests("INFO") == []


def test_a_request_of_no_call_is_refused(here: ByHand) -> None:
    here.alice.remote = "<sip:bob@example.org>;tag=unknown"

    here.alice.ask("INFO")
    here.run()

    assert here.alice.statuses("INFO") == [481]


def test_a_new_address_of_the_callee_is_heeded(here: ByHand) -> None:
    """§12.2: the target follows the Contact of the answer to a new INVITE."""
    here.alice.invite(body=HELD)
    here.run()
    here.bob.contact = "<sip:bob@198.51.100.20:5077;line=2>"
    here.bob.answer(here.bob.requests("INVITE")[1], 200, body=SDP)
    here.run()
    here.alice.acknowledge(here.alice.answers()[-1])

    here.alice.ask("INFO")
    here.run()

    assert here.bob.requests("INFO")[0].uri == "sip:bob@198.51.100.20:5077;line=2"


def test_a_transfer_is_passed_on(here: ByHand) -> None:
    """RFC 3515: REFER and its NOTIFYs."""
    here.alice.ask("REFER", "Refer-To: <sip:carol@example.org>", "Referred-By: <sip:alice@example.org>")
    here.run()
    (refer,) = here.bob.requests("REFER")
    here.bob.answer(refer, 202)
    here.bob.ask(
        "NOTIFY", f"Event: refer;id={refer.cseq.number}", "Subscription-State: active", body=b"SIP/2.0 100"
    )
    here.run()

    assert refer.first("Refer-To") == "<sip:carol@example.org>"
    assert here.alice.statuses("REFER") == [202]
    (notify,) = here.alice.requests("NOTIFY")
    assert (notify.get("Event"), notify.body) == ("refer", b"SIP/2.0 100")


@pytest.mark.parametrize("configured", [True, False])
def test_a_transfer_is_refused_where_none_is_wanted(configured: bool) -> None:
    profile = Profile(refer="refuse") if configured else Profile()
    here = ByHand(Configuration(profile=profile))
    here.connect("" if configured else ";refer=refuse")

    here.alice.ask("REFER", "Refer-To: <sip:carol@example.org>")
    here.run()

    assert here.alice.statuses("REFER") == [603]
    assert here.bob.requests("REFER") == []


def test_a_dialog_to_be_replaced_goes_by_the_name_that_the_other_side_knows(here: ByHand) -> None:
    """RFC 3891: Alice names her call to Bob; Bob knows it by the other leg."""
    known = here.bob.requests("INVITE")[0]
    named = f"call-of-alice;to-tag={here.alice.remote.partition('tag=')[2]};from-tag=alice-tag"

    here.alice.ask(
        "REFER", f"Refer-To: <sip:bob@example.org?Replaces={named.replace(';', '%3B').replace('=', '%3D')}>"
    )
    here.run()
    refer = here.bob.requests("REFER")[0]

    assert refer.first("Refer-To") == (
        f"<sip:bob@example.org?Replaces={known.call_id}%3Bto-tag%3Dbob-tag%3Bfrom-tag%3D{known.from_.tag}>"
    )
    lines = ("P-App-Name: sbc", f"P-Proxy-Uri: <sip:{CALLEE[0]}:{CALLEE[1]};lr>")
    here.alice.target, here.alice.remote, here.alice.call_id = "", "<sip:bob@example.org>", "second"
    here.alice.invite(*lines, f"Replaces: {named}")
    here.run()
    assert here.bob.requests("INVITE")[1].first("Replaces") == (
        f"{known.call_id};to-tag=bob-tag;from-tag={known.from_.tag}"
    )


def test_neither_side_sees_the_other(here: ByHand) -> None:
    here.alice.ask("UPDATE", TYPE, body=b"")
    here.run()
    here.bob.answer(here.bob.requests("UPDATE")[0], 200)
    here.run()
    here.bob.ask("BYE")
    here.run()

    for packet in here.wire.sent_to(CALLEE):
        assert CALLER[0] not in packet.text
        assert "alice-tag" not in packet.text
    for packet in here.wire.sent_to(CALLER):
        assert CALLEE[0] not in packet.text.partition("\r\n\r\n")[0]
        assert "bob-tag" not in packet.text
        assert "_b2b-1" not in packet.text
