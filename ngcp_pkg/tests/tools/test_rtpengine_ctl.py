"""The media relay on the command line, over its own commands."""

import json

import pytest

from ngcp.rtpengine.view import View, make_commands
from ngcp.tools import rtpengine, sercmd
from rtpengine.harness import Phone, Relay, establish
from rtpengine.kernel import Kernel
from tools.conftest import ServeNode, Tool


@pytest.fixture
def relay(serve_node: ServeNode) -> Relay:
    """A relay with a call whose voice the kernel forwards."""
    relay = Relay(fast=Kernel())
    alice, bob = Phone(relay, "alice", "198.51.100.10", 4000), Phone(relay, "bob", "192.0.2.20", 5000)
    alice.nat = ("198.51.100.99", 61234)
    establish(alice, bob)
    alice.send()
    bob.send()
    bob.send()
    serve_node(make_commands(View(relay.calls, relay.plane), lambda: 7.0))
    return relay


@pytest.mark.usefixtures("relay")
def test_calls_as_a_table(tool: Tool) -> None:
    status, output, _ = tool(rtpengine.main, "list", "sessions")
    assert status == 0
    row = output.splitlines()[1].split()
    assert row == [
        *("call", "7", "answered", "kernel", "module"),
        *("198.51.100.99:61234", "1", "192.0.2.20:5000", "2"),
    ]


@pytest.mark.usefixtures("relay")
def test_one_call_in_detail(tool: Tool) -> None:
    rows = json.loads(tool(rtpengine.main, "list", "sessions", "call", "--json")[1])
    assert [(row["tag"], row["kind"]) for row in rows] == [
        *(("alice", "RTP"), ("alice", "RTCP"), ("bob", "RTP"), ("bob", "RTCP")),
    ]
    assert rows[0] == {
        "tag": "alice",
        "label": "",
        "section": 1,
        "kind": "RTP",
        "local": "203.0.113.1:30000",
        "announced": "198.51.100.10:4000",
        "learned": "198.51.100.99:61234",
        "crypto": "",
        "packets": 1,
        "bytes": 172,
        "errors": 0,
        "forwarded_by": "kernel module",
    }
    assert rows[1]["forwarded_by"] == "user space"
    assert "198.51.100.99:61234" in tool(rtpengine.main, "list", "sessions", "call")[1]


@pytest.mark.usefixtures("relay")
def test_call_that_is_none(tool: Tool) -> None:
    status, _, errors = tool(rtpengine.main, "list", "sessions", "other")
    assert (status, errors) == (1, "ngcp-rtpengine-daemon: no call other (404)\n")


@pytest.mark.usefixtures("relay")
def test_totals(tool: Tool) -> None:
    totals = json.loads(tool(rtpengine.main, "list", "totals", "--json")[1])
    assert totals["calls"] == totals["calls_total"] == 1
    assert (totals["packets"], totals["bytes"]) == (3, 3 * 172)
    assert totals["flows.kernel module"] == 2
    assert totals["flows.user space"] == 2
    assert "packets: 3\n" in tool(sercmd.main, "rtpengine", "stats")[1]


@pytest.mark.usefixtures("relay")
def test_interfaces(tool: Tool) -> None:
    rows = json.loads(tool(rtpengine.main, "list", "interfaces", "--json")[1])
    assert rows[0] == {"name": "ext", "address": "203.0.113.1", "free": 98, "used": 2}
    assert [(row["name"], row["address"]) for row in rows[1:]] == [
        ("ext", "2001:db8::1"),
        ("int", "127.0.0.1"),
    ]
    assert "2001:db8::1" in tool(rtpengine.main, "list", "interfaces")[1]


def test_ended_call_is_in_the_totals(relay: Relay, tool: Tool) -> None:
    relay.ask(command="delete", call_id="call")
    totals = json.loads(tool(rtpengine.main, "list", "totals", "--json")[1])
    assert (totals["calls"], totals["ended.deleted"], totals["packets"]) == (0, 1, 3)
    assert json.loads(tool(rtpengine.main, "list", "sessions", "--json")[1]) == []
