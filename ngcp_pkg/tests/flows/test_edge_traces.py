"""An operator traces: what crosses the edge is seen as it is on the wire, within bounds, without secrets."""

import asyncio
import base64

import pytest

from flows.edge import PROXY, PUBLIC, StubProxy
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer
from ngcp.lb.trace import BATCH, BYTES, MAXIMUM, MESSAGES, UNREAD, Traces, add_traces, hide_secrets
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.sip.transport.flow import Flow

ALICE, BOB, MALLORY = ("198.51.100.7", 5060), ("198.51.100.8", 5060), ("203.0.113.66", 5060)


class Operator:
    """Sends commands, and remembers what traces showed."""

    def __init__(self, core: LoadBalancer, wire: Wire) -> None:
        self._table = CommandTable("kamailio-lb")
        add_traces(self._table, Traces(core, wire.clock))
        self.lost = 0
        self.has_more = False

    def start(self, pattern: str = "") -> int:
        number = self._ask("trace.start", pattern)
        assert isinstance(number, int)
        return number

    def running(self) -> Json:
        return self._ask("trace.list")

    def stop(self, number: int) -> Json:
        return self._ask("trace.stop", number)

    def read(self, number: int) -> list[dict[str, Json]]:
        answer = self._ask("trace.read", number)
        assert isinstance(answer, dict)
        assert isinstance(answer["messages"], list)
        assert isinstance(answer["lost"], int)
        self.lost, self.has_more = answer["lost"], bool(answer["more"])
        return [message for message in answer["messages"] if isinstance(message, dict)]

    def _ask(self, name: str, *arguments: Json) -> Json:
        return asyncio.run(self._table.call(name, *arguments))


@pytest.fixture
def operator(wire: Wire, edge: LoadBalancer) -> Operator:
    return Operator(edge, wire)


def data_of(message: dict[str, Json]) -> bytes:
    return base64.b64decode(str(message["data"]))


def test_a_call_is_seen_on_both_sides_in_order(wire: Wire, stub: StubProxy, operator: Operator) -> None:
    """Every message of it, byte by byte, with the time and the way it took."""
    alice, bob = Phone(wire, "alice", ALICE, PUBLIC), Phone(wire, "bob", BOB, PUBLIC)
    for phone in (alice, bob):
        attempt = phone.register()
        assert wire.run_until(lambda attempt=attempt: attempt.is_over)  # type: ignore[misc]  # default binds
    trace, before = operator.start(), len(wire.packets)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)
    call.hang_up()
    wire.run(1.0)

    seen = operator.read(trace)
    assert sorted(data_of(message) for message in seen) == sorted(
        packet.data for packet in wire.packets[before:]
    )
    first, *_, last = seen
    assert (first["direction"], first["transport"]) == ("in", "udp")
    assert (first["remote"], first["local"]) == ("198.51.100.7:5060", "192.0.2.1:5060")
    assert (last["direction"], data_of(last)[:14]) == ("out", b"SIP/2.0 200 OK")
    times = [message["at"] for message in seen]
    assert times == sorted(times, key=lambda at: at if isinstance(at, float) else 0.0)
    assert f"{PROXY[0]}:{PROXY[1]}" in {message["remote"] for message in seen}
    assert stub.requests


def test_a_pattern_chooses(wire: Wire, stub: StubProxy, operator: Operator) -> None:
    assert stub.bindings == {}
    everything, mine = operator.start(), operator.start("user=alice method=REGISTER ip=198.51.100.0/24")
    for phone in (Phone(wire, "alice", ALICE, PUBLIC), Phone(wire, "bob", BOB, PUBLIC)):
        phone.register()
    wire.run(1.0)

    assert len(operator.read(everything)) == 8
    assert [message["direction"] for message in operator.read(mine)] == ["in", "out"]


def test_what_is_no_sip_is_seen_too(wire: Wire, operator: Operator) -> None:
    trace = operator.start("ip=203.0.113.66")
    garbage = b"\x00\x01 no sip \xff"
    Phone(wire, "mallory", MALLORY, PUBLIC).send_raw(garbage)
    wire.run(0.1)

    assert [data_of(message) for message in operator.read(trace)] == [garbage]


def test_what_a_banned_source_sends_is_seen_too(wire: Wire, edge: LoadBalancer, operator: Operator) -> None:
    edge.protection.tables["ipban"].set(MALLORY[0], 1, wire.now)
    trace = operator.start()
    Phone(wire, "mallory", MALLORY, PUBLIC).send_raw(b"x")
    wire.run(0.1)

    assert [data_of(message) for message in operator.read(trace)] == [b"x"]
    assert edge.counters["banned"] == 1


