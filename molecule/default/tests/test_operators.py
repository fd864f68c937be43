"""What an operator sees of calls on a node: a trace as they pass, and metrics, from inside only."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from testinfra.host import Host

from lab import network
from lab.call import call
from lab.machines import Machine
from lab.process import wait_until
from lab.sipp import Phone

METRICS_PORTS: Final = {"ngcp_lb": 9494, "ngcp_proxy": 9495, "ngcp_rtpengine": 9496}
#: Asks as a Prometheus server on the node does.
SCRAPE: Final = (
    "python3 -c 'import urllib.request as u; "
    'print(u.urlopen("http://127.0.0.1:{}/metrics").read().decode())\''
)
#: Runs a tool as an operator does who presses Ctrl-C in the end; what it prints goes into a file.
UNIT: Final = "operator-trace"
OUTPUT: Final = f"/run/{UNIT}"
BEGIN: Final = (
    f"systemd-run --quiet --collect --unit={UNIT} --property=KillSignal=SIGINT"
    f" --property=StandardOutput=truncate:{OUTPUT} --property=RuntimeMaxSec=120 "
)


@contextmanager
def tracing(host: Host, arguments: str) -> Iterator[None]:
    """Trace at the load-balancer as long as the context lasts."""
    host.check_output(f"{BEGIN} ngcp-kamctl lb trace {arguments}")
    assert wait_until(lambda: bool(traces(host)), 20.0)
    try:
        yield
    finally:
        host.check_output(f"sleep 1; systemctl stop {UNIT}")


def traces(host: Host) -> list[object]:
    """List who traces what."""
    found: list[object] = json.loads(host.check_output("ngcp-sercmd lb trace.list --json"))
    return found


def test_a_trace_shows_a_call_on_both_sides_of_the_edge(
    host: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """One line a message: from the caller, to the proxy, to the callee, who is told the number that calls."""
    caller, callee = phones
    with tracing(host, f"user={callee.user}"):
        call(machine, caller, callee, packets=20).check()

    lines = host.check_output(f"cat {OUTPUT}").splitlines()
    invites = [line.split(" ", 1)[1] for line in lines if " INVITE sip:" in line]
    public = f"{machine.address}:5060"
    assert [line for line in invites if line.startswith(f"in  udp {caller.address}:5060 > {public} ")]
    assert [line for line in invites if line.startswith("out udp 127.0.0.1:5060 > 127.0.0.1:5062 ")]
    assert [line for line in invites if line.startswith(f"out udp {public} > {callee.address}:5060 ")]
    assert [line for line in lines if f"in  udp {caller.address}:5060" in line and " BYE " in line]
    assert traces(host) == []


def test_nothing_of_the_inside_leaves_the_node(
    host: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """Topology hiding: no message of a call that phones get names an inner address or another hop."""
    caller, callee = phones
    with tracing(host, f"--json user={caller.user}"):
        call(machine, caller, callee, packets=20).check()

    rows = [json.loads(line) for line in host.check_output(f"cat {OUTPUT}").splitlines()]
    public = f"{machine.address}:5060"
    shown = [row["message"] for row in rows if row["direction"] == "out" and row["source"] == public]
    assert len(shown) >= 6
    assert [text for text in shown if "127.0.0.1" in text or text.count("\nVia:") != 1] == []


def test_a_capture_is_one_for_tcpdump(host: Host, machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """The file begins as libpcap's do, and holds requests and answers."""
    with tracing(host, "--pcap - method=INVITE"):
        call(machine, *phones, packets=20).check()

    assert host.check_output(f"head -c 4 {OUTPUT} | od -An -tx4").strip() == "a1b2c3d4"
    assert int(host.check_output(f"grep -c --text 'INVITE sip:' {OUTPUT}")) >= 4
    assert int(host.check_output(f"grep -c --text 'SIP/2.0 200 OK' {OUTPUT}")) >= 2


def test_metrics_count_what_happened(host: Host, machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """A counter is there, and counts."""
    before = invites(host)
    call(machine, *phones, packets=20).check()

    assert invites(host) > before
    assert "ngcp_proxy_registrations " in host.check_output(SCRAPE.format(METRICS_PORTS["ngcp_proxy"]))
    assert "ngcp_rtpengine_calls 0\n" in host.check_output(SCRAPE.format(METRICS_PORTS["ngcp_rtpengine"]))


def invites(host: Host) -> float:
    """Read how many INVITEs the load-balancer has seen."""
    name = 'ngcp_lb_requests_total{method="INVITE"} '
    text = host.check_output(SCRAPE.format(METRICS_PORTS["ngcp_lb"]))
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


@pytest.mark.parametrize("port", METRICS_PORTS.values(), ids=METRICS_PORTS.keys())
def test_metrics_are_not_for_the_world(machine: Machine, port: int) -> None:
    """They are bound to 127.0.0.1."""
    with network.inside():
        client = socket.socket()
    with client:
        client.settimeout(1.0)
        with pytest.raises(OSError, match=r"timed out|refused"):
            client.connect((machine.address, port))
