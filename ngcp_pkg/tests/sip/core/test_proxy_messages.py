"""What a stateful proxy does to single messages (RFC 3261 §16.3 to §16.7, §16.11)."""

import gc
import weakref

import pytest

from ngcp.sip.core.decision import Drop, Relay, Reply, Target
from ngcp.sip.core.proxy import Context, Ended, Incoming, Returning, StatefulProxy
from ngcp.sip.errors import MissingHeader
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from sip.messages import ALICE, BOB, CAROL, Ids, flow, make_request

UP = flow(ALICE)
DOWN = flow(BOB)
TO_BOB = Target("sip:bob@192.0.2.3", DOWN)


class Desk:
    """A proxy and the daemon that decides for it."""

    def __init__(self, *, translate_503: bool = True) -> None:
        self.proxy = StatefulProxy(Ids(), server="Test", translate_503=translate_503)

    def incoming(self, request: Request, now: float = 0.0) -> Incoming:
        self.proxy.receive(parse(bytes(request)), UP, now)
        event = self.proxy.next_event()
        assert isinstance(event, Incoming)
        return event

    def relay(self, request: Request, *targets: Target, record_route: tuple[str, ...] = ()) -> Context:
        incoming = self.incoming(request)
        decision = Relay(incoming.request, targets or (TO_BOB,), record_route)
        context = self.proxy.execute(incoming, decision, 0.0)
        assert context is not None
        return context

    def sent(self, where: Flow) -> list[Request | Response]:
        """Return what was sent over `where` since last asked."""
        return [parse(data) for data, way in self.proxy.messages_to_send() if way == where]

    def answer(
        self, request: Request | Response, status: int, now: float = 1.0, **headers: str
    ) -> Returning | None:
        """Let a branch answer, and return what the daemon hears of it."""
        assert isinstance(request, Request)
        response = request.reply(status, to_tag="bob")
        for name, value in headers.items():
            response.append(name.replace("_", "-"), value)
        self.proxy.receive(response, DOWN, now)
        event = self.proxy.next_event()
        assert event is None or isinstance(event, Returning)
        return event


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_forwarded_request_differs_where_16_6_says(desk: Desk) -> None:
    """§16.6: Request-URI, Max-Forwards, Record-Route, Route, Via; all else is untouched."""
    target = Target("sip:bob@192.0.2.3:5070", DOWN, ("<sip:edge;lr>", "<sip:next;lr>"))
    request = make_request("INVITE", "z9hG4bKa1", "Route: <sip:far;lr>", "Record-Route: <sip:before;lr>")
    desk.relay(request, target, record_route=("<sip:outer;lr>", "<sip:inner;lr>"))

    (forwarded,) = desk.sent(DOWN)
    assert isinstance(forwarded, Request)
    assert forwarded.uri == "sip:bob@192.0.2.3:5070"
    assert forwarded.get("Max-Forwards") == "69"
    assert forwarded.all("Record-Route") == ["<sip:outer;lr>", "<sip:inner;lr>", "<sip:before;lr>"]
    assert forwarded.all("Route") == ["<sip:edge;lr>", "<sip:next;lr>", "<sip:far;lr>"]
    mine, hers = forwarded.all("Via")
    assert mine.startswith("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK")
    assert hers == "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKa1"
    for name in ("From", "To", "Call-ID", "CSeq"):
        assert forwarded.get(name) == request.get(name)


def test_the_via_names_the_transport_and_an_ipv6_address_in_brackets(desk: Desk) -> None:
    way = Flow("tls", ("2001:db8::1", 5061), ("2001:db8::2", 5061))
    desk.relay(make_request(), Target("sip:b@[2001:db8::2]", way))

    (forwarded,) = desk.sent(way)
    assert str(forwarded.via).startswith("SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bK")


