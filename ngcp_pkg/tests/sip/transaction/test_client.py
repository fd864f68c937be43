"""Client transactions on a clock turned by hand (RFC 3261 §17.1, RFC 6026 §7.2)."""

import pytest

from ngcp.sip.syntax import parse
from ngcp.sip.transaction import Answered, Failed, State
from sip.transaction.bench import Bench

EVERY_TRANSPORT = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
RELIABLE = pytest.mark.parametrize("transport", ["tcp", "tls"])


def test_an_unanswered_invite_is_sent_seven_times_and_then_counts_as_408() -> None:
    """§17.1.1.2: timer A doubles, timer B ends it."""
    bench = Bench()
    invite = bench.ask("INVITE")
    assert bench.sent() == ["INVITE sip:bob@example.org SIP/2.0"]

    assert bench.run_until(40) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    failed, _ = bench.events()
    assert isinstance(failed, Failed)
    assert failed.status == 408
    assert invite.state is State.TERMINATED
    assert len(bench.layer) == 0


def test_an_unanswered_request_is_sent_eleven_times() -> None:
    """§17.1.2.2: timer E doubles up to T2, timer F ends it."""
    bench = Bench()
    bench.ask("OPTIONS")
    bench.sent()

    assert bench.run_until(40) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.kinds() == ["Failed", "Terminated"]


@RELIABLE
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_nothing_is_retransmitted_on_a_reliable_transport(method: str, transport: str) -> None:
    bench = Bench(transport)
    bench.ask(method)
    bench.sent()

    assert bench.run_until(40) == []
    assert bench.kinds() == ["Failed", "Terminated"]


def test_a_provisional_response_stops_the_invite() -> None:
    """§17.1.1.2: in Proceeding, nothing is retransmitted; timer C is the proxy's business."""
    bench = Bench()
    invite = bench.ask("INVITE")
    bench.sent()
    bench.receive(invite.request.reply(180))

    assert bench.run_until(1000) == []
    assert bench.kinds() == ["Answered"]
    assert invite.state is State.PROCEEDING
    assert bench.layer.next_timer() is None


def test_a_provisional_response_slows_a_request_down() -> None:
    """§17.1.2.2: in Proceeding, timer E is T2."""
    bench = Bench()
    options = bench.ask("OPTIONS")
    bench.sent()
    bench.receive(options.request.reply(100))

    assert bench.run_until(40) == [0.5, *(4.5 + 4 * i for i in range(7))]
    assert bench.kinds() == ["Answered", "Failed", "Terminated"]


@pytest.mark.parametrize("status", [300, 404, 486, 503, 603])
def test_a_failure_of_an_invite_is_acknowledged_each_time_and_told_once(status: int) -> None:
    """§17.1.1.2: Completed acknowledges retransmissions for 32 s."""
    bench = Bench()
    invite = bench.ask("INVITE")
    bench.sent()
    for _ in range(3):
        bench.receive(invite.request.reply(status, to_tag="bob"))

    assert bench.sent() == ["ACK sip:bob@example.org SIP/2.0"] * 3
    assert bench.kinds() == ["Answered"]
    bench.run_until(31.9)
    assert bench.events() == []
    bench.run_until(32)
    assert bench.kinds() == ["Terminated"]


def test_the_ack_of_a_failure_looks_as_17_1_1_3_wants_it() -> None:
    bench = Bench()
    invite = bench.ask("INVITE")
    invite.request.prepend("Route", "<sip:r2;lr>")
    invite.request.prepend("Route", "<sip:r1;lr>")
    bench.layer.messages_to_send()
    bench.receive(invite.request.reply(486, to_tag="bob"))

    ack = parse(bench.layer.messages_to_send()[0][0])
    assert ack.all("Via") == ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours"]
    assert ack.all("Route") == ["<sip:r1;lr>", "<sip:r2;lr>"]
    assert ack.first("From") == "<sip:alice@example.org>;tag=alice"
    assert ack.first("To") == "<sip:bob@example.org>;tag=bob"
    assert (str(ack.cseq), ack.call_id, ack.body) == ("1 ACK", "call-1", b"")


