"""Transfers that the back-to-back user agent executes itself (RFC 3515, RFC 5589)."""

import pytest

from flows.attempts import SDP
from flows.backtoback import B2BUA, ByHand
from flows.hands import Hand
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.profile import Profile

OURS = SDP.replace(b"4000", b"4002")
THEIRS = SDP.replace(b"4000", b"4004")
TO_CAROL = "Refer-To: <sip:carol@example.org>"


class Three(ByHand):
    """Alice in a call to Bob, and Carol, whom the proxy at Bob's address asks."""

    def __init__(self) -> None:
        super().__init__(Configuration(profile=Profile(refer="execute")))
        self.carol = Hand(self.wire, "carol", ("203.0.113.30", 5088), B2BUA)
        self.connect("", "P-Caller-UUID: uuid-of-alice", "P-Callee-UUID: uuid-of-bob")

    @property
    def notices(self) -> list[bytes]:
        """What Alice was told, each acknowledged."""
        return [request.body.partition(b"\r\n")[0] for request in self.alice.requests("NOTIFY")]

    def accept(self, body: bytes = OURS) -> None:
        """Let Carol answer, by the proxy, and Bob take her session."""
        invite = self.bob.requests("INVITE")[1]
        response = invite.reply(200, to_tag="carol-tag")
        response.append("Contact", self.carol.contact)
        response.append("Content-Type", "application/sdp")
        response.body = body
        self.carol._send(bytes(response))
        self.run()


def test_who_is_called_transfers_the_caller() -> None:
    here = Three()

    here.bob.ask("REFER", TO_CAROL)
    here.run()
    invite = here.bob.requests("INVITE")[1]

    assert here.bob.statuses("REFER") == [202]
    assert invite.uri == "sip:carol@example.org"
    assert invite.call_id == "call-of-alice_xfer-1"
    assert invite.body == SDP
    assert invite.first("From").startswith("<sip:bob@example.org>;tag=")
    assert invite.first("P-Caller-UUID") == "uuid-of-bob"
    assert invite.first("Referred-By") == "<sip:bob@example.org>"


def test_a_transfer_connects_both_and_dismisses_who_asked() -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()
    assert here.notices == [b"SIP/2.0 100 Trying"]

    here.accept()
    assert here.carol.requests("ACK")
    offered = here.bob.requests("INVITE")[2]
    assert offered.body == OURS
    here.bob.answer(offered, 200, body=SDP)
    here.run()

    assert here.notices == [b"SIP/2.0 100 Trying", b"SIP/2.0 200 OK"]
    assert here.alice.requests("NOTIFY")[-1].get("Subscription-State") == "terminated;reason=noresource"
    assert here.alice.requests("BYE")
    here.bob.ask("INFO")
    here.run()
    assert here.carol.requests("INFO")[0].to.tag == "carol-tag"
    here.bob.ask("BYE")
    here.run()
    assert here.carol.requests("BYE")
    assert not here.b2bua.calls


def test_who_asked_may_hang_up_at_once() -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()

    here.alice.ask("BYE")
    here.run()
    assert here.alice.statuses("BYE") == [200]
    assert here.bob.requests("BYE") == []
    here.accept()
    here.bob.answer(here.bob.requests("INVITE")[2], 200, body=SDP)
    here.run()

    assert here.bob.requests("BYE") == []
    assert len(here.b2bua.calls) == 1


def test_a_session_that_changes_is_told_to_the_new_party() -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()
    here.accept()

    here.bob.answer(here.bob.requests("INVITE")[2], 200, body=THEIRS)
    here.run()

    (again,) = here.carol.requests("INVITE")
    assert again.body == THEIRS


@pytest.mark.parametrize("is_there", [True, False])
def test_a_transfer_fails_and_the_call_goes_on_if_anybody_is_there(is_there: bool) -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()
    if not is_there:
        here.alice.ask("BYE")
        here.run()

    here.bob._send(bytes(here.bob.requests("INVITE")[1].reply(486, to_tag="x")))
    here.run()

    assert here.notices[1:] == ([b"SIP/2.0 486 Busy Here"] if is_there else [])
    assert bool(here.bob.requests("BYE")) != is_there
    assert len(here.b2bua.calls) == is_there


def test_who_stays_hangs_up_before() -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()
    here.bob._send(bytes(here.bob.requests("INVITE")[1].reply(180, to_tag="carol-tag")))
    here.run()

    here.bob.ask("BYE")
    here.run()

    assert here.bob.requests("CANCEL")
    assert here.alice.requests("BYE")


def test_a_second_transfer_has_to_wait() -> None:
    here = Three()
    here.alice.ask("REFER", TO_CAROL)
    here.run()

    here.alice.ask("REFER", TO_CAROL)
    here.run()

    assert here.alice.statuses("REFER") == [202, 491]


def test_a_transfer_to_nobody_is_refused() -> None:
    here = Three()

    here.alice.ask("REFER", "Refer-To: <mailto:carol@example.org>")
    here.run()
    here.alice.ask("REFER")
    here.run()

    assert here.alice.statuses("REFER") == [400]
    assert len(here.b2bua.calls) == 1


def test_an_attended_transfer_joins_two_calls() -> None:
    """RFC 5589 §7: Alice has Bob in one call and Carol in another, and lets them talk."""
    here = Three()
    dora = Hand(here.wire, "dora", ("192.0.2.11", 5066), B2BUA)  # Alice's other line
    proxy = "P-Proxy-Uri: <sip:203.0.113.30:5088;lr>"
    dora.invite("P-App-Name: sbc", proxy)
    here.run()
    here.carol.answer(here.carol.requests("INVITE")[0], 200, body=OURS)
    here.run()
    dora.acknowledge(dora.answers()[-1])
    here.run()
    named = f"call-of-dora%3Bto-tag%3D{dora.remote.partition('tag=')[2]}%3Bfrom-tag%3Ddora-tag"

    here.alice.ask("REFER", f"Refer-To: <sip:carol@example.org?Replaces={named}>")
    here.run()
    here.carol.answer(here.carol.requests("INVITE")[1], 200, body=OURS)
    here.run()
    assert here.bob.requests("INVITE")[1].body == OURS
    here.bob.answer(here.bob.requests("INVITE")[1], 200, body=SDP)
    here.run()

    assert here.alice.requests("BYE")
    assert dora.requests("BYE")
    assert here.carol.requests("BYE") == here.bob.requests("BYE") == []
    assert len(here.b2bua.calls) == 1
    here.carol.ask("BYE")
    here.run()
    assert here.bob.requests("BYE")