def test_every_branch_has_its_own_name(desk: Desk) -> None:
    desk.relay(make_request(), TO_BOB, Target("sip:bob@192.0.2.4", flow(CAROL)))

    branches = {parse(data).via.branch for data, way in desk.proxy.messages_to_send() if way != UP}
    assert len(branches) == 2


def test_a_path_that_is_hidden_comes_back(desk: Desk) -> None:
    """§16.7 step 3: the next hop sees our Via alone, whoever comes before gets the answer by all of them."""
    request = make_request("INVITE", "z9hG4bKa1", "Record-Route: <sip:before;lr>")
    request.append("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKfar")
    incoming = desk.incoming(request)
    relay = Relay(
        incoming.request,
        (Target("sip:bob@192.0.2.3", DOWN, via_params=";x=1"),),
        ("<sip:me;lr>",),
        hides_path=True,
    )
    assert desk.proxy.execute(incoming, relay, 0.0) is not None

    (forwarded,) = desk.sent(DOWN)
    (mine,) = forwarded.all("Via")
    assert mine.startswith("SIP/2.0/UDP 192.0.2.1:5060;branch=") and mine.endswith(";x=1")
    assert forwarded.all("Record-Route") == ["<sip:me;lr>"]
    returning = desk.answer(forwarded, 200)
    assert returning is not None
    assert returning.response.all("Via") == request.all("Via")


def test_the_request_that_the_daemon_holds_stays_as_it_came(desk: Desk) -> None:
    context = desk.relay(make_request(), record_route=("<sip:me;lr>",))
    assert context.incoming.request.all("Via") == ["SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKa1"]
    assert "Record-Route" not in context.incoming.request
    assert context.incoming.request.get("Max-Forwards") == "70"


def test_a_missing_max_forwards_becomes_70(desk: Desk) -> None:
    """§16.6 step 3."""
    request = make_request()
    request.remove("Max-Forwards")
    desk.relay(request)
    assert desk.sent(DOWN)[0].get("Max-Forwards") == "70"


@pytest.mark.parametrize(("value", "status"), [("0", 483), ("-1", 400), ("x", 400), ("1000", 400)])
def test_a_request_out_of_hops_is_refused(desk: Desk, value: str, status: int) -> None:
    """§16.3 step 3."""
    request = make_request("OPTIONS")
    request.set("Max-Forwards", value)
    incoming = desk.incoming(request)

    assert desk.proxy.execute(incoming, Relay(incoming.request, (TO_BOB,)), 0.0) is None
    ((data, way),) = desk.proxy.messages_to_send()
    assert way == UP
    assert data.startswith(b"SIP/2.0 %d " % status)


def test_a_relay_without_target_cannot_exist() -> None:
    with pytest.raises(ValueError, match="target"):
        Relay(make_request(), ())


def test_a_reply_is_ours(desk: Desk) -> None:
    """§8.2.6: To tag, Server, and what the decision adds."""
    incoming = desk.incoming(make_request("REGISTER"))
    challenge = Reply(401, "Who are you", (("WWW-Authenticate", 'Digest realm="r"'),))
    assert desk.proxy.execute(incoming, challenge, 0.0) is None

    (reply,) = desk.sent(UP)
    assert isinstance(reply, Response)
    assert (reply.status, reply.reason) == (401, "Who are you")
    assert reply.get("WWW-Authenticate") == 'Digest realm="r"'
    assert reply.get("Server") == "Test"
    assert reply.to.tag


def test_an_immediate_reply_to_an_invite_needs_no_100(desk: Desk) -> None:
    desk.proxy.execute(desk.incoming(make_request()), Reply(407), 0.0)
    assert [type(message).__name__ for message in desk.sent(UP)] == ["Response"]


def test_a_dropped_request_leaves_nothing(desk: Desk) -> None:
    desk.proxy.execute(desk.incoming(make_request()), Drop(), 0.0)
    assert (desk.proxy.messages_to_send(), desk.proxy.transactions) == ([], 0)
    assert desk.proxy.next_event() is None


