"""Matching (RFC 3261 §17.1.3, §17.2.3), bounded memory and the layer's doors."""

import pytest

from ngcp.sip.errors import InvalidHeader, MissingHeader, SipError
from ngcp.sip.syntax import Request
from ngcp.sip.transaction import Received
from sip.messages import BOB, flow, make_request
from sip.transaction.bench import Bench


def test_a_retransmission_is_no_new_request() -> None:
    bench = Bench()
    bench.serve(make_request())
    bench.receive(make_request())
    assert (bench.events(), len(bench.layer)) == ([], 1)


@pytest.mark.parametrize(
    "other",
    [
        make_request(branch="z9hG4bKa2"),
        make_request(sent_by="192.0.2.9:5060"),
        make_request(sent_by="192.0.2.2:5070"),
        make_request("CANCEL"),
        make_request("OPTIONS"),
    ],
    ids=["branch", "host", "port", "CANCEL", "method"],
)
def test_a_request_is_matched_by_branch_sent_by_and_method(other: Request) -> None:
    """§17.2.3: each of them makes another transaction."""
    bench = Bench()
    first = bench.serve(make_request())
    assert bench.serve(other) is not first
    assert len(bench.layer) == 2


def test_a_missing_port_is_the_default_port() -> None:
    """§18.1.1: sent-by without a port means 5060."""
    bench = Bench()
    bench.serve(make_request(sent_by="192.0.2.2"))
    bench.receive(make_request(sent_by="192.0.2.2:5060"))
    assert len(bench.layer) == 1


def test_merged_requests_are_transactions_of_their_own() -> None:
    """A fork upstream brings one call by two ways; a proxy carries both (§16, cf. §8.2.2.2)."""
    bench = Bench()
    first = bench.serve(make_request(branch="z9hG4bKone"))
    second = bench.serve(make_request(branch="z9hG4bKtwo"))
    assert first.request.call_id == second.request.call_id


@pytest.mark.parametrize("branch", ["", "1", "z9hG4bK"], ids=["none", "foreign", "cookie only"])
class TestRfc2543:
    """§17.2.3: requests of elements that know no unique branches."""

    def test_retransmissions_are_matched(self, branch: str) -> None:
        bench = Bench()
        bench.serve(make_request("OPTIONS", branch))
        bench.receive(make_request("OPTIONS", branch))
        assert len(bench.layer) == 1

    def test_another_cseq_is_another_request(self, branch: str) -> None:
        bench = Bench()
        bench.serve(make_request("OPTIONS", branch))
        bench.serve(make_request("OPTIONS", branch, cseq="2 OPTIONS"))
        assert len(bench.layer) == 2

    def test_the_ack_finds_the_failed_invite(self, branch: str) -> None:
        bench = Bench()
        invite = bench.serve(make_request("INVITE", branch))
        invite.respond(invite.request.reply(486, to_tag="bob"), 0.0)
        bench.receive(make_request("ACK", branch, to_tag="bob"))
        bench.run_until(6)
        assert bench.kinds() == ["Terminated"]

    def test_the_cancel_finds_its_invite(self, branch: str) -> None:
        bench = Bench()
        invite = bench.serve(make_request("INVITE", branch))
        assert bench.layer.find_invite(make_request("CANCEL", branch)) is invite


def test_a_cancel_finds_its_invite_and_no_other() -> None:
    """§9.2."""
    bench = Bench()
    invite = bench.serve(make_request())
    assert bench.layer.find_invite(make_request("CANCEL")) is invite
    assert bench.layer.find_invite(make_request("CANCEL", branch="z9hG4bKa2")) is None


def test_the_ack_of_a_2xx_has_no_transaction() -> None:
    bench = Bench()
    bench.receive(make_request("ACK", branch="z9hG4bKnew"))

    (event,) = bench.events()
    assert isinstance(event, Received)
    assert event.transaction is None
    assert len(bench.layer) == 0


def test_a_response_to_nothing_is_dropped() -> None:
    """RFC 6026 §7.3: a stray response is never forwarded."""
    bench = Bench()
    bench.receive(make_request().reply(200))
    assert (bench.events(), bench.sent()) == ([], [])


