"""The media relay's eBPF plane: beside rtpengine in user space, nftables NAT, and the least a kernel can do.

    namespace of the phones          namespace of the relay
    streams (C) ── 10.98.0.2, .3 ══ veth ══ 10.98.0.1 ── ours | rtpengine | nftables | echo

All relays get the same streams of G.711, both ways, in turn. What a packet costs is all CPU time that was
spent because of it: that of the program that sends and receives, in whose time the kernel forwards, of the
relay's process, and of the kernel's threads for packets; less what the same program spends when its streams
go straight to their other end. The echo sends each packet back where it came from.
"""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import ng, peers, report, streams
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.report import Metric
from bench.sipp import written
from bench.streams import Outcome, Ports
from ngcp.net.bpf import LoadedObject

PAIRS: Final = 9
STREAMS: Final = 400
SECONDS: Final = 1.5
TARGET_OF_RTPENGINE: Final = 0.12
TARGET_OF_NFTABLES: Final = 1.0
TARGET_OF_ECHO: Final = 1.2
LOSS: Final = 0.001
#: Of all processes of the measurement.
PRIORITY: Final = -15

PHONES: Final = ("10.98.0.2", "10.98.0.3")
RELAY: Final = "10.98.0.1"
CONTROL: Final = ("127.0.0.1", 12222)
MEDIA: Final = (30000, 40000)
NAMES: Final = ("bench-ebpf-phones", "bench-ebpf-relay")
_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET

#: What the relay does, as rules: to whom each port's packets go, from which port, and with which TOS.
RULES: Final = """
table ip relay {{
  chain enter {{
    type nat hook prerouting priority dstnat;
    meta mark set udp dport map {{ {mark} }}
    dnat ip to udp dport map {{ {to} }}
  }}
  chain leave {{
    type nat hook postrouting priority srcnat;
    meta l4proto udp snat ip to meta mark map {{ {source} }}
  }}
  chain dress {{
    type filter hook postrouting priority mangle;
    ip protocol udp ip dscp set ef
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one relay did with the streams."""

    cpu: float
    """CPU µs a packet, of all that were involved."""
    outcome: Outcome


class Field:
    """The two namespaces; we live in that of the relay, as long as `stack` is open."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self.directory = directory
        self._stack = stack
        self._program = streams.compiled(directory)
        self._nftables, self._rtpengine = peers.fetch("nftables"), peers.fetch("rtpengine-daemon")
        phones, relay = NAMES
        for name in NAMES:
            _run(f"ip netns add {name}")
            stack.callback(_run, f"ip netns delete {name}")
        stack.enter_context(_inside(relay))
        _run(f"ip link add eth0 type veth peer name eth0 netns {phones}")
        for prefix, addresses in (("ip", [RELAY]), (f"ip -n {phones}", PHONES)):
            for address in addresses:
                _run(f"{prefix} address add {address}/24 dev eth0")
            for interface in ("lo", "eth0"):
                _run(f"{prefix} link set {interface} up")
        for name in ("all/forwarding", "lo/forwarding"):
            Path("/proc/sys/net/ipv4/conf", name).write_text("1")

    def play(self, ports: Sequence[Ports], daemon: Daemon | None = None) -> Turn:
        """Send the streams to a relay's ports."""
        before = _cpu_seconds(daemon)
        lines = "".join(f"{a[0]} {a[1]} {b[0]} {b[1]}\n" for a, b in ports)
        command = ["ip", "netns", "exec", NAMES[0], str(self._program), *PHONES, str(streams.BASE)]
        command += ["20000", str(SECONDS)]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
        outcome = Outcome(**json.loads(done.stdout))
        spent = outcome.cpu + _cpu_seconds(daemon) - before
        return Turn(spent / max(1, outcome.received) * 1e6, outcome)

    def bare(self) -> Turn:
        """Let the streams go straight to their other end."""
        return self.play([endpoints(number)[::-1] for number in range(STREAMS)])

    def echo(self) -> Turn:
        """Send each packet back."""
        kernel = LoadedObject(self._compiled("echo"), {})
        kernel.attach("echo", socket.if_nametoindex("eth0"))
        try:
            return self.play([((RELAY, 9), (RELAY, 9))] * STREAMS)
        finally:
            kernel.close()

    def nftables(self) -> Turn:
        """Let the kernel's address translation do the same."""
        mark, to, source, ports = [], [], [], []
        for number in range(STREAMS):
            a, b = MEDIA[0] + 2 * number, MEDIA[0] + 2 * number + 1
            ports.append(((RELAY, a), (RELAY, b)))
            for here, there, (host, port) in zip((a, b), (b, a), endpoints(number)[::-1], strict=True):
                mark.append(f"{here} : {here}")
                to.append(f"{here} : {host} . {port}")
                source.append(f"{here} : {RELAY} . {there}")
        rules = RULES.format(mark=", ".join(mark), to=", ".join(to), source=", ".join(source))
        for text in (rules, "delete table ip relay"):
            command = [self._nftables.program("nft"), "-f", "-"]
            subprocess.run(command, input=text, text=True, check=True, env=self._nftables.environment)
            if text is rules:
                turn = self.play(ports)
        return turn

    def ours(self) -> Turn:
        """Let our daemon push the streams into the kernel."""
        path = self.directory / "ours.conf"
        path.write_text(
            f"INTERFACES=pub/{RELAY}\nLISTEN_NG={written(CONTROL)}\nPORT_MIN={MEDIA[0]}\nPORT_MAX={MEDIA[1]}\n"
            "FORWARDING=ebpf\n"
        )
        command = [sys.executable, "-m", "ngcp.rtpengine", "--config", str(path)]
        return self._daemon("ours", command, {**os.environ, "PYTHONPATH": str(SOURCE)})

    def rtpengine(self) -> Turn:
        """Let Debian's relay do it in user space."""
        peer = self._rtpengine
        command = [peer.program("rtpengine"), "--foreground", "--log-stderr", "--log-level=3", "--table=-1"]
        command += [f"--interface={RELAY}", f"--listen-ng={written(CONTROL)}", "--tos=184"]
        command += [f"--port-min={MEDIA[0]}", f"--port-max={MEDIA[1]}"]
        return self._daemon("rtpengine", command, peer.environment)

    def _daemon(self, name: str, command: list[str], environment: dict[str, str]) -> Turn:
        log = self.directory / f"{name}.log"
        with running(command, log, lambda: is_bound(CONTROL), environment) as daemon:
            client = ng.Client(CONTROL)
            ports = client.connect([f"stream-{number}" for number in range(STREAMS)], endpoints)
            client.close()
            self.play(ports, daemon)  # where packets come from is learned meanwhile
            return self.play(ports, daemon)

    def _compiled(self, name: str) -> Path:
        program = self.directory / f"{name}.bpf.o"
        multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True)
        source = Path(__file__).with_name(f"{name}.bpf.c")
        _run(f"clang -target bpf -O2 -g -I/usr/include/{multiarch.stdout.strip()} -c {source} -o {program}")
        return program


