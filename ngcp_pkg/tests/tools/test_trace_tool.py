"""`ngcp-sercmd lb core.trace` and `ngcp-kamctl lb trace` against a load-balancer that is really traced."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.edge import CONFIGURATION, PUBLIC, SECRET
from ngcp.lb.core import LoadBalancer
from ngcp.lb.trace import Traces
from ngcp.service.commands import CommandTable, Json
from ngcp.sip.transport.flow import Flow
from ngcp.tools import kamctl, sercmd
from tools.capture import read
from tools.conftest import ServeNode, Tool

OPTIONS = (
    b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:alice@h>;tag=1\r\nTo: <sip:192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)
GARBAGE = b"\x1b]0;owned\x07 no sip\r\n\xff"
ALICE, MALLORY = ("198.51.100.7", 5060), ("2001:db8::66", 40000)


class Edge:
    """A load-balancer to which something happens as soon as a trace begins."""

    def __init__(self) -> None:
        self.core = LoadBalancer(CONFIGURATION, SECRET, lambda: "id")
        self.traces = Traces(self.core, time.time)
        self.patterns: list[str] = []
        self.table = CommandTable("kamailio-lb")
        self.lost = 0
        self.table.add("trace.start", self.start, "")
        self.table.add("trace.read", lambda number: self.traces.read(number) | {"lost": self.lost}, "")
        self.table.add("trace.stop", self.traces.stop, "")

    def start(self, pattern: str) -> Json:
        number = self.traces.start(pattern)
        self.patterns.append(pattern)
        self.core.receive(OPTIONS, Flow("udp", PUBLIC, ALICE), 0.0)
        self.core.messages_to_send()
        self.core.receive(GARBAGE, Flow("tls", ("2001:db8::1", 5061), MALLORY), 0.0)
        return number


@pytest.fixture
def edge(serve_node: ServeNode) -> Edge:
    edge = Edge()
    serve_node(edge.table)
    return edge


def test_one_line_a_message(tool: Tool, edge: Edge) -> None:
    status, output, _ = tool(kamctl.main, "lb", "trace", "--count", "3")

    first, second, third = (line.split(" ", 1)[1] for line in output.splitlines())
    assert status == 0
    assert first == "in  udp 198.51.100.7:5060 > 192.0.2.1:5060 OPTIONS sip:192.0.2.1 [c1]"
    assert second == "out udp 192.0.2.1:5060 > 198.51.100.7:5060 200 OK [c1]"
    assert third == "in  tls [2001:db8::66]:40000 > [2001:db8::1]:5061 \\x1b]0;owned\\x07 no sip"
    assert edge.core.tap is None, "the tool ended its trace"


@pytest.mark.usefixtures("edge")
def test_whole_messages_cannot_hurt_a_terminal(tool: Tool) -> None:
    output = tool(kamctl.main, "lb", "trace", "--full", "--count", "3")[1]

    assert "From: <sip:alice@h>;tag=1\nTo: <sip:192.0.2.1>\n" in output
    assert "\n\\x1b]0;owned\\x07 no sip\n\\xff\n" in output
    assert {character for character in output if not character.isprintable()} == {"\n"}


def test_a_pattern_is_passed_on_and_a_wrong_one_named(tool: Tool, edge: Edge) -> None:
    output = tool(kamctl.main, "lb", "trace", "--count", "1", "status=200", "ip=198.51.100.0/24")[1]
    status, _, errors = tool(sercmd.main, "lb", "core.trace", "ip=alice")

    assert edge.patterns == ["status=200 ip=198.51.100.0/24"]
    assert output.count("\n") == 1
    assert (status, errors) == (1, "kamailio-lb: ip=alice: neither an address nor a network (400)\n")


@pytest.mark.usefixtures("edge")
def test_json_is_one_object_a_line(tool: Tool) -> None:
    output = tool(kamctl.main, "lb", "trace", "--json", "--count", "3")[1]

    rows = [json.loads(line) for line in output.splitlines()]
    assert [row["direction"] for row in rows] == ["in", "out", "in"]
    assert rows[0]["message"].encode() == OPTIONS
    assert (rows[0]["source"], rows[0]["destination"]) == ("198.51.100.7:5060", "192.0.2.1:5060")
    assert rows[2]["message"] == "\x1b]0;owned\x07 no sip\r\n\\xff"


@pytest.mark.usefixtures("edge")
def test_a_capture_file_holds_every_message(tool: Tool, tmp_path: Path) -> None:
    before = time.time()
    path = tmp_path / "edge.pcap"
    status, output, _ = tool(kamctl.main, "lb", "trace", "--pcap", str(path), "--count", "3")

    packets = read(path.read_bytes())
    assert (status, output) == (0, "")
    assert [packet.source for packet in packets] == [ALICE, PUBLIC, MALLORY]
    assert (packets[0].data, packets[2].data) == (OPTIONS, GARBAGE)
    assert all(before - 1 < packet.at < time.time() + 1 for packet in packets)


def test_a_file_that_cannot_be_written_is_wrong_usage(tool: Tool, edge: Edge, tmp_path: Path) -> None:
    status, _, errors = tool(kamctl.main, "lb", "trace", "--pcap", str(tmp_path / "no" / "such.pcap"))

    assert (status, edge.patterns) == (2, [])
    assert "No such file or directory" in " ".join(errors.replace("│", " ").split())


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C as soon as there is nothing to show."""

    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ngcp.tools.trace.time", SimpleNamespace(sleep=sleep))


@pytest.mark.usefixtures("interrupted")
def test_sercmd_traces_until_interrupted(tool: Tool, edge: Edge) -> None:
    status, output, errors = tool(sercmd.main, "lb", "core.trace", "--summary", "no sip")

    assert (status, output.count("\n"), errors) == (0, 1, "")
    assert edge.core.tap is None


@pytest.mark.usefixtures("edge", "interrupted")
def test_a_capture_can_go_down_a_pipe(tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ngcp.tools.trace.STDOUT", str(tmp_path / "stdout"))
    tool(sercmd.main, "lb", "core.trace", "method=OPTIONS", "--pcap", "-")

    assert [packet.data[:7] for packet in read((tmp_path / "stdout").read_bytes())] == [
        b"OPTIONS",
        b"SIP/2.0",
    ]


def test_lost_messages_are_reported(tool: Tool, edge: Edge) -> None:
    edge.lost = 7
    errors = tool(kamctl.main, "lb", "trace", "--count", "1")[2]

    assert errors == "7 messages were lost: too many match\n"