def test_the_source_is_noted_in_the_topmost_via() -> None:
    """§18.2.1, RFC 3581 §4."""
    bench = Bench()
    transaction = bench.serve(make_request(sent_by="10.0.0.5:5060"))
    assert transaction.request.via.params["received"] == "192.0.2.2"
    assert transaction.request.via.params["rport"] == "5060"


def test_responses_go_back_where_the_request_came_from() -> None:
    bench = Bench()
    transaction = bench.serve(make_request(sent_by="10.0.0.5:5060"))
    transaction.respond(transaction.request.reply(404), 0.0)
    assert [way for _, way in bench.layer.messages_to_send()] == [bench.flow]


def test_a_full_layer_refuses_new_work_and_finishes_the_old() -> None:
    bench = Bench(max_transactions=2)
    first = bench.serve(make_request(branch="z9hG4bK1"))
    bench.serve(make_request(branch="z9hG4bK2"))
    bench.receive(make_request(branch="z9hG4bK3"))
    assert bench.sent() == ["SIP/2.0 503 Service Unavailable"]
    assert (bench.events(), len(bench.layer)) == ([], 2)

    first.respond(first.request.reply(200), 0.0)
    assert bench.sent() == ["SIP/2.0 200 OK"]


def test_the_ack_of_a_refusal_without_transaction_is_swallowed() -> None:
    """It looks like the ACK of a 2xx, but nobody has a dialog for it."""
    bench = Bench()
    bench.layer.reject(make_request(), bench.flow, 503)
    refusal = bench.layer.messages_to_send()[0][0].decode()
    tag = refusal.partition("To: <sip:bob@example.org>;tag=")[2].partition("\r\n")[0]
    bench.receive(make_request("ACK", to_tag=tag))
    assert tag
    assert bench.events() == []


def test_an_ack_is_never_rejected() -> None:
    bench = Bench()
    bench.layer.reject(make_request("ACK"), bench.flow, 400)
    assert bench.sent() == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("Via", None, MissingHeader),
        ("Via", "nonsense", InvalidHeader),
        ("CSeq", None, MissingHeader),
        ("CSeq", "x INVITE", InvalidHeader),
        ("CSeq", "1 BYE", InvalidHeader),
        ("From", None, MissingHeader),
        ("To", None, MissingHeader),
        ("Call-ID", None, MissingHeader),
    ],
)
def test_a_request_that_transactions_cannot_rest_upon_is_refused_before_anything_happens(
    name: str, value: str | None, error: type[SipError]
) -> None:
    """§8.1.1; the error names the request, so that it can be rejected."""
    bench = Bench()
    request = make_request()
    request.remove(name)
    if value is not None:
        request.append(name, value)

    with pytest.raises(error) as caught:
        bench.layer.receive(request, bench.flow, 0.0)
    assert caught.value.request is request
    assert (len(bench.layer), bench.events()) == (0, [])

    bench.layer.reject(request, bench.flow, caught.value.status)
    assert bench.sent() == ["SIP/2.0 400 Bad Request"]


def test_a_response_without_to_is_refused_before_anything_happens() -> None:
    """Its ACK could not be written."""
    bench = Bench()
    invite = bench.ask("INVITE")
    bench.sent()
    response = invite.request.reply(486)
    response.remove("To")

    with pytest.raises(MissingHeader) as caught:
        bench.receive(response)
    assert caught.value.request is None
    assert (bench.sent(), bench.events()) == ([], [])


def test_a_failing_flow_ends_only_what_uses_it() -> None:
    bench = Bench("tcp")
    bench.ask("OPTIONS")
    other = flow(BOB, "tcp")
    bench.layer.request(make_request("OPTIONS", "z9hG4bKother"), other, "z9hG4bKother", 0.0)

    bench.layer.transport_failed(other, 0.0)
    assert len(bench.layer) == 1
    bench.layer.transport_failed(flow(("192.0.2.99", 1)), 0.0)
    assert len(bench.layer) == 1