@EVERY_TRANSPORT
def test_2xx_of_an_invite_are_all_told_for_32_seconds(transport: str) -> None:
    """RFC 6026 §7.2: Accepted passes retransmissions and other forks' 2xx up, and acknowledges nothing."""
    bench = Bench(transport)
    invite = bench.ask("INVITE")
    bench.sent()
    bench.receive(invite.request.reply(200, to_tag="bob"))
    bench.run_until(31.9)
    bench.receive(invite.request.reply(200, to_tag="carol"))
    assert bench.kinds() == ["Answered", "Answered"]
    assert bench.sent() == []

    bench.run_until(32)
    bench.receive(invite.request.reply(200, to_tag="bob"))
    assert bench.kinds() == ["Terminated"]


def test_a_failure_after_2xx_and_a_2xx_after_a_failure_mean_nothing() -> None:
    bench = Bench()
    invite = bench.ask("INVITE")
    bench.receive(invite.request.reply(200, to_tag="bob"))
    bench.receive(invite.request.reply(486, to_tag="bob"))
    assert bench.kinds() == ["Answered"]
    assert invite.state is State.ACCEPTED

    other = Bench()
    invite = other.ask("INVITE")
    other.receive(invite.request.reply(486, to_tag="bob"))
    other.receive(invite.request.reply(200, to_tag="bob"))
    assert other.kinds() == ["Answered"]
    assert invite.state is State.COMPLETED


@pytest.mark.parametrize(("transport", "lasts"), [("udp", 5.0), ("tcp", 0.0), ("tls", 0.0)])
def test_a_finished_request_absorbs_retransmissions_until_timer_k(transport: str, lasts: float) -> None:
    """§17.1.2.2."""
    bench = Bench(transport)
    options = bench.ask("OPTIONS")
    bench.receive(options.request.reply(200))
    bench.receive(options.request.reply(200))
    bench.run_until(lasts)

    assert bench.kinds() == ["Answered", "Terminated"]
    assert len(bench.layer) == 0


@RELIABLE
def test_a_refused_invite_is_over_at_once_on_a_reliable_transport(transport: str) -> None:
    """§17.1.1.2: timer D is zero; the ACK leaves all the same."""
    bench = Bench(transport)
    invite = bench.ask("INVITE")
    bench.sent()
    bench.receive(invite.request.reply(486))

    assert bench.sent() == ["ACK sip:bob@example.org SIP/2.0"]
    assert bench.kinds() == ["Answered", "Terminated"]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_transport_failure_counts_as_503(method: str) -> None:
    """§17.1.4, §8.1.3.1."""
    bench = Bench("tcp")
    bench.ask(method)
    bench.layer.transport_failed(bench.flow, 1.0)

    failed, _ = bench.events()
    assert isinstance(failed, Failed)
    assert failed.status == 503
    assert len(bench.layer) == 0
    assert bench.layer.next_timer() is None


def test_a_response_of_another_method_is_nobodys() -> None:
    """§17.1.3: CANCEL shares the branch of its INVITE."""
    bench = Bench()
    invite = bench.ask("INVITE")
    response = invite.request.reply(200)
    response.set("CSeq", "1 CANCEL")
    bench.receive(response)

    assert bench.events() == []
    assert invite.state is State.CALLING


def test_answers_carry_the_response_as_it_came() -> None:
    bench = Bench()
    options = bench.ask("OPTIONS")
    response = options.request.reply(200)
    response.append("X-Note", "here")
    bench.receive(response)

    answered, *_ = bench.events()
    assert isinstance(answered, Answered)
    assert answered.transaction is options
    assert bytes(answered.response) == bytes(response)
