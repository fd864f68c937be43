"""Two parties that an operator connects (RFC 3725), and what becomes of it when one does not want to."""

import random

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, SDP, Script
from flows.backtoback import B2BUA
from flows.hands import Hand
from flows.phones import Phone
from flows.wire import Meddler, Wire
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.core import B2bua
from ngcp.b2bua.dial import Order
from ngcp.service.endpoint import Endpoint
from ngcp.sip.core.challenge import Secret

PROXY = ("127.0.0.1", 5062)
ALICE, BOB = ("192.0.2.10", 5066), ("198.51.100.20", 5077)
OURS = SDP.replace(b"4000", b"4002")
THEIRS = SDP.replace(b"4000", b"4004")
ASKS = 'Proxy-Authenticate: Digest realm="example.org", nonce="n1", qop="auth"'
ORDER = Order(
    "sip:alice@example.org",
    "sip:bob@example.org",
    "sip:alice@example.org",
    "sip:bob@example.org",
    Secret("alice", "secret", "example.org"),
)


class ByHand:
    """Both INVITEs come to a proxy that says what the test has it say."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.b2bua = B2bua(Configuration(), self.wire.ids("b2"))
        self.wire.attach(self.b2bua, "udp", B2BUA)
        self.alice = Hand(self.wire, "alice", PROXY, B2BUA)
        self.bob = Hand(self.wire, "bob", BOB, B2BUA)
        self.call = self.b2bua.dial(ORDER, self.wire.now)
        self.run()

    def run(self, seconds: float = 0.1) -> None:
        self.wire.run(seconds)

    def first_answers(self, body: bytes = OURS) -> None:
        self.alice.answer(self.alice.requests("INVITE")[0], 200, body=body)
        self.run()

    def second_answers(self) -> None:
        """Let Bob answer from his own address: from then on, what is said to him goes there."""
        response = self.alice.requests("INVITE")[1].reply(200, to_tag="bob-tag")
        response.append("Contact", self.bob.contact)
        response.append("Content-Type", "application/sdp")
        response.body = THEIRS
        self.alice._send(bytes(response))
        self.run()

    def connect(self) -> None:
        self.first_answers()
        self.second_answers()
        self.alice.answer(self.alice.requests("INVITE")[2], 200, body=OURS)
        self.run()

    @property
    def is_empty(self) -> bool:
        return not (self.b2bua.calls or self.b2bua.agent.legs or self.b2bua.transactions)


def test_the_first_one_is_asked_for_its_session() -> None:
    here = ByHand()

    (invite,) = here.alice.requests("INVITE")

    assert invite.uri == "sip:alice@example.org"
    assert invite.first("From").startswith("<sip:alice@example.org>;tag=")
    assert invite.first("To") == "<sip:alice@example.org>"
    assert invite.first("P-App-Name") == "click2dial"
    assert invite.body == b""


def test_a_challenge_of_the_proxy_is_answered() -> None:
    here = ByHand()

    here.alice.answer(here.alice.requests("INVITE")[0], 407, ASKS)
    here.run()
    again = here.alice.requests("INVITE")[1]

    assert 'username="alice"' in again.first("Proxy-Authorization")
    assert 'realm="example.org"' in again.first("Proxy-Authorization")
    assert len(here.b2bua.calls) == 1


def test_the_first_one_waits_while_the_second_is_called() -> None:
    """RFC 3725 §4.1: a 200 cannot wait for a phone that rings."""
    here = ByHand()

    here.first_answers()

    (ack,) = here.alice.requests("ACK")
    assert b"a=inactive" in ack.body
    assert b"m=audio 9 RTP/AVP 8" in ack.body
    invite = here.alice.requests("INVITE")[1]
    assert invite.uri == invite.to.address == "sip:bob@example.org"
    assert invite.first("From").startswith("<sip:alice@example.org>;tag=")
    assert invite.body == OURS


def test_both_are_joined() -> None:
    here = ByHand()
    here.first_answers()
    here.second_answers()
    assert here.bob.requests("ACK")
    offered = here.alice.requests("INVITE")[2]
    assert offered.body == THEIRS

    here.alice.answer(offered, 200, body=OURS)
    here.run()

    assert len(here.alice.requests("ACK")) == 2
    assert here.bob.requests("INVITE") == []  # it knows that session
    (listed,) = here.b2bua.calls.describe(here.wire.now, 0, 10)
    assert isinstance(listed, dict)
    assert (listed["id"], listed["application"], listed["state"]) == (here.call, "click2dial", "answered")


def test_a_session_that_changes_is_told_to_the_second() -> None:
    here = ByHand()
    here.first_answers()
    here.second_answers()

    here.alice.answer(here.alice.requests("INVITE")[2], 200, body=SDP)
    here.run()

    (again,) = here.bob.requests("INVITE")
    assert again.body == SDP


def test_one_holds_the_other() -> None:
    here = ByHand()
    here.connect()

    here.alice.invite(body=SDP + b"a=sendonly\r\n")
    here.run()
    (held,) = here.bob.requests("INVITE")
    here.bob.local, here.bob.remote = held.first("To"), held.first("From")
    here.bob.answer(held, 200, body=THEIRS + b"a=recvonly\r\n")
    here.run()

    assert held.body.endswith(b"a=sendonly\r\n")
    assert here.alice.answers()[-1].body.endswith(b"a=recvonly\r\n")


def test_the_first_one_wants_another_session_before_there_is_a_second() -> None:
    here = ByHand()
    here.first_answers()

    here.alice.invite(body=SDP)
    here.alice.ask("INFO")
    here.run()

    assert here.alice.statuses() == [491]
    assert here.alice.statuses("INFO") == [480]
    assert len(here.b2bua.calls) == 1


def test_the_first_one_is_busy_as_it_is_offered_the_second() -> None:
    """RFC 3261 §14.1: after a 491 one tries again."""
    here = ByHand()
    here.first_answers()
    here.second_answers()

    here.alice.answer(here.alice.requests("INVITE")[2], 491)
    here.run(5)
    assert here.alice.requests("INVITE")[3].body == THEIRS
    here.alice.answer(here.alice.requests("INVITE")[3], 200, body=OURS)
    here.run()

    assert len(here.b2bua.calls) == 1
    assert here.bob.requests("BYE") == []


def test_the_first_one_refuses_the_session_of_the_second() -> None:
    here = ByHand()
    here.first_answers()
    here.second_answers()

    here.alice.answer(here.alice.requests("INVITE")[2], 488)
    here.run()

    assert here.alice.requests("BYE")
    assert here.bob.requests("BYE")
    assert not here.b2bua.calls


@pytest.mark.parametrize("body", [b"", b"v=0\r\n", b"nonsense"])
def test_the_first_one_has_no_session(body: bytes) -> None:
    here = ByHand()

    here.first_answers(body)

    assert here.alice.requests("ACK")[0].body == b""
    assert here.alice.requests("BYE")
    assert len(here.alice.requests("INVITE")) == 1
    assert not here.b2bua.calls


def test_the_second_one_answers_as_the_first_hangs_up() -> None:
    here = ByHand()
    here.first_answers()

    here.alice.ask("BYE")
    here.second_answers()

    assert here.bob.requests("ACK")
    assert here.bob.requests("BYE")
    assert not here.b2bua.calls


@pytest.mark.parametrize("who", ["first", "second"])
def test_one_hangs_up_while_both_are_joined(who: str) -> None:
    """The answer to the offer that is under way then comes too late, and is acknowledged all the same."""
    here = ByHand()
    here.first_answers()
    here.second_answers()
    offered, (ack,) = here.alice.requests("INVITE")[2], here.bob.requests("ACK")

    if who == "first":
        here.alice.ask("BYE")
    else:
        here.bob.call_id, here.bob.target = ack.call_id, "sip:127.0.0.1:5080"
        here.bob.local, here.bob.remote = ack.first("To"), ack.first("From")
        here.bob.ask("BYE")
    here.run()
    here.alice.answer(offered, 200, body=SDP)
    here.run()

    gone, left = (here.alice, here.bob) if who == "first" else (here.bob, here.alice)
    assert gone.statuses("BYE") == [200]
    assert gone.requests("BYE") == []
    assert len(left.requests("BYE")) == 1
    assert len(here.alice.requests("ACK")) == 2
    assert here.bob.requests("INVITE") == []
    assert not here.b2bua.calls


def test_a_second_phone_of_the_first_answers() -> None:
    """RFC 3261 §13.2.2.4: it is acknowledged, with an answer to its offer, and hung up on."""
    here = ByHand()
    here.first_answers()

    here.alice.answer(here.alice.requests("INVITE")[0], 200, body=THEIRS, tag="other-tag")
    here.run()

    ack = here.alice.requests("ACK")[1]
    assert ack.to.tag == "other-tag"
    assert b"a=inactive" in ack.body
    assert [bye.to.tag for bye in here.alice.requests("BYE")] == ["other-tag"]
    assert len(here.b2bua.calls) == 1


def test_the_second_one_transfers() -> None:
    """There is nobody here who could execute a REFER: it is the other phone's to do."""
    here = ByHand()
    here.connect()

    here.alice.ask("REFER", "Refer-To: <sip:carol@example.org>")
    here.run()

    assert here.bob.requests("REFER")[0].get("Refer-To") == "<sip:carol@example.org>"


