"""Registrations by `ngcp-kamctl proxy ul`, over the proxy's own commands."""

import json
from itertools import count

import pytest

from ngcp.proxy.locations import Locations
from ngcp.proxy.userlocation import UserLocation
from ngcp.service.commands import CommandTable
from ngcp.sip.core.bindings import Rules
from ngcp.sip.core.registrar import Registrar
from ngcp.tools import kamctl
from proxy.doors import MemoryTable, run_now
from tools.conftest import ServeNode, Tool

ALICE, BOB = "alice@example.org", "bob@example.org"
DESK, MOBILE = "sip:alice@192.0.2.10:5060", "sip:alice@192.0.2.11:5060"


@pytest.fixture
def table(serve_node: ServeNode) -> MemoryTable:
    """Serve a registrar's commands; return the location table behind them."""
    ids, rows, commands = count(1), MemoryTable(), CommandTable("kamailio-proxy")
    locations = Locations(Registrar(Rules(), lambda: f"id{next(ids)}"), rows, run_now)
    UserLocation(locations, lambda: 1000.0, lambda: f"id{next(ids)}").add_to(commands)
    serve_node(commands)
    return rows


def show(tool: Tool, *arguments: str) -> list[dict[str, object]]:
    status, output, _ = tool(kamctl.main, "proxy", "ul", "show", "--json", *arguments)
    assert status == 0
    rows: list[dict[str, object]] = json.loads(output)
    return rows


def add(tool: Tool, *arguments: str) -> None:
    assert tool(kamctl.main, "proxy", "ul", "add", *arguments) == (0, "", "")


def test_contact_is_added_shown_and_removed(tool: Tool, table: MemoryTable) -> None:
    way = "<sip:lb@127.0.0.1;lr>"
    add(tool, ALICE, DESK, "--expires", "600", "--q", "0.5", "--path", way, "--nat")
    add(tool, ALICE, MOBILE)
    add(tool, BOB, "sip:bob@192.0.2.20")

    rows = show(tool, ALICE)
    assert [(row["Address"], row["Expires"], row["Q"]) for row in rows] == [
        (MOBILE, "permanent", 1.0),
        (DESK, 600, 0.5),
    ]
    assert (rows[1]["Path"], rows[1]["CFlags"]) == (way, 1)
    assert len(show(tool)) == len(table.rows) == 3

    assert tool(kamctl.main, "proxy", "ul", "rm", ALICE, DESK)[0] == 0
    assert [row["Address"] for row in show(tool, ALICE)] == [MOBILE]
    assert tool(kamctl.main, "proxy", "ul", "rm", ALICE)[0] == 0
    assert [row.username for row in table.rows.values()] == ["bob"]


@pytest.mark.usefixtures("table")
def test_brief_tells_only_who(tool: Tool) -> None:
    for aor, contact in ((ALICE, DESK), (ALICE, MOBILE), (BOB, "sip:bob@192.0.2.20")):
        add(tool, aor, contact)
    assert show(tool, "--brief") == [{"AoR": ALICE}, {"AoR": BOB}]
    assert show(tool, "--brief", ALICE) == [{"AoR": ALICE}]
    lines = tool(kamctl.main, "proxy", "ul", "show", "--brief")[1].splitlines()
    assert [line.strip() for line in lines] == ["Address of record", ALICE, BOB]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("rm", BOB), f"{BOB} is not registered"),
        (("rm", BOB, DESK), f"{BOB} is not registered at {DESK}"),
        (("show", "bob"), "expected location USER@DOMAIN"),
        (("add", BOB, "mailto:bob@example.org"), "cannot route to contact"),
    ],
)
def test_what_cannot_be_is_told(tool: Tool, arguments: tuple[str, ...], problem: str) -> None:
    status, output, errors = tool(kamctl.main, "proxy", "ul", *arguments)
    assert (status, output) == (1, "")
    assert problem in errors
