"""Server transactions on a clock turned by hand (RFC 3261 §17.2, RFC 6026 §7.1)."""

import pytest

from ngcp.sip.transaction import Failed, Received, State
from sip.messages import make_request
from sip.transaction.bench import Bench


def test_a_slow_user_has_the_caller_quenched_after_200_ms() -> None:
    """§17.2.1: 100 so that the caller stops retransmitting; from then on it is repeated."""
    bench = Bench()
    bench.serve(make_request())
    bench.receive(make_request())
    assert bench.sent() == []

    assert bench.run_until(10) == [0.2]
    bench.receive(make_request())
    assert bench.sent() == ["SIP/2.0 100 Trying"]
    assert bench.events() == []


def test_a_quick_user_needs_no_100() -> None:
    bench = Bench()
    invite = bench.serve(make_request())
    invite.respond(invite.request.reply(180, to_tag="bob"), 0.1)

    assert bench.sent() == ["SIP/2.0 180 Ringing"]
    assert bench.run_until(100) == []


def test_an_invite_can_be_quenched_early_and_only_once() -> None:
    bench = Bench()
    invite = bench.serve(make_request())
    invite.quench(0.0)
    invite.quench(0.0)

    assert bench.sent() == ["SIP/2.0 100 Trying"]
    assert bench.run_until(100) == []


def test_other_requests_get_no_100() -> None:
    """§17.2.2, RFC 4320 §4.1."""
    bench = Bench()
    bench.serve(make_request("OPTIONS"))
    assert bench.run_until(100) == []


def test_a_retransmitted_invite_draws_the_last_provisional_response() -> None:
    """§17.2.1."""
    bench = Bench()
    invite = bench.serve(make_request())
    for status in (180, 183):
        invite.respond(invite.request.reply(status, to_tag="bob"), bench.now)
    bench.sent()
    bench.receive(make_request())

    assert bench.sent() == ["SIP/2.0 183 Session Progress"]
    assert bench.events() == []


def test_a_failure_without_ack_is_sent_eleven_times() -> None:
    """§17.2.1: timer G doubles up to T2, timer H gives up."""
    bench = Bench()
    invite = bench.serve(make_request())
    invite.respond(invite.request.reply(486, to_tag="bob"), 0.0)
    bench.sent()

    assert bench.run_until(40) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.kinds() == ["Terminated"]


@pytest.mark.parametrize(("transport", "lasts"), [("udp", 5.0), ("tcp", 0.0)])
def test_the_ack_ends_the_retransmission_of_a_failure(transport: str, lasts: float) -> None:
    """§17.2.1: Confirmed absorbs further ACKs for T4."""
    bench = Bench(transport)
    invite = bench.serve(make_request())
    invite.respond(invite.request.reply(486, to_tag="bob"), 0.0)
    bench.sent()
    ack = make_request("ACK", to_tag="bob")
    bench.receive(ack)
    if lasts:
        bench.receive(ack)
        assert invite.state is State.CONFIRMED

    assert bench.run_until(lasts) == []
    assert bench.kinds() == ["Terminated"]


def test_a_retransmitted_invite_draws_the_failure_again_until_the_ack() -> None:
    bench = Bench()
    invite = bench.serve(make_request())
    invite.respond(invite.request.reply(486, to_tag="bob"), 0.0)
    bench.receive(make_request())
    assert bench.sent() == ["SIP/2.0 486 Busy Here"] * 2

    bench.receive(make_request("ACK", to_tag="bob"))
    bench.receive(make_request())
    assert bench.sent() == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_accepted_invite_lets_every_2xx_through_for_32_seconds(transport: str) -> None:
    """RFC 6026 §7.1: the user retransmits 2xx; a retransmitted INVITE is absorbed."""
    bench = Bench(transport)
    invite = bench.serve(make_request())
    ok = invite.request.reply(200, to_tag="bob")
    invite.respond(ok, 0.0)
    invite.respond(ok, 0.5)
    bench.receive(make_request())
    assert bench.sent() == ["SIP/2.0 200 OK"] * 2

    assert bench.run_until(31.9) == []
    assert invite.state is State.ACCEPTED
    bench.run_until(32)
    assert bench.kinds() == ["Terminated"]


def test_the_ack_of_a_2xx_that_reuses_its_branch_is_passed_up() -> None:
    """RFC 6026 §7.1: Accepted hands ACK to the user."""
    bench = Bench()
    invite = bench.serve(make_request())
    invite.respond(invite.request.reply(200, to_tag="bob"), 0.0)
    bench.receive(make_request("ACK", to_tag="bob"))

    (event,) = bench.events()
    assert isinstance(event, Received)
    assert event.request.method == "ACK"


def test_only_the_first_final_response_counts() -> None:
    bench = Bench()
    invite = bench.serve(make_request())
    for status in (486, 200, 180, 603):
        invite.respond(invite.request.reply(status, to_tag="bob"), 0.0)

    assert bench.sent() == ["SIP/2.0 486 Busy Here"]


def test_lost_200_is_sent_again_until_timer_j() -> None:
    """§17.2.2: a retransmitted request draws the same final response."""
    bench = Bench()
    options = bench.serve(make_request("OPTIONS"))
    bench.receive(make_request("OPTIONS"))
    assert bench.sent() == []

    options.respond(options.request.reply(200, to_tag="bob"), 0.0)
    bench.receive(make_request("OPTIONS"))
    assert bench.sent() == ["SIP/2.0 200 OK"] * 2

    bench.run_until(32)
    assert bench.kinds() == ["Terminated"]


def test_a_finished_request_is_over_at_once_on_a_reliable_transport() -> None:
    bench = Bench("tls")
    options = bench.serve(make_request("OPTIONS"))
    options.respond(options.request.reply(200), 0.0)
    assert bench.kinds() == ["Terminated"]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_an_abandoned_request_is_forgotten(method: str) -> None:
    """RFC 4320 §4.2: an answer that could only come too late is not sent."""
    bench = Bench()
    bench.serve(make_request(method)).abandon(0.0)

    assert (bench.kinds(), bench.sent(), len(bench.layer)) == (["Terminated"], [], 0)
    assert bench.layer.next_timer() is None


@pytest.mark.parametrize(
    ("method", "status", "survives"),
    [("INVITE", 180, True), ("INVITE", 486, True), ("INVITE", 200, True), ("MESSAGE", 100, False)],
)
def test_a_transport_failure_is_told_and_ends_what_nobody_can_answer(
    method: str, status: int, *, survives: bool
) -> None:
    """§17.2.4; an INVITE may still be answered by a new connection (RFC 6026 §7.1)."""
    bench = Bench("tcp")
    transaction = bench.serve(make_request(method))
    transaction.respond(transaction.request.reply(status, to_tag="bob"), 0.0)
    bench.layer.transport_failed(bench.flow, 1.0)

    failed, *rest = bench.events()
    assert isinstance(failed, Failed)
    assert failed.transaction is transaction
    assert bool(rest) is not survives
