"""`ngcp-mediator-ctl` over the mediator's commands."""

import json

import pytest

from ngcp.service.commands import CommandTable, Json
from ngcp.tools import mediatorctl
from tools.conftest import ServeNode, Tool

ROW: dict[str, Json] = {
    "call_id": "c1",
    "method": "BYE",
    "branch": "0",
    "time": "2026-11-26 20:00:00",
    "seconds": 7,
    "why": "there is no start record",
    "left": 3593,
}


@pytest.fixture(autouse=True)
def mediator(serve_node: ServeNode) -> None:
    def stuck() -> list[Json]:
        return [ROW]

    def stats() -> dict[str, Json]:
        return {"waiting": 1}

    def status() -> str:
        return "1 records wait"

    table = CommandTable("ngcp-mediator")
    table.add("stuck", stuck, "what waits")
    table.add("stats", stats, "counters")
    table.add("status", status, "a line")
    serve_node(table)


def test_status(tool: Tool) -> None:
    assert tool(mediatorctl.main, "status") == (0, "1 records wait\n", "")


def test_what_waits(tool: Tool) -> None:
    status, output, _ = tool(mediatorctl.main, "stuck")
    assert status == 0
    assert output.splitlines()[0].split()[:2] == ["Call-ID", "Record"]
    assert "there is no start record" in output
    assert json.loads(tool(mediatorctl.main, "stuck", "--json")[1]) == [ROW]


def test_counters(tool: Tool) -> None:
    assert json.loads(tool(mediatorctl.main, "stats", "--json")[1]) == {"waiting": 1}