def endpoints(number: int) -> Ports:
    """Return where the caller and the callee of a stream are."""
    port = streams.BASE + number % streams.SOCKETS
    return (PHONES[0], port), (PHONES[1], port)


def _run(command: str) -> None:
    subprocess.run(command.split(), check=True)


@contextlib.contextmanager
def _inside(namespace: str) -> Iterator[None]:
    """Live in a network namespace, with all that is started meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        for place in (there, home):
            if libc.setns(place.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), f"namespace {namespace}")
            if place is there:
                yield


def _cpu_seconds(daemon: Daemon | None) -> float:
    """Return what a relay's process and the kernel's threads for packets have spent, to the nanosecond."""
    threads = [pid for pid in Path("/proc").glob("[0-9]*") if _name(pid).startswith("ksoftirqd/")]
    spent = sum(int((pid / "schedstat").read_text().split()[0]) for pid in threads) / 1e9
    return spent + (daemon.cpu_seconds() if daemon else 0.0)


def _name(pid: Path) -> str:
    try:
        return (pid / "comm").read_text()
    except OSError:  # gone meanwhile
        return ""


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    turns = []
    with contextlib.suppress(PermissionError):  # what else the machine does is not to be measured
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    with tempfile.TemporaryDirectory(prefix="bench-ebpf-") as name, contextlib.ExitStack() as stack:
        field = Field(Path(name), stack)
        kinds = (field.bare, field.echo, field.ours, field.nftables, field.rtpengine)
        for number in range(PAIRS + 1):
            turns.append({kind.__name__: kind() for kind in kinds})
            told = [
                f"{kind} {turn.cpu:.2f} µs, lost {turn.outcome.lost:.2%}, p50 {turn.outcome.p50} µs, "
                f"p99 {turn.outcome.p99} µs"
                for kind, turn in turns[-1].items()
            ]
            print(f"turn {number}: {'; '.join(told)}", flush=True)
    return report.publish("ebpf", compare(turns[1:]), "peer")


def compare(turns: Sequence[dict[str, Turn]]) -> list[Metric]:
    """Judge turns of all relays."""

    def pairs(of: Callable[[dict[str, Turn], str], float], peer: str) -> tuple[tuple[float, float], ...]:
        return tuple((of(turn, "ours"), of(turn, peer)) for turn in turns)

    return [
        Metric("cpu-us-per-packet-of-rtpengine", pairs(_net, "rtpengine"), TARGET_OF_RTPENGINE),
        Metric("cpu-us-per-packet-of-nftables", pairs(_net, "nftables"), TARGET_OF_NFTABLES),
        Metric("cpu-us-per-packet-of-echo", pairs(_net, "echo")),
        Metric("p99-us-of-echo", pairs(_p99, "echo"), TARGET_OF_ECHO),
        Metric("p99-us-of-nftables", pairs(_p99, "nftables")),
        Metric("p99-us-of-rtpengine", pairs(_p99, "rtpengine")),
        Metric.within("lost", [turn["ours"].outcome.lost for turn in turns], LOSS),
    ]


def _net(turn: dict[str, Turn], relay: str) -> float:
    return turn[relay].cpu - turn["bare"].cpu


def _p99(turn: dict[str, Turn], relay: str) -> float:
    return turn[relay].outcome.p99
