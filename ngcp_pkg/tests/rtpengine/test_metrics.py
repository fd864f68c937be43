"""What Prometheus reads."""

from ngcp.rtpengine.metrics import metrics
from ngcp.rtpengine.view import View
from rtpengine.harness import Phone, Relay, establish
from rtpengine.kernel import Kernel


def test_every_statistic_has_a_name_and_a_value() -> None:
    relay = Relay(fast=Kernel())
    alice, bob = Phone(relay, "alice", "198.51.100.10", 4000), Phone(relay, "bob", "192.0.2.20", 5000)
    for _ in range(2):
        relay.ask(command="delete", call_id="call")
        establish(alice, bob)
        alice.send()
        bob.send()
    lines = metrics(View(relay.calls, relay.plane)).splitlines()
    for line in (
        "ngcp_rtpengine_calls 1",
        'ngcp_rtpengine_commands_total{command="offer"} 2',
        "ngcp_rtpengine_calls_total 2",
        'ngcp_rtpengine_ended_calls_total{cause="deleted"} 1',
        "ngcp_rtpengine_packets_total 4",
        'ngcp_rtpengine_ended_streams_total{way="one_way"} 0',
        'ngcp_rtpengine_free_port_pairs{address="203.0.113.1"} 98',
        'ngcp_rtpengine_free_port_pairs{address="2001:db8::1"} 100',
        'ngcp_rtpengine_flows{plane="kernel module"} 2',
        'ngcp_rtpengine_flows{plane="user space"} 2',
    ):
        assert line in lines
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    assert {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")} <= helped