def test_a_message_is_read_once_and_a_stopped_trace_is_gone(wire: Wire, operator: Operator) -> None:
    trace = operator.start()
    Phone(wire, "alice", ALICE, PUBLIC).send_raw(b"x")
    wire.run(0.1)

    assert len(operator.read(trace)) == 1
    assert operator.read(trace) == []
    assert operator.stop(trace) is True
    assert operator.stop(trace) is False
    with pytest.raises(CommandError, match=f"no trace {trace}: one that nobody reads for 10 s ends"):
        operator.read(trace)


def test_operators_see_each_others_traces(wire: Wire, operator: Operator) -> None:
    first = operator.start("ip=203.0.113.66")
    second = operator.start()
    Phone(wire, "mallory", MALLORY, PUBLIC).send_raw(b"12345")
    wire.run(0.1)
    operator.read(second)

    assert operator.running() == [
        {"number": first, "pattern": "ip=203.0.113.66", "kept": 1, "bytes": 5},
        {"number": second, "pattern": "", "kept": 0, "bytes": 0},
    ]
    wire.run(UNREAD + 1)
    assert operator.running() == []


def test_without_a_trace_the_core_has_no_tap(edge: LoadBalancer, operator: Operator) -> None:
    assert edge.tap is None
    first, second = operator.start(), operator.start()
    assert edge.tap is not None
    operator.stop(first)
    assert edge.tap is not None
    operator.stop(second)
    assert edge.tap is None


def test_a_trace_nobody_reads_ends_by_itself(wire: Wire, edge: LoadBalancer, operator: Operator) -> None:
    phone = Phone(wire, "alice", ALICE, PUBLIC)
    read, unread = operator.start(), operator.start()
    wire.run(UNREAD / 2)
    operator.read(read)
    wire.run(UNREAD / 2 + 1)
    phone.send_raw(b"x")
    wire.run(0.1)

    assert len(operator.read(read)) == 1
    with pytest.raises(CommandError):
        operator.read(unread)
    wire.run(UNREAD + 1)
    phone.send_raw(b"x")
    wire.run(0.1)
    assert edge.tap is None


def test_there_are_only_so_many_traces_until_one_ends(wire: Wire, operator: Operator) -> None:
    for _ in range(MAXIMUM):
        operator.start()
    with pytest.raises(CommandError, match="there are 4 traces already"):
        operator.start()
    wire.run(UNREAD + 1)
    assert operator.start() == MAXIMUM + 2, "the one that was refused has a number, too"


def test_too_many_messages_push_out_the_oldest(edge: LoadBalancer, operator: Operator) -> None:
    flow, trace = Flow("udp", PUBLIC, ALICE), operator.start()
    for number in range(MESSAGES + 3):
        edge.receive(b"\r\n" + b" " * number, flow, 0.0)

    first = operator.read(trace)
    assert (len(first), operator.lost, operator.has_more) == (BATCH, 3, True)
    assert data_of(first[0]) == b"\r\n   "
    rest = 0
    while operator.has_more:
        rest += len(operator.read(trace))
    assert (len(first) + rest, operator.lost) == (MESSAGES, 0)


def test_a_trace_keeps_only_so_many_bytes(edge: LoadBalancer, operator: Operator) -> None:
    flow, trace = Flow("tcp", PUBLIC, ALICE), operator.start()
    large = b"\r\n" + b" " * 60_000
    for _ in range(2 * BYTES // len(large)):
        edge.receive(large, flow, 0.0)

    kept = len(operator.read(trace))
    lost = operator.lost
    while operator.has_more:
        kept += len(operator.read(trace))
    assert kept == BYTES // len(large)
    assert lost == 2 * BYTES // len(large) - kept


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (
            b'Authorization: Digest username="a", response="0a1b2c3d", uri="sip:h"\r\n',
            b'Authorization: Digest username="a", response="xxxxxxxx", uri="sip:h"\r\n',
        ),
        (
            b"Proxy-Authorization: Digest RESPONSE = abc,nc=1",
            b"Proxy-Authorization: Digest RESPONSE = xxx,nc=1",
        ),
        (b"\r\nauthorization:  Basic dTpw\r\n", b"\r\nauthorization:  Basic xxxx\r\n"),
        (
            b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20\r\n",
            b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxx|2^20\r\n",
        ),
        (b'WWW-Authenticate: Digest nonce="1", rspauth="2"\r\n', None),
    ],
)
def test_secrets_are_hidden_and_lengths_stay(data: bytes, shown: bytes | None) -> None:
    """A digest is enough for guessing a password offline, an SRTP key for listening in."""
    assert hide_secrets(data) == (data if shown is None else shown)


def test_a_trace_shows_no_secret(edge: LoadBalancer, operator: Operator) -> None:
    trace = operator.start("0a1b")
    edge.receive(
        b'X sip:a SIP/2.0\r\nAuthorization: Digest response="0a1b"\r\n\r\n', Flow("udp", PUBLIC, ALICE), 0.0
    )

    (message,) = operator.read(trace)
    assert b'response="xxxx"' in data_of(message)
