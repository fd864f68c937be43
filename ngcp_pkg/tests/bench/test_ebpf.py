"""How the benchmark of the eBPF plane counts."""

import pytest

from bench import ebpf
from bench.ebpf import Turn
from bench.streams import Outcome


def turn(cpu: float, p99: float, received: int = 1000) -> Turn:
    return Turn(cpu, Outcome(1000, received, 0, 0, 1.0, 1.0, p99, 0.1))


def test_relays_are_compared_net_of_the_streams_alone() -> None:
    turns = {
        "bare": turn(5.0, 4.0),
        "echo": turn(5.5, 5.0),
        "ours": turn(6.0, 5.5, received=998),
        "nftables": turn(7.0, 8.0),
        "rtpengine": turn(15.0, 900.0),
    }

    metrics = {metric.name: metric for metric in ebpf.compare([turns])}

    assert metrics["cpu-us-per-packet-of-rtpengine"].ratio == pytest.approx(0.1)
    assert metrics["cpu-us-per-packet-of-nftables"].ratio == pytest.approx(0.5)
    assert metrics["p99-us-of-echo"].ratio == pytest.approx(1.1)
    assert [name for name, metric in metrics.items() if metric.is_missed] == ["lost-of-0.001"]


def test_streams_come_from_many_ports() -> None:
    assert ebpf.endpoints(17) == (("10.98.0.2", 7001), ("10.98.0.3", 7001))
