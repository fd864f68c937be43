"""Messages that wait, told to telephones (RFC 3842): by hand, and through a whole node."""

import pytest

from flows.attempts import Attempt
from flows.hands import Hand
from flows.phones import Call, Phone
from flows.whole import PROXY, Node
from flows.wire import Wire
from ngcp.appserver.lamps import LONGEST, MOST, Lamps
from ngcp.provisioning.voicemail_news import Waiting
from ngcp.sip.syntax import NameAddr, Request, Response
from ngcp.voice.switchboard import Switchboard

APP_SERVER = ("127.0.0.1", 5070)
EVENT = "Event: message-summary"
MINE = "P-Caller-UUID: uuid-alice"


class AppServer:
    """An app server that knows what waits for each mailbox."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.waiting = {"uuid-alice": Waiting("alice", "example.org", 2, 1)}
        self.core = Switchboard(wire.ids("as"), APP_SERVER, PROXY, lambda agent, registry: {}, server="test")
        route = f"<sip:{PROXY[0]}:{PROXY[1]};lr>"
        self.lamps = Lamps(self.core.agent, route, "2000")
        self.lamps.asked = self._asked
        self.core.others["SUBSCRIBE"] = self.lamps.subscribe
        wire.attach(self.core, "udp", APP_SERVER)

    def _asked(self, mailbox: str) -> None:
        """Answer later, as who reads a database does."""
        self.wire.at(
            self.wire.now + 0.05,
            lambda: self.lamps.tell(mailbox, self.waiting[mailbox], self.wire.now, everybody=False),
        )

    def change(self, new: int, old: int) -> None:
        self.waiting["uuid-alice"] = summary = Waiting("alice", "example.org", new, old)
        self.lamps.tell("uuid-alice", summary, self.wire.now)


class ByHand(AppServer):
    """The proxy is a hand; so is the phone behind it."""

    def __init__(self) -> None:
        super().__init__(Wire())
        self.phone = Hand(self.wire, "alice", PROXY, APP_SERVER)
        self.phone.remote = "<sip:alice@example.org>"

    def run(self, seconds: float = 0.2) -> None:
        self.wire.run(seconds)

    def subscribe(self, *lines: str) -> Response:
        self.phone.ask("SUBSCRIBE", *(lines or (EVENT, MINE, "Expires: 600")))
        self.run()
        answer = self.phone.answers("SUBSCRIBE")[-1]
        if answer.status == 200:
            self.phone.take(answer)
        return answer

    def notified(self) -> list[Request]:
        return self.phone.requests("NOTIFY")

    def take_all(self, status: int = 200) -> None:
        for notify in self.notified():
            self.phone.answer(notify, status)
        self.run()


def states(requests: list[Request]) -> list[str]:
    return [request.first("Subscription-State") for request in requests]


def test_subscription_is_accepted_and_told_at_once() -> None:
    here = ByHand()

    answer = here.subscribe()

    assert (answer.status, answer.get("Expires")) == (200, "600")
    (notify,) = here.notified()
    assert notify.first("Event") == "message-summary"
    assert notify.first("Content-Type") == "application/simple-message-summary"
    assert states([notify]) == ["active;expires=600"]
    assert notify.body == (
        b"Messages-Waiting: yes\r\nMessage-Account: sip:2000@example.org\r\nVoice-Message: 2/1 (0/0)\r\n"
    )
    assert (notify.from_.tag, notify.to.tag) == (answer.to.tag, "alice-tag")
    assert len(here.lamps) == 1


def test_each_change_is_told() -> None:
    here = ByHand()
    here.subscribe()

    here.change(0, 3)
    here.run()

    _, in_dialog, unsolicited = here.notified()
    assert in_dialog.to.tag == "alice-tag"
    assert b"Messages-Waiting: no\r\n" in in_dialog.body
    assert b"Voice-Message: 0/3 (0/0)\r\n" in in_dialog.body
    assert (unsolicited.uri, unsolicited.to.tag) == ("sip:alice@example.org", None)
    assert states([unsolicited]) == ["terminated"]
    assert unsolicited.body == in_dialog.body


def test_event_id_is_repeated() -> None:
    here = ByHand()
    here.subscribe("Event: message-summary;id=7", MINE)
    assert here.notified()[0].first("Event") == "message-summary;id=7"


def test_refresh_extends() -> None:
    here = ByHand()
    here.subscribe()
    here.take_all()
    here.run(400)

    here.subscribe(EVENT, "Expires: 600")
    here.take_all()
    here.run(500)

    assert len(here.lamps) == 1
    assert states(here.notified())[-1] == "active;expires=600"


def test_end_of_time_is_told() -> None:
    here = ByHand()
    here.subscribe()
    here.take_all()

    here.run(601)

    assert states(here.notified())[-1] == "terminated;reason=timeout"
    assert len(here.lamps) == 0
    here.take_all()
    here.run(40)
    assert not here.core.agent.legs and not here.core.transactions


def test_unsubscribing() -> None:
    here = ByHand()
    here.subscribe()
    here.take_all()

    here.subscribe(EVENT, "Expires: 0")

    assert states(here.notified())[-1] == "terminated;reason=timeout"
    assert len(here.lamps) == 0
    here.phone.ask("SUBSCRIBE", EVENT, "Expires: 600")
    here.run()
    assert here.phone.statuses("SUBSCRIBE")[-1] == 481


def test_asking_once() -> None:
    """RFC 6665 §4.4.3: a subscription of no time is a question."""
    here = ByHand()
    here.subscribe(EVENT, MINE, "Expires: 0")
    assert states(here.notified()) == ["terminated;reason=timeout"]
    assert len(here.lamps) == 0


@pytest.mark.parametrize("status", [404, 481, 489])
def test_phone_that_wants_no_more(status: int) -> None:
    here = ByHand()
    here.subscribe()
    here.take_all(status)
    assert len(here.lamps) == 0
    assert not here.core.agent.legs


def test_phone_that_is_gone() -> None:
    here = ByHand()
    here.subscribe()
    here.run(40)
    assert len(here.lamps) == 0


@pytest.mark.parametrize(
    ("lines", "status", "header"),
    [
        (("Event: dialog", MINE), 489, "Allow-Events: message-summary"),
        ((MINE,), 489, "Allow-Events: message-summary"),
        ((EVENT, MINE, "Expires: 10"), 423, "Min-Expires: 60"),
        ((EVENT,), 403, ""),
    ],
    ids=["other event", "no event", "too short", "nobody's"],
)
def test_what_is_refused(lines: tuple[str, ...], status: int, header: str) -> None:
    here = ByHand()
    answer = here.subscribe(*lines)
    name, _, value = header.partition(": ")
    assert (answer.status, answer.get(name) if name else "") == (status, value)
    assert len(here.lamps) == 0
    assert not here.core.agent.legs


@pytest.mark.parametrize(
    ("lines", "seconds"), [((), 3600), (("Expires: 9999999999",), LONGEST), (("Expires: soon",), 3600)]
)
def test_how_long_it_lasts(lines: tuple[str, ...], seconds: int) -> None:
    assert ByHand().subscribe(EVENT, MINE, *lines).get("Expires") == str(seconds)


def test_what_changes_within_a_subscription_is_refused() -> None:
    here = ByHand()
    here.subscribe()
    here.phone.ask("SUBSCRIBE", "Event: dialog")
    here.phone.ask("INFO")
    here.run()
    assert here.phone.statuses("SUBSCRIBE")[-1] == 489
    assert here.phone.statuses("INFO") == [405]
    assert len(here.lamps) == 1


def test_nobody_has_that_many_phones() -> None:
    here = ByHand()
    for number in range(MOST + 1):
        here.phone = Hand(here.wire, f"p{number}", PROXY, APP_SERVER)
        here.phone.remote, here.phone.call_id = "<sip:alice@example.org>", f"call-{number}"
        answer = here.subscribe()
    assert answer.status == 503
    assert len(here.lamps) == MOST


# Through a node


@pytest.fixture
def node() -> Node:
    return Node()


def heard(phone: Phone, method: str) -> list[Request]:
    return [request for request in phone.seen if request.method == method]


def test_registered_phones_are_told(node: Node) -> None:
    """Whatever a subscriber does with calls."""
    server, alice = AppServer(node.wire), node.registered("alice", "192.0.2.10")
    other = node.registered("alice", "192.0.2.11")
    node.prefer("alice", dnd="1", block_in_mode="1")

    server.change(1, 0)
    node.wire.run(1)

    for phone in (alice, other):
        (notify,) = heard(phone, "NOTIFY")
        assert notify.body.startswith(b"Messages-Waiting: yes\r\nMessage-Account: sip:2000@example.org")
        assert "P-App-Name" not in notify


def test_who_is_not_registered_is_not_told(node: Node) -> None:
    server = AppServer(node.wire)
    server.change(1, 0)
    node.wire.run(40)
    assert server.core.transactions == 0


def subscribe(node: Node, phone: Phone, *extra: str, uri: str = "sip:alice@example.org") -> Attempt:
    attempt = phone.send_request("SUBSCRIBE", uri, None, list(extra) or [EVENT, "Expires: 600"])
    assert node.wire.run_until(lambda: attempt.is_over)
    return attempt


@pytest.mark.parametrize("uri", ["sip:alice@example.org", "sip:2000@example.org", "sip:bob@example.org"])
def test_phone_subscribes_to_its_own_messages(node: Node, uri: str) -> None:
    """Who proved his password gets his own, whatever the phone calls the mailbox."""
    server, alice = AppServer(node.wire), node.registered("alice", "192.0.2.10")

    attempt = subscribe(node, alice, uri=uri)
    node.wire.run(0.5)

    assert attempt.status == 200
    assert attempt.request.get("Proxy-Authorization")
    assert attempt.final is not None and "127.0.0.1" not in attempt.final.first("Contact")
    (notify,) = heard(alice, "NOTIFY")
    assert b"Voice-Message: 2/1 (0/0)" in notify.body
    assert len(server.lamps) == 1


def test_subscription_lives_on_through_the_node(node: Node) -> None:
    server, alice = AppServer(node.wire), node.registered("alice", "192.0.2.10")
    call = dialog_of(alice, subscribe(node, alice))
    alice.calls.append(call)

    server.change(0, 0)
    node.wire.run(300)
    call.cseq += 1
    again = alice.send_request("SUBSCRIBE", call.target, call, [EVENT, "Expires: 600"])
    node.wire.run(400)
    assert again.status == 200
    assert len(server.lamps) == 1
    node.wire.run(300)

    assert len(server.lamps) == 0
    told = [notify.first("Subscription-State") for notify in heard(alice, "NOTIFY") if notify.to.tag]
    assert told[-1] == "terminated;reason=timeout"
    assert len(told) == 4


def dialog_of(phone: Phone, attempt: Attempt) -> Call:
    response = attempt.final
    assert response is not None
    return Call(
        phone,
        attempt.request,
        attempt.request.first("From"),
        response.first("To"),
        NameAddr.parse(response.first("Contact")).address,
        list(reversed(response.all("Record-Route"))),
        attempt.request.cseq.number,
    )


def test_stranger_does_not_subscribe(node: Node) -> None:
    AppServer(node.wire)
    stranger = node.phone("mallory", "192.0.2.66")
    assert subscribe(node, stranger).status in (401, 403, 407)


def test_other_events_are_refused_by_the_proxy(node: Node) -> None:
    server, alice = AppServer(node.wire), node.registered("alice", "192.0.2.10")
    attempt = subscribe(node, alice, "Event: dialog", "Expires: 600")
    assert attempt.status == 489
    assert attempt.final is not None and attempt.final.get("Allow-Events") == "message-summary"
    assert node.wire.sent_to(APP_SERVER) == []
    assert len(server.lamps) == 0


def test_nobody_outside_tells_phones_what_waits(node: Node) -> None:
    alice, bob = node.registered("alice", "192.0.2.10"), node.registered("bob", "192.0.2.20")
    attempt = bob.send_request("NOTIFY", "sip:alice@example.org", None, [EVENT])
    assert node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 405
    assert heard(alice, "NOTIFY") == []