def test_streams_that_cannot_wait_are_refused() -> None:
    """RFC 3264 §6: each stream has its place in the answer."""
    here = ByHand()

    secret = b"m=audio 4006 RTP/SAVP 0\r\n"
    here.first_answers(
        OURS + b"a=rtpmap:8 PCMA/8000\r\n" + secret + b"m=image 4008 udptl t38\r\nm=video 0 RTP/AVP 31\r\n"
    )

    (ack,) = here.alice.requests("ACK")
    lines = ack.body.decode().split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 9 RTP/AVP 8",
        "m=audio 0 RTP/SAVP 0",
        "m=image 0 udptl t38",
        "m=video 0 RTP/AVP 31",
    ]
    assert "a=rtpmap:8 PCMA/8000" in lines


# By phones: who ends it, with each message lost or doubled


class Phones:
    """Alice and Bob, each of whom is called at once where the proxy would find them."""

    def __init__(self, first: Script, second: Script, meddler: Meddler = lambda packet: 1) -> None:
        self.wire = Wire()
        self.wire.meddler = meddler
        self.b2bua = B2bua(Configuration(proxy=Endpoint(*PROXY)), self.wire.ids("b2"))
        self.wire.attach(self.b2bua, "udp", B2BUA)
        self.both = Phone(self.wire, "both", PROXY, B2BUA, script=first)
        self.wire.inspectors.append(lambda packet: self._turn(second, packet.text))
        self.call = self.b2bua.dial(ORDER, self.wire.now)

    def _turn(self, second: Script, text: str) -> None:
        if text.startswith("INVITE sip:bob@"):
            self.both.script = second

    @property
    def is_empty(self) -> bool:
        return not (self.b2bua.calls or self.b2bua.agent.legs or self.b2bua.transactions)


