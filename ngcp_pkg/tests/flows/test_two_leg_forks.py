"""Several phones ring behind the callee, each an early dialog of its own (RFC 3261 §12.1, §13.2.2.4)."""

from flows.attempts import SDP
from flows.backtoback import ByHand
from flows.hands import of


def test_each_phone_that_rings_is_another_one_for_the_caller() -> None:
    here = ByHand()
    _, invite = here.invite()

    for tag in ("desk", "mobile", "desk"):
        here.bob.answer(invite, 180, tag=tag)
        here.run()

    tags = [answer.to.tag for answer in here.alice.answers()]
    assert tags[0] == tags[2] != tags[1]
    assert not {"desk", "mobile"} & set(tags)


def test_the_phone_that_answers_is_the_one_that_rang() -> None:
    here = ByHand()
    _, invite = here.invite()
    for tag in ("desk", "mobile"):
        here.bob.answer(invite, 183, tag=tag, body=SDP)
        here.run()
    early = [answer.to.tag for answer in here.alice.answers()]

    here.bob.answer(invite, 200, tag="mobile", body=SDP)
    here.run()

    assert here.alice.answers()[-1].to.tag == early[1]
    here.alice.acknowledge(here.alice.answers()[-1])
    here.alice.ask("INFO")
    here.run()
    assert here.bob.requests("INFO")[0].to.tag == "mobile"
    assert len(here.b2bua.agent.legs) == 2


def test_who_answers_second_is_hung_up_on() -> None:
    """§13.2.2.4: a further 2xx is acknowledged, and its dialog ended."""
    here = ByHand()
    _, invite = here.invite()

    here.bob.answer(invite, 200, tag="desk", body=SDP)
    here.bob.answer(invite, 200, tag="mobile", body=SDP)
    here.bob.answer(invite, 200, tag="mobile", body=SDP)
    here.run()

    assert [bye.to.tag for bye in here.bob.requests("BYE")] == ["mobile"]
    assert {ack.to.tag for ack in here.bob.requests("ACK")} == {"desk", "mobile"}
    assert here.alice.statuses() == [200]
    assert len(here.alice.answers()) == 1


def test_a_request_to_one_of_the_ringing_phones_reaches_it() -> None:
    """RFC 3311: UPDATE in an early dialog."""
    here = ByHand()
    _, invite = here.invite()
    for tag in ("desk", "mobile"):
        here.bob.answer(invite, 180, tag=tag)
        here.run()

    here.alice.take(here.alice.answers()[0])
    here.alice.ask("UPDATE")
    here.run()

    assert here.bob.requests("UPDATE")[0].to.tag == "desk"


def test_many_phones_ring_and_all_fail() -> None:
    here = ByHand()
    _, invite = here.invite()
    for number in range(80):
        here.bob.answer(invite, 180, tag=f"phone-{number}")
    here.run()
    assert len(here.b2bua.agent.legs) <= 2 * 64

    here.bob.answer(invite, 480)
    here.run(40)

    assert here.alice.statuses() == [180, 480]
    assert here.is_empty


def test_a_redirection_is_passed_on() -> None:
    """§21.3: the caller's side decides what to make of it."""
    here = ByHand()
    _, invite = here.invite()

    here.bob.answer(invite, 302, "Contact: <sip:carol@example.org>;q=0.5", "Contact: <tel:+431>")
    here.run()

    (answer,) = here.alice.answers()
    assert answer.status == 302
    assert answer.all("Contact") == ["<sip:carol@example.org>;q=0.5", "<tel:+431>"]


def test_a_ringing_answer_without_a_tag_is_passed_on() -> None:
    here = ByHand()
    _, invite = here.invite()

    response = invite.reply(181)
    here.bob._send(bytes(response))
    here.run()

    assert here.alice.statuses() == [181]
    assert of(here.alice.answers(), "Contact") == ["<sip:127.0.0.1:5080>"]