def test_a_response_goes_upstream_without_our_via(desk: Desk) -> None:
    """§16.7 step 3."""
    desk.relay(make_request())
    (invite,) = desk.sent(DOWN)
    returning = desk.answer(invite, 180, Contact="<sip:bob@192.0.2.3>")
    assert returning is not None
    assert returning.branch is not None
    assert returning.branch.target is TO_BOB
    assert desk.proxy.messages_to_send() == []

    desk.proxy.forward(returning, 1.0)
    (response,) = desk.sent(UP)
    assert response.all("Via") == ["SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKa1"]
    assert response.get("Contact") == "<sip:bob@192.0.2.3>"
    assert "Server" not in response


def test_an_edited_response_goes_upstream_edited(desk: Desk) -> None:
    desk.relay(make_request())
    returning = desk.answer(desk.sent(DOWN)[0], 200)
    assert returning is not None
    returning.response.body = b"v=0\r\n"
    desk.proxy.forward(returning, 1.0)
    assert desk.sent(UP)[0].body == b"v=0\r\n"


def test_100_goes_no_further(desk: Desk) -> None:
    """§16.7 step 5."""
    desk.relay(make_request())
    assert desk.answer(desk.sent(DOWN)[0], 100) is None


def test_a_provisional_response_to_another_request_goes_no_further(desk: Desk) -> None:
    """RFC 4320 §4.1."""
    desk.relay(make_request("OPTIONS"))
    assert desk.answer(desk.sent(DOWN)[0], 180) is None


@pytest.mark.parametrize("status", [180, 200, 486])
def test_a_response_that_names_only_us_goes_no_further(desk: Desk, status: int) -> None:
    """§16.7 step 3: there is nobody to send it to; if it was final, the branch is over all the same."""
    desk.relay(make_request())
    (invite,) = desk.sent(DOWN)
    assert isinstance(invite, Request)
    response = invite.reply(status, to_tag="bob")
    response.set("Via", str(invite.via))
    desk.proxy.receive(response, DOWN, 1.0)

    event = desk.proxy.next_event()
    assert isinstance(event, Returning) is (status >= 200)
    assert not isinstance(event, Returning) or event.response.status == 502


def test_a_stray_response_goes_no_further(desk: Desk) -> None:
    """RFC 6026 §7.3."""
    desk.proxy.receive(make_request().reply(200), DOWN, 0.0)
    assert desk.proxy.next_event() is None
    assert desk.proxy.messages_to_send() == []


def test_a_retransmitted_answer_waits_for_the_daemon(desk: Desk) -> None:
    """While the daemon still works on a 2xx, its retransmission says nothing new."""
    desk.relay(make_request())
    (invite,) = desk.sent(DOWN)
    returning = desk.answer(invite, 200, 1.0)
    assert desk.answer(invite, 200, 1.5) is None
    assert desk.sent(UP) == []

    assert returning is not None
    desk.proxy.forward(returning, 2.0)
    assert len(desk.sent(UP)) == 1
    assert desk.answer(invite, 200, 2.5) is None
    assert len(desk.sent(UP)) == 1


def test_a_peer_that_answers_under_ever_new_tags_is_not_listened_to_for_ever(desk: Desk) -> None:
    desk.relay(make_request())
    (invite,) = desk.sent(DOWN)
    assert isinstance(invite, Request)
    for number in range(100):
        desk.proxy.receive(invite.reply(200, to_tag=f"t{number}"), DOWN, 1.0)

    answers = 0
    while desk.proxy.next_event() is not None:
        answers += 1
    assert answers == 16


