"""Calls and their counters on the command line."""

import json

import pytest

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.tools import dlgcnt, kamctl
from tools.conftest import ServeNode, Tool

CALL: dict[str, Json] = {
    "h_entry": 7,
    "h_id": 1,
    "call-id": "c1@192.0.2.1",
    "from_uri": "sip:alice@example.org",
    "to_uri": "sip:bob@example.org",
    "state": 4,
    "duration": 61,
    "caller": {"tag": "a"},
}
WRONG: dict[str, Json] = {"key": "total", "right": 1, "found": 7}


def serve(serve_node: ServeNode, differences: list[Json]) -> list[str]:
    ended: list[str] = []

    def terminate(call_id: str) -> None:
        if call_id != CALL["call-id"]:
            raise CommandError(404, f"no call has Call-ID {call_id}")
        ended.append(call_id)

    table = CommandTable("both")
    table.add("dlg.list", lambda: [CALL], "calls")
    table.add("dlg.terminate_dlg", terminate, "end one")
    table.add("dlgcnt.list", lambda prefix: [{"key": f"{prefix}:7", "calls": 3}], "counters")
    table.add("dlgcnt.check", lambda: differences, "check")
    table.add("dlgcnt.clean", lambda: differences, "clean")
    serve_node(table)
    return ended


def test_calls_as_a_table(serve_node: ServeNode, tool: Tool) -> None:
    serve(serve_node, [])
    status, output, _ = tool(kamctl.main, "proxy", "dialog", "show")
    assert status == 0
    assert "c1@192.0.2.1" in output and "confirmed" in output and "61" in output


@pytest.mark.parametrize("command", ["show", "show_all"])
def test_calls_as_json(serve_node: ServeNode, tool: Tool, command: str) -> None:
    serve(serve_node, [])
    assert json.loads(tool(kamctl.main, "proxy", "dialog", command, "--json")[1]) == [CALL]


def test_calls_in_detail(serve_node: ServeNode, tool: Tool) -> None:
    serve(serve_node, [])
    assert "tag: a" in tool(kamctl.main, "proxy", "dialog", "show_all")[1]


def test_counters_of_calls(serve_node: ServeNode, tool: Tool) -> None:
    serve(serve_node, [])
    status, output, _ = tool(kamctl.main, "proxy", "dialog", "counters", "account")
    assert (status, output.split()) == (0, ["Counter", "Calls", "account:7", "3"])


def test_a_call_is_ended(serve_node: ServeNode, tool: Tool) -> None:
    ended = serve(serve_node, [])
    assert tool(kamctl.main, "proxy", "dialog", "terminate", "c1@192.0.2.1")[0] == 0
    assert ended == ["c1@192.0.2.1"]
    assert tool(kamctl.main, "proxy", "dialog", "terminate", "c2")[0] == 1


def test_counters_that_are_right(serve_node: ServeNode, tool: Tool) -> None:
    serve(serve_node, [])
    assert tool(dlgcnt.run_check) == (0, "", "")
    assert tool(dlgcnt.run_clean) == (0, "", "")


def test_counters_that_are_wrong(serve_node: ServeNode, tool: Tool) -> None:
    serve(serve_node, [WRONG])
    status, output, _ = tool(dlgcnt.run_check)
    assert (status, "total" in output) == (1, True)
    status, output, _ = tool(dlgcnt.run_clean, "--json")
    assert (status, json.loads(output)) == (0, [WRONG])
