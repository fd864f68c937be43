"""Broken messages from a seed: they raise `SipError` at the door or nothing, and leave nothing behind."""

from random import Random

import pytest

from ngcp.sip.core.decision import Relay, Target
from ngcp.sip.core.proxy import Incoming, Returning, StatefulProxy
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, parse
from ngcp.sip.transport import Flow
from sip.messages import ALICE, BOB, CAROL, Ids, flow, make_request

UP, DOWN, ASIDE = flow(ALICE), flow(BOB), flow(CAROL)
PIECES = (
    b"\r\n",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b'"',
    b"=",
    b"@",
    b" ",
    b"\x00",
    b"\xff",
    b"99999999999",
    b"%",
)


def mutate(data: bytes, random: Random) -> bytes:
    """Cut out, double or insert a few bytes at up to three places."""
    for _ in range(random.randint(1, 3)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.randint(0, 12))
        middle = random.choice(
            (b"", data[start:end] * 2, random.choice(PIECES), bytes([random.randrange(256)]))
        )
        data = data[:start] + middle + data[end:]
    return data


class Desk:
    """A proxy between peers that send rubbish."""

    def __init__(self) -> None:
        self.proxy = StatefulProxy(Ids())
        self.forwarded: list[Request] = []

    def receive(self, data: bytes, way: Flow, now: float) -> None:
        try:
            message = parse(data)
            self.proxy.receive(message, way, now)
        except SipError as error:
            if error.request is not None:
                self.proxy.reject(error.request, way, error.status, error.reason)
        self.work(now)

    def work(self, now: float) -> None:
        while (event := self.proxy.next_event()) is not None:
            if isinstance(event, Incoming):
                targets = (Target("sip:bob@192.0.2.3", DOWN), Target("sip:bob@192.0.2.4", ASIDE))
                self.proxy.execute(event, Relay(event.request, targets), now)
            elif isinstance(event, Returning):
                self.proxy.forward(event, now)
        sent = [parse(data) for data, way in self.proxy.messages_to_send() if way == DOWN]
        self.forwarded += [message for message in sent if isinstance(message, Request)]


@pytest.mark.parametrize("method", ["INVITE", "CANCEL", "ACK", "MESSAGE"])
def test_mutated_requests(method: str) -> None:
    random = Random(method)
    desk = Desk()
    for number in range(1000):
        branch = random.choice((f"z9hG4bK{number}", f"old{number}"))
        if method == "CANCEL":
            desk.receive(bytes(make_request("INVITE", branch)), UP, 0.0)
        request = make_request(method, branch, "Route: <sip:next;lr>", "Record-Route: <sip:before;lr>")
        desk.receive(mutate(bytes(request), random), UP, 0.0)

    assert len(desk.forwarded) > 100
    settle(desk)


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_mutated_responses(method: str) -> None:
    random = Random(method)
    desk = Desk()
    for number in range(500):
        desk.receive(bytes(make_request(method, f"z9hG4bK{number}")), UP, 0.0)
        (request,) = desk.forwarded
        desk.forwarded.clear()
        for status in random.choices((100, 180, 200, 302, 407, 486, 503, 603), k=3):
            desk.receive(mutate(bytes(request.reply(status, to_tag="bob")), random), DOWN, 0.0)
        desk.forwarded.clear()

    settle(desk)


def settle(desk: Desk) -> None:
    """Let time pass until nothing waits: every transaction must be gone."""
    for _ in range(200_000):
        when = desk.proxy.next_timer()
        if when is None:
            break
        desk.proxy.handle_timer(when)
        desk.work(when)
    assert desk.proxy.transactions == 0
    assert desk.proxy.next_timer() is None
