"""A call that the node places itself: to a proxy that a test plays, and through a whole node."""

from collections.abc import Callable

import pytest

from flows.attempts import ANSWERS, IS_BUSY, RINGS, SDP, Script
from flows.hands import TYPE, Hand
from flows.test_applications import OURS, Ear
from flows.whole import PROXY, Node
from flows.wire import Wire
from ngcp.provisioning.runtime import Destination, Forward
from ngcp.voice.placed import Invitation, Placed
from ngcp.voice.switchboard import Switchboard

APP_SERVER = ("127.0.0.1", 5070)


INVITATION = Invitation(
    "sip:bob@example.org",
    '"Reminder" <sip:reminder@voicebox.local>',
    "reminder",
    "<sip:127.0.0.1:5062;lr>",
    30.0,
)


class Caller:
    """Whoever places one call on a wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.ear = wire, Ear()
        self.core = Switchboard(wire.ids("as"), APP_SERVER, PROXY, lambda agent, registry: {}, server="test")
        wire.attach(self.core, "udp", APP_SERVER)

    def place(self, session: bytes = SDP) -> Placed:
        call = Placed(self.core.agent, self.core.calls, INVITATION, self.wire.now)
        call.listener = self.ear
        call.answer(session, self.wire.now)
        return call

    @property
    def is_empty(self) -> bool:
        return not (self.core.calls or self.core.agent.legs or self.core.transactions)


class ByHand(Caller):
    """One call, and a proxy that says what the test has it say."""

    def __init__(self) -> None:
        super().__init__(Wire())
        self.bob = Hand(self.wire, "bob", PROXY, APP_SERVER)
        self.call = self.place(OURS)
        self.run()

    def run(self, seconds: float = 0.1) -> None:
        self.wire.run(seconds)

    def answer(self, status: int, body: bytes = b"", tag: str | None = None) -> None:
        self.bob.answer(self.bob.requests("INVITE")[0], status, body=body, tag=tag)
        self.run()


def test_the_proxy_is_asked() -> None:
    here = ByHand()

    (invite,) = here.bob.requests("INVITE")

    assert invite.uri == invite.to.address == "sip:bob@example.org"
    assert invite.first("Route") == "<sip:127.0.0.1:5062;lr>"
    assert invite.first("From").startswith('"Reminder" <sip:reminder@voicebox.local>;tag=')
    assert (invite.first("P-App-Name"), invite.body) == ("reminder", OURS)
    assert invite.first("Content-Length") == str(len(OURS))
    (listed,) = here.core.calls.describe(here.wire.now, 0, 10)
    assert isinstance(listed, dict)
    assert (listed["application"], listed["state"]) == ("reminder", "ringing")


def test_answered_call_is_talked_in_until_the_callee_hangs_up() -> None:
    here = ByHand()
    here.answer(180)
    here.answer(200, SDP)
    assert here.ear.heard == ["acknowledged with session"]
    assert here.bob.requests("ACK")

    here.bob.ask("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=5")
    here.run()
    here.bob.ask("UPDATE", TYPE, body=SDP)
    here.run()
    assert here.bob.answers("UPDATE")[-1].body == OURS
    here.bob.ask("BYE")
    here.run()

    assert here.bob.statuses("BYE") == [200]
    assert here.ear.heard == ["acknowledged with session", "Signal=5", "offered", "ended"]
    assert (here.call.status, here.call.is_over) == (200, True)


def test_we_hang_up() -> None:
    here = ByHand()
    here.answer(200, SDP)

    here.call.hang_up(here.wire.now)
    here.run()

    assert len(here.bob.requests("BYE")) == 1
    assert here.ear.heard == ["acknowledged with session", "ended"]


@pytest.mark.parametrize("status", [302, 404, 480, 486, 603])
def test_callee_refuses(status: int) -> None:
    here = ByHand()

    here.answer(status)
    here.run(40)

    assert (here.call.status, here.ear.heard) == (status, ["ended"])
    assert here.is_empty


def test_nobody_answers_in_time() -> None:
    here = ByHand()
    here.answer(180)

    here.run(30)
    assert len(here.bob.requests("CANCEL")) == 1
    here.answer(487)
    here.run(40)

    assert (here.call.status, here.ear.heard) == (408, ["ended"])
    assert here.is_empty


def test_nobody_is_there() -> None:
    here = ByHand()

    here.run(70)

    assert (here.call.status, here.ear.heard) == (408, ["ended"])
    assert here.bob.requests("CANCEL") == []  # RFC 3261 §9.1: nothing came back
    assert here.is_empty


def test_an_answer_that_crosses_our_cancel_is_acknowledged_and_hung_up() -> None:
    here = ByHand()
    here.answer(180)
    here.call.hang_up(here.wire.now)

    here.answer(200, SDP)

    assert here.bob.requests("CANCEL")
    assert here.bob.requests("ACK")
    assert len(here.bob.requests("BYE")) == 1
    assert (here.call.status, here.ear.heard) == (487, ["ended"])


def test_second_phone_that_answers_is_hung_up() -> None:
    """RFC 3261 §13.2.2.4: a forked INVITE may be accepted twice."""
    here = ByHand()
    here.answer(200, SDP)

    here.answer(200, SDP, tag="another")

    (bye,) = here.bob.requests("BYE")
    assert bye.to.tag == "another"
    assert not here.call.is_over
    assert len(here.core.agent.legs) == 1


def test_an_answer_without_session_is_none() -> None:
    here = ByHand()

    here.answer(200)

    assert here.bob.requests("BYE")
    assert (here.call.status, here.ear.heard) == (488, ["ended"])


def test_another_session_is_offered() -> None:
    here = ByHand()
    here.answer(200, SDP)

    here.call.offer(OURS, here.wire.now)
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 200, body=SDP)
    here.run()

    assert here.ear.heard[-1] == "answered"


def test_too_late() -> None:
    here = ByHand()
    here.answer(486)

    here.call.answer(OURS, here.wire.now)
    here.call.offer(OURS, here.wire.now)
    here.call.progress(here.wire.now, OURS)
    here.call.hang_up(here.wire.now)
    here.call.refuse(480, here.wire.now)
    here.run()

    assert len(here.bob.requests("INVITE")) == 1
    assert (here.call.status, here.ear.heard) == (486, ["ended"])


def test_operator_ends_what_rings() -> None:
    here = ByHand()
    here.answer(180)

    here.core.end(here.wire.now)
    here.run()

    assert here.bob.requests("CANCEL")
    assert here.ear.heard == ["ended"]


# Through a node


@pytest.fixture
def node() -> Node:
    return Node()


def test_registered_phone_rings_and_is_talked_to(node: Node) -> None:
    """No password is asked for, and nothing of the inside is told."""
    caller, bob = Caller(node.wire), node.registered("bob", "192.0.2.20")

    call = caller.place()
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)

    assert (call.status, caller.ear.heard) == (200, ["acknowledged with session"])
    invite = bob.calls[0].invite
    assert invite.from_.address == "sip:reminder@voicebox.local"
    assert invite.from_.display == "Reminder"
    assert "P-App-Name" not in invite

    call.hang_up(node.wire.now)
    node.wire.run(1)
    assert bob.calls[0].is_ended


@pytest.mark.parametrize(
    ("script", "status", "seconds"), [(IS_BUSY, 486, 5), (RINGS, 408, 35)], ids=["busy", "no answer"]
)
def test_phone_does_not_answer(node: Node, script: Script, status: int, seconds: float) -> None:
    caller, bob = Caller(node.wire), node.registered("bob", "192.0.2.20", script=script)

    call = caller.place()
    node.wire.run(seconds)

    assert (call.status, caller.ear.heard) == (status, ["ended"])
    assert not any(one.is_up for one in bob.calls)


def test_who_is_not_registered_is_offline(node: Node) -> None:
    caller = Caller(node.wire)
    call = caller.place()
    node.wire.run(5)
    assert call.status == 480


def forwarding(uri: str) -> Callable[[Node], None]:
    return lambda node: node.change("bob", forwards=(Forward("cfu", (Destination(uri, 30.0),)),))


def test_a_forward_is_followed(node: Node) -> None:
    caller, carol = Caller(node.wire), node.registered("carol", "192.0.2.30", script=ANSWERS)
    forwarding("sip:carol@example.org")(node)

    call = caller.place()
    assert node.wire.run_until(lambda: bool(carol.calls) and carol.calls[0].is_up)

    assert call.status == 200


@pytest.mark.parametrize("place", ["sip:vmubob@voicebox.local", "sip:conf=1@conference.local"])
def test_a_forward_to_an_application_is_not(node: Node, place: str) -> None:
    """A voicebox would take a wake-up call for the sleeper."""
    caller = Caller(node.wire)
    forwarding(place)(node)

    call = caller.place()
    node.wire.run(5)

    assert (call.status, caller.ear.heard) == (480, ["ended"])
