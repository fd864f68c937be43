"""Provisional answers with PRACK through the back-to-back user agent (RFC 3262)."""

from flows.attempts import SDP
from flows.backtoback import ByHand
from flows.hands import of

RELIABLE = ("Require: 100rel", "RSeq: 4711")


def test_a_reliable_answer_is_passed_on_with_its_prack() -> None:
    here = ByHand()
    _, invite = here.invite("", "Supported: 100rel")
    assert "100rel" in invite.all("Supported")

    here.bob.answer(invite, 183, *RELIABLE, body=SDP)
    here.run()
    (early,) = here.alice.answers()
    assert (early.status, early.get("Require"), early.get("RSeq")) == (183, "100rel", "1")
    here.alice.take(early)
    here.alice.ask("PRACK", "RAck: 1 1 INVITE")
    here.run()
    (prack,) = here.bob.requests("PRACK")
    assert prack.get("RAck") == "4711 1 INVITE"
    assert prack.to.tag == "bob-tag"
    here.bob.answer(prack, 200)
    here.run()

    assert here.alice.statuses("PRACK") == [200]
    here.run(3)
    assert here.alice.statuses() == [183]
    assert len(here.alice.answers()) == 1


def test_a_reliable_answer_is_sent_until_its_prack_comes() -> None:
    """§3: again after T1, twice T1 …, and the call fails after 64 T1."""
    here = ByHand()
    _, invite = here.invite("", "Supported: 100rel")

    here.bob.answer(invite, 183, *RELIABLE)
    here.run(3.6)
    assert here.alice.statuses() == [183]
    assert len(here.alice.answers()) == 4
    here.run(32)

    assert here.alice.statuses() == [183, 504]
    assert here.bob.requests("CANCEL")


def test_a_reliable_answer_sent_again_is_not_passed_on_again() -> None:
    here = ByHand()
    _, invite = here.invite("", "Supported: 100rel")

    for _ in range(3):
        here.bob.answer(invite, 183, *RELIABLE)
        here.run()

    assert len(here.alice.answers()) == 1


def test_a_caller_without_prack_is_spared_it() -> None:
    """The callee insists on 100rel although nobody offered it: we acknowledge by ourselves."""
    here = ByHand()
    _, invite = here.invite()

    here.bob.answer(invite, 183, *RELIABLE, body=SDP)
    here.run()

    (early,) = here.alice.answers()
    assert "RSeq" not in early
    assert "Require" not in early
    assert early.body == SDP
    assert of(here.bob.requests("PRACK"), "RAck") == ["4711 1 INVITE"]


def test_prack_is_hidden_from_a_callee() -> None:
    here = ByHand()

    _, invite = here.invite(";disable_prack_method=yes", "Supported: 100rel, replaces")

    assert invite.all("Supported") == ["replaces"]


def test_a_caller_who_insists_gets_reliable_answers_of_our_own() -> None:
    here = ByHand()
    _, invite = here.invite(";disable_prack_method=yes", "Require: 100rel")
    assert "Require" not in invite

    here.bob.answer(invite, 180)
    here.run()
    (ringing,) = here.alice.answers()
    assert ringing.get("Require") == "100rel"
    here.alice.take(ringing)
    here.bob.answer(invite, 200, body=SDP)
    here.run()
    assert here.alice.statuses() == [180]  # the 200 waits for the PRACK
    here.alice.ask("PRACK", f"RAck: {ringing.get('RSeq')} 1 INVITE")
    here.run()

    assert here.alice.statuses("PRACK") == [200]
    assert here.alice.statuses() == [180, 200]
    assert here.bob.requests("PRACK") == []


def test_a_caller_who_gives_up_instead_of_acknowledging() -> None:
    """The callee answered meanwhile: its call is ended, and the caller hears 487 (RFC 3262 §3)."""
    here = ByHand()
    invite_of_alice, invite = here.invite(";disable_prack_method=yes", "Require: 100rel")
    here.bob.answer(invite, 180)
    here.bob.answer(invite, 200, body=SDP)
    here.run()

    here.alice.cancel(invite_of_alice)
    here.run()

    assert here.alice.statuses() == [180, 487]
    assert here.bob.requests("ACK")
    assert here.alice.requests("BYE") == []
    here.bob.answer(here.bob.requests("BYE")[0], 200)
    here.alice.ask("ACK", number=1)
    here.run(40)
    assert not here.b2bua.calls
    assert not here.b2bua.agent.legs


def test_a_prack_that_acknowledges_nothing_is_refused() -> None:
    here = ByHand()
    _, invite = here.invite("", "Supported: 100rel")
    here.bob.answer(invite, 183, *RELIABLE)
    here.run()
    here.alice.take(here.alice.answers()[0])

    here.alice.ask("PRACK", "RAck: 9 1 INVITE")
    here.run()
    here.alice.ask("PRACK", "RAck: nonsense")
    here.run()

    assert here.alice.statuses("PRACK") == [481, 400]