@pytest.mark.parametrize(("translate", "status"), [(True, 500), (False, 503)])
def test_overload_of_a_branch_is_not_ours(*, translate: bool, status: int) -> None:
    """§16.7 step 6: a client that reads 503 leaves us, not the phone."""
    desk = Desk(translate_503=translate)
    desk.relay(make_request("OPTIONS"))
    returning = desk.answer(desk.sent(DOWN)[0], 503, Retry_After="60")
    assert returning is not None
    assert returning.response.status == 503

    desk.proxy.forward(returning, 1.0)
    (response,) = desk.sent(UP)
    assert isinstance(response, Response)
    assert response.status == status
    assert ("Retry-After" in response) is not translate


def test_the_ack_of_a_2xx_is_forwarded_without_state(desk: Desk) -> None:
    """§16.11, §13.2.2.4."""
    incoming = desk.incoming(make_request("ACK", "z9hG4bKnew", to_tag="bob"))
    assert incoming.transaction is None
    decision = Relay(incoming.request, (Target("sip:bob@192.0.2.3", DOWN, ("<sip:edge;lr>",)),))
    assert desk.proxy.execute(incoming, decision, 0.0) is None

    (ack,) = desk.sent(DOWN)
    assert isinstance(ack, Request)
    assert (ack.method, ack.get("Max-Forwards"), ack.get("Route")) == ("ACK", "69", "<sip:edge;lr>")
    assert len(ack.all("Via")) == 2
    assert desk.proxy.transactions == 0


@pytest.mark.parametrize("decision", [Reply(404), Drop()])
def test_an_ack_is_never_answered(desk: Desk, decision: Reply | Drop) -> None:
    incoming = desk.incoming(make_request("ACK", "z9hG4bKnew", to_tag="bob"))
    desk.proxy.execute(incoming, decision, 0.0)
    assert desk.proxy.messages_to_send() == []


def test_an_ack_out_of_hops_disappears(desk: Desk) -> None:
    ack = make_request("ACK", "z9hG4bKnew", to_tag="bob")
    ack.set("Max-Forwards", "0")
    incoming = desk.incoming(ack)
    desk.proxy.execute(incoming, Relay(incoming.request, (TO_BOB,)), 0.0)
    assert desk.proxy.messages_to_send() == []


def test_a_context_ends_when_nothing_more_can_come(desk: Desk) -> None:
    context = desk.relay(make_request("OPTIONS"))
    returning = desk.answer(desk.sent(DOWN)[0], 200)
    assert returning is not None
    assert returning.context is context
    desk.proxy.forward(returning, 1.0)
    desk.proxy.handle_timer(6.0)  # timer K of the branch
    assert desk.proxy.next_event() is None

    desk.proxy.handle_timer(33.0)  # timer J
    event = desk.proxy.next_event()
    assert isinstance(event, Ended)
    assert event.context is context
    assert (desk.proxy.next_event(), desk.proxy.transactions) == (None, 0)


def test_an_ended_context_leaves_memory_without_the_garbage_collector(desk: Desk) -> None:
    """A daemon's collector looks so rarely that a cycle per call would fill the memory."""
    gc.disable()
    try:
        context = weakref.ref(desk.relay(make_request("INVITE")))
        (invite,) = desk.sent(DOWN)
        for status in (180, 200):
            returning = desk.answer(invite, status)
            assert returning is not None
            desk.proxy.forward(returning, 1.0)
        del returning
        desk.proxy.handle_timer(40.0)  # timers L and M
        assert isinstance(desk.proxy.next_event(), Ended)
        assert context() is None
    finally:
        gc.enable()


def test_a_request_without_call_id_can_be_rejected(desk: Desk) -> None:
    request = make_request()
    request.remove("Call-ID")
    with pytest.raises(MissingHeader) as caught:
        desk.proxy.receive(request, UP, 0.0)
    assert caught.value.request is not None
    desk.proxy.reject(caught.value.request, UP, caught.value.status, caught.value.reason)

    ((data, _),) = desk.proxy.messages_to_send()
    assert data.startswith(b"SIP/2.0 400 Missing Call-ID Header\r\n")
