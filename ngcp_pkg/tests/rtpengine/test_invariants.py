"""What holds whatever the proxy says, and in whatever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.ng.bencode import Value
from rtpengine.harness import RTP, SILENT_TIMEOUT, Phone, Relay

PAIRS = 12
TAGS = st.sampled_from(["a", "b", "c"])
PORTS = st.sampled_from([0, 4000, 4002])
BODIES = st.lists(PORTS, min_size=1, max_size=3)

Fields = dict[str, st.SearchStrategy[object]]
SIGNAL: Fields = {"command": st.sampled_from(["offer", "answer"]), "from-tag": TAGS, "sections": BODIES}
BRANCHES: Fields = {"to-tag": TAGS, "via-branch": st.sampled_from(["1", "2"])}

SIGNALS = st.fixed_dictionaries(SIGNAL, optional=BRANCHES)
ENDS = st.fixed_dictionaries(
    {"command": st.just("delete")}, optional={"from-tag": TAGS, "to-tag": TAGS, "via-branch": st.just("1")}
)
QUERIES = st.just({"command": "query"})
WAITS = st.fixed_dictionaries({"command": st.just("wait"), "seconds": st.sampled_from([1, 59, 61])})
PACKETS = st.fixed_dictionaries({"command": st.just("packet"), "port": st.integers(0, 2 * PAIRS - 1)})


def body(phone: Phone, ports: list[int]) -> str:
    return phone.body(sections=tuple(f"m=video {port} RTP/AVP 34" for port in ports))


def execute(relay: Relay, step: dict[str, object]) -> None:
    """Send a command, let a packet arrive or time pass."""
    phone = Phone(relay, "", "192.0.2.1", 4000)
    match step:
        case {"command": "wait", "seconds": int() as seconds}:
            relay.wait(seconds)
        case {"command": "packet", "port": int() as port}:
            local = ("203.0.113.1", 30000 + port)
            if local in relay.wire.flows:
                relay.wire.arrive(local, ("192.0.2.1", 4000), RTP)
        case _:
            fields: dict[str, Value] = {key: value for key, value in step.items() if isinstance(value, str)}
            sections = step.get("sections")
            if isinstance(sections, list):
                fields["sdp"] = body(phone, sections)
            relay.ask(**{key.replace("-", "_"): value for key, value in fields.items()}, call_id="call")


@settings(max_examples=200, deadline=None)
@given(st.lists(SIGNALS | ENDS | QUERIES | WAITS | PACKETS, max_size=25))
def test_ports_flows_and_calls_agree(steps: list[dict[str, object]]) -> None:
    relay = Relay(pairs=PAIRS)
    for step in steps:
        execute(relay, step)
        assert relay.wire.bound == set(relay.wire.flows)
        assert len(relay.wire.bound) + 2 * len(relay.pool) == 2 * PAIRS
        for flow in relay.wire.flows.values():
            assert relay.wire.flows[flow.send_from].send_from == flow.local
    relay.wait(2 * SILENT_TIMEOUT)
    assert relay.is_idle
