"""What workers say to each other: every packet comes back as it was, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.lb.channel import TOLD, Kind, Passed, Told, read, write
from ngcp.lb.exchange import Exchange
from ngcp.lb.expiring import ExpiringTable
from ngcp.sip.transport.flow import Flow

FLOW = Flow("tls", ("2001:db8::1", 5061), ("2001:db8::9", 40001))

hosts = st.ip_addresses().map(str)
addresses = st.tuples(hosts, st.integers(0, 65535))
flows = st.builds(Flow, st.sampled_from(["udp", "tcp", "tls", "ws", "wss"]), addresses, addresses)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(set(Kind) - TOLD, key=str)), flows, st.binary())
def test_what_is_passed_on_arrives(kind: Kind, flow: Flow, data: bytes) -> None:
    assert read(write(Passed(kind, flow, data))) == Passed(kind, flow, data)


@given(st.sampled_from(sorted(TOLD, key=str)), values)
def test_what_is_told_arrives(kind: Kind, value: object) -> None:
    assert read(write(Told(kind, value))) == Told(kind, value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"response",
        b"gossip\n{}",
        b"news\n{",
        b"news\n\xff",
        b"\xff\n",
        b"send tcp 192.0.2.1 5060 192.0.2.9\n",
        b"send tcp 192.0.2.1 port 192.0.2.9 1\n",
    ],
)
def test_what_is_no_packet_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(data)


def test_a_response_that_nobody_can_read_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="cannot have read"):
        Exchange(0, 2).receive(write(Passed(Kind.RESPONSE, FLOW, b"no SIP")), 1)


def test_a_change_of_a_table_reaches_every_other_worker() -> None:
    exchanges = [Exchange(number, 3) for number in range(3)]
    tables = [ExpiringTable("ipban", 60.0) for _ in exchanges]
    for exchange, table in zip(exchanges, tables, strict=True):
        exchange.share([table])

    def carry() -> list[int]:
        packets = [packet for exchange in exchanges for packet in exchange.route([])]
        for data, flow in packets:
            exchanges[flow.remote[1]].receive(data, flow.local[1])
        return [flow.remote[1] for _, flow in packets]

    tables[1].set("192.0.2.66", 1, now=100.0)
    assert carry() == [0, 2]
    assert [table.get("192.0.2.66", 159.0) for table in tables] == [1, 1, 1]
    assert [table.get("192.0.2.66", 160.0) for table in tables] == [None, None, None]
    tables[1].set("192.0.2.66", 1, now=200.0)
    carry()
    tables[2].delete("192.0.2.66")
    assert carry() == [0, 1]
    assert [table.get("192.0.2.66", 200.0) for table in tables] == [None, None, None]
    assert carry() == [], "nobody tells what was told"