#: What the first and the second do, and who hangs up, after how many seconds.
ENDINGS: dict[str, tuple[Script, Script, int | None]] = {
    "first refuses": (IS_BUSY, ANSWERS, None),
    "first is silent": (IS_DEAD, ANSWERS, None),
    "second is busy": (ANSWERS, IS_BUSY, None),
    "second is silent": (ANSWERS, IS_DEAD, None),
    "first hangs up as the second rings": (ANSWERS, RINGS, 0),
    "first hangs up": (ANSWERS, ANSWERS, 0),
    "second hangs up": (ANSWERS, ANSWERS, 1),
    "operator ends it as the first rings": (RINGS, ANSWERS, 2),
    "operator ends it as the second rings": (ANSWERS, RINGS, 2),
    "operator ends it": (ANSWERS, ANSWERS, 2),
}

every_ending = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)


def play(ending: tuple[Script, Script, int | None], meddler: Meddler) -> Phones:
    """Run a call to its end, and check that nothing is left of it on any side."""
    first, second, who = ending
    here = Phones(first, second, meddler)
    here.wire.run(8.0)
    calls = here.both.calls
    if who == 2:
        found = here.b2bua.calls.find(here.call)
        assert found is not None
        found.end(here.wire.now)
    elif who is not None and len(calls) > who and not calls[who].is_ended:
        calls[who].hang_up()
    here.wire.run(180.0)
    assert here.is_empty
    assert all(call.is_ended for call in calls if call.status)
    byes = [request.call_id for request in here.both.seen if request.method == "BYE"]
    assert len(byes) == len(set(byes))
    return here


#: Who gets which requests on a network that loses nothing.
SEEN = {
    "first refuses": ["INVITE"],
    "first is silent": ["INVITE"],
    "second is busy": ["INVITE", "INVITE", "BYE"],
    "second is silent": ["INVITE", "INVITE", "BYE"],
    "first hangs up as the second rings": ["INVITE", "INVITE", "CANCEL"],
    "first hangs up": ["INVITE", "INVITE", "INVITE", "BYE"],
    "second hangs up": ["INVITE", "INVITE", "INVITE", "BYE"],
    "operator ends it as the first rings": ["INVITE", "CANCEL"],
    "operator ends it as the second rings": ["INVITE", "INVITE", "CANCEL", "BYE"],
    "operator ends it": ["INVITE", "INVITE", "INVITE", "BYE", "BYE"],
}


@pytest.mark.parametrize("name", ENDINGS)
def test_who_is_told_what(name: str) -> None:
    here = play(ENDINGS[name], lambda packet: 1)

    assert [request.method for request in here.both.seen] == SEEN[name]


@every_ending
def test_each_message_lost_or_doubled(ending: tuple[Script, Script, int | None]) -> None:
    steps = len(play(ending, lambda packet: 1).wire.packets)

    for step in range(min(steps, 30)):
        for copies in (0, 2):
            play(ending, lambda packet, step=step, copies=copies: copies if packet.number == step else 1)  # type: ignore[misc]  # a lambda with defaults


@every_ending
def test_a_bad_network(ending: tuple[Script, Script, int | None]) -> None:
    """One message in ten is lost, one in ten doubled."""
    for seed in range(5):
        luck = random.Random(seed)
        play(ending, lambda packet, luck=luck: luck.choices((0, 1, 2), (1, 8, 1))[0])  # type: ignore[misc]  # as above
