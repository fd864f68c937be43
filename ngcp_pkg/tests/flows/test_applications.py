"""Applications that serve a caller by themselves, by the name that the proxy gives (`P-App-Name`)."""

from collections.abc import Callable, Mapping

from flows.attempts import SDP
from flows.backtoback import B2BUA, CALLER
from flows.hands import TYPE, Hand
from flows.wire import Wire
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.core import B2bua
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.errors import InvalidHeader
from ngcp.sip.syntax import Request
from ngcp.voice.application import Answering, Application, Conversation, Listener
from ngcp.voice.registry import Registry

OURS = SDP.replace(b"192.0.2.1", b"127.0.0.1")


class Ear(Listener):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def acknowledged(self, session: bytes, now: float) -> None:
        self.heard.append("acknowledged with session" if session else "acknowledged")

    def offered(self, session: bytes, now: float) -> bytes | None:
        self.heard.append("offered")
        return OURS if b"RTP/AVP 8" in session or not session else None

    def answered(self, session: bytes, now: float) -> None:
        self.heard.append("answered" if session else "not answered")

    def informed(self, request: Request, now: float) -> None:
        self.heard.append(request.body.decode())

    def ended(self, now: float) -> None:
        self.heard.append("ended")


class Theatre:
    """Alice, and one application of the name `play`."""

    def __init__(self, act: Callable[[Conversation, float], None]) -> None:
        self.wire = Wire()
        self.ear = Ear()
        self.call: Conversation | None = None

        def begin(call: Conversation, now: float) -> Listener:
            self.call = call
            act(call, now)
            return self.ear

        def applications(agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
            return {"play": Answering(agent, registry, begin)}

        self.b2bua = B2bua(Configuration(), self.wire.ids("b2"), applications)
        self.wire.attach(self.b2bua, "udp", B2BUA)
        self.alice = Hand(self.wire, "alice", CALLER, B2BUA)

    def invite(self, *extra: str, body: bytes = SDP) -> Request:
        sent = self.alice.invite("P-App-Name: play", *extra, body=body)
        self.run()
        return sent

    def connect(self, *extra: str) -> None:
        self.invite(*extra)
        self.alice.acknowledge(self.alice.answers()[-1])
        self.run()

    def run(self, seconds: float = 0.1) -> None:
        self.wire.run(seconds)


def announce(call: Conversation, now: float) -> None:
    call.progress(now, OURS)
    call.at(now + 5, lambda then: call.refuse(486, then, "Busy"))


def answer(call: Conversation, now: float) -> None:
    call.answer(OURS, now)


def test_an_announcement_in_early_media_ends_with_its_code() -> None:
    here = Theatre(announce)
    here.invite()

    here.run(5.1)

    early, final = here.alice.answers()
    assert (early.status, early.body) == (183, OURS)
    assert (final.status, final.reason) == (486, "Busy")
    assert early.to.tag == final.to.tag
    assert here.ear.heard == ["ended"]
    assert len(here.b2bua.calls) == 0


def test_a_caller_who_hears_enough_ends_the_announcement() -> None:
    here = Theatre(announce)
    invite = here.invite()

    here.alice.cancel(invite)
    here.run(6)

    assert here.alice.statuses() == [183, 487]
    assert here.ear.heard == ["ended"]


def test_a_caller_who_wants_reliable_answers_gets_them() -> None:
    here = Theatre(announce)
    here.invite("Require: 100rel")
    here.alice.take(here.alice.answers()[0])

    here.alice.ask("PRACK", "RAck: 1 1 INVITE")
    here.run(1)

    assert here.alice.statuses("PRACK") == [200]
    assert len(here.alice.answers()) == 1


def test_an_answered_call_is_heard_of_and_ended_by_the_caller() -> None:
    here = Theatre(answer)
    here.connect()

    here.alice.ask("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=5")
    here.run()
    here.alice.ask("BYE")
    here.run()

    assert here.alice.statuses("BYE") == [200]
    assert here.ear.heard == ["acknowledged", "Signal=5", "ended"]


def test_a_caller_without_offer_answers_in_the_ack() -> None:
    here = Theatre(answer)
    here.invite(body=b"")

    here.alice.acknowledge(here.alice.answers()[-1], SDP)
    here.run()

    assert here.ear.heard == ["acknowledged with session"]


def test_a_new_offer_is_answered_or_refused() -> None:
    here = Theatre(answer)
    here.connect()

    here.alice.ask("UPDATE", TYPE, body=SDP)
    here.run()
    here.alice.invite(body=SDP.replace(b"AVP 8", b"AVP 9"))
    here.run()

    assert here.alice.answers("UPDATE")[-1].body == OURS
    assert here.alice.statuses() == [200, 488]


def test_the_application_offers_and_hangs_up() -> None:
    here = Theatre(answer)
    here.connect()
    call = here.call
    assert call is not None

    call.offer(OURS, here.wire.now)
    here.run()
    (again,) = here.alice.requests("INVITE")
    here.alice.answer(again, 200, body=SDP)
    here.run()
    call.hang_up(here.wire.now)
    here.run()

    assert here.alice.requests("ACK")
    assert here.alice.requests("BYE")
    assert here.ear.heard == ["acknowledged", "answered", "ended"]


def test_a_caller_who_never_acknowledges_is_given_up() -> None:
    here = Theatre(answer)

    here.invite()
    here.run(33)

    assert here.alice.requests("BYE")
    assert here.ear.heard == ["ended"]


def test_a_call_that_lasts_too_long_is_ended() -> None:
    here = Theatre(answer)
    here.connect("P-App-Param: ;calltimer=60")

    here.run(61)

    assert here.alice.requests("BYE")


def test_what_the_application_cannot_read_is_refused() -> None:
    def reject(call: Conversation, now: float) -> None:
        raise InvalidHeader("P-App-Param", call.parameters.get("room", ""))

    here = Theatre(reject)

    here.invite("P-App-Param: ;room=x")
    here.run()

    assert here.alice.statuses() == [400]
    assert len(here.b2bua.calls) == 0
    assert not here.b2bua.agent.legs


def test_an_application_that_refuses_at_once_hears_the_end() -> None:
    here = Theatre(lambda call, now: call.refuse(403, now, "Not Now"))

    here.invite()

    assert here.alice.statuses() == [403]
    assert here.ear.heard == ["ended"]
