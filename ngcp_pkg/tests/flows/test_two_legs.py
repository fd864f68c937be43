"""Calls through the back-to-back user agent: what each side does, the other hears (RFC 3261, RFC 7092)."""

from flows.attempts import IS_BUSY, IS_DEAD, RINGS, SDP
from flows.backtoback import B2BUA, CALLEE, CALLER, BackToBack
from ngcp.sip.syntax import Request, Response, parse


def test_a_call_is_answered_and_hung_up_by_the_caller() -> None:
    here = BackToBack()
    call, answered = here.connected()

    bye = call.hang_up()
    here.run(1)

    assert bye.status == 200
    assert answered.is_ended
    here.run(40)
    assert here.is_empty


def test_a_call_is_hung_up_by_the_callee() -> None:
    here = BackToBack()
    call, answered = here.connected()

    bye = answered.hang_up()
    here.run(1)

    assert bye.status == 200
    assert call.received[-1].method == "BYE"
    here.run(40)
    assert here.is_empty


def test_the_callee_is_busy() -> None:
    here = BackToBack(script=IS_BUSY)

    call = here.call()
    here.run(1)

    assert call.status == 486
    here.run(40)
    assert here.is_empty


def test_the_callee_does_not_answer() -> None:
    here = BackToBack(script=IS_DEAD)

    call = here.call()
    here.run(33)

    assert call.status == 408
    here.run(40)
    assert here.is_empty


def test_the_caller_gives_up() -> None:
    """§9: both legs end, each by its own CANCEL."""
    here = BackToBack(script=RINGS)
    call = here.call()
    here.run(1)

    call.cancel()
    here.run(1)

    assert call.status == 487
    assert here.bob.calls[0].is_ended
    here.run(40)
    assert here.is_empty


def test_the_caller_gives_up_as_the_callee_answers() -> None:
    """§9.1: a 2xx that crosses the CANCEL is acknowledged and its dialog ended."""
    here = BackToBack(script=RINGS)
    here.bob.heeds_cancel = False
    call = here.call()
    here.run(1)

    call.cancel()
    here.wire.at(here.wire.now + 0.05, lambda: here.bob._act(here.bob.calls[0], 200))
    here.run(2)

    assert call.status == 487
    assert here.bob.calls[0].is_acknowledged
    assert here.bob.calls[0].is_ended
    here.run(40)
    assert here.is_empty


def test_a_call_does_not_ring_for_ever() -> None:
    """Neither side is there any more, and an INVITE that rings has no timer of its own (§17.1.1)."""
    here = BackToBack(script=RINGS)
    call = here.call()
    here.run(599)
    assert call.status == 180

    here.run(2)

    assert call.status == 408
    assert here.bob.calls[0].is_ended
    here.run(40)
    assert here.is_empty


def test_the_second_leg_is_a_dialog_of_its_own() -> None:
    here = BackToBack()
    call, answered = here.connected()

    invite = answered.invite

    assert invite.call_id == f"{call.call_id}_b2b-1"
    assert invite.from_.tag != call.invite.from_.tag
    assert invite.all("Via") == [invite.first("Via")]
    assert invite.first("Contact") == "<sip:127.0.0.1:5080>"
    assert invite.first("Max-Forwards") == "69"
    assert invite.body == SDP
    assert "P-App-Name" not in invite
    assert "P-Proxy-Uri" not in invite


def test_a_new_offer_reaches_the_other_side() -> None:
    here = BackToBack()
    call, answered = here.connected()

    again = call.request("INVITE", SDP)
    here.run(1)

    assert again.status == 200
    assert answered.received[-1].method == "INVITE"
    assert answered.received[-1].body == SDP


def test_options_are_answered() -> None:
    here = BackToBack()

    attempt = here.alice.send_request("OPTIONS", "sip:127.0.0.1:5080")
    here.run(1)

    assert attempt.status == 200


def test_a_call_for_an_unknown_application_is_refused() -> None:
    here = BackToBack()

    call = here.alice.call("bob", extra=("P-App-Name: nothing",))
    here.run(1)

    assert call.status == 404


def test_a_call_ends_after_its_longest_time() -> None:
    here = BackToBack()
    call, answered = here.connected(";calltimer=30;sst_enable=no")

    here.run(31)

    assert call.received[-1].method == answered.received[-1].method == "BYE"
    here.run(40)
    assert here.is_empty


def test_messages_cross_the_user_agent_alone() -> None:
    here = BackToBack()
    here.connected()

    assert all(B2BUA in (packet.source, packet.destination) for packet in here.wire.packets)
    for message in here.sent_to(CALLER):
        assert isinstance(message, Request | Response)
        assert CALLEE[0] not in str(parse(bytes(message)).lines)
