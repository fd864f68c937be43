"""The questions about the load-balancer that operators ask most, in the shapes that its commands answer."""

import json

import pytest

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.tools import kamctl
from tools.conftest import ServeNode, Tool

TABLES: dict[str, dict[str, int]] = {}


def dump(table: str) -> Json:
    """Answer as Kamailio does: slots, and items in them."""
    items = TABLES[table].items()
    return [
        {"entry": number, "size": 1, "slot": [{"name": key, "value": value, "type": "int"}]}
        for number, (key, value) in enumerate(items)
    ]


def get(table: str, key: str) -> Json:
    if key not in TABLES[table]:
        raise CommandError(404, "Key name doesn't exist in htable.")
    return {"item": {"name": key, "value": TABLES[table][key]}}


def delete(table: str, key: str) -> None:
    TABLES[table].pop(key, None)


DISPATCHER: Json = {
    "NRSETS": 1,
    "RECORDS": [
        {
            "SET": {
                "ID": 1,
                "TARGETS": [
                    {"DEST": {"URI": "sip:127.0.0.1:5062", "FLAGS": "AP", "PRIORITY": 0}},
                    {"DEST": {"URI": "sip:127.0.0.2:5062", "FLAGS": "IP", "PRIORITY": 0}},
                ],
            }
        }
    ],
}


@pytest.fixture
def asked(serve_node: ServeNode) -> list[str]:
    """Serve those commands; return the names of those without an answer that were called."""
    TABLES.update(
        ipban={"192.0.2.66": 1, "2001:db8::66": 1},
        auth={"alice@h::auth_count": 3, "alice@h::last_auth": 1_700_000_000, "bob@h::auth_count": 1},
    )
    called: list[str] = []
    table = CommandTable("kamailio-lb")
    table.add("htable.dump", dump, "TABLE: entries")
    table.add("htable.get", get, "TABLE KEY: an entry")
    table.add("htable.delete", delete, "TABLE KEY: forget")
    table.add("dispatcher.list", lambda: DISPATCHER, "")
    table.add("dispatcher.reload", lambda: called.append("dispatcher.reload"), "")
    table.add("tls.reload", lambda: called.append("tls.reload"), "")
    table.add(
        "core.tcp_list",
        lambda: [
            {
                "id": 1,
                "type": "TLS",
                "state": "CONN_OK",
                "src_ip": "2001:db8::7",
                "src_port": 40000,
                "dst_ip": "2001:db8::1",
                "dst_port": 5061,
            }
        ],
        "",
    )
    serve_node(table)
    return called


def cells(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()]


@pytest.mark.usefixtures("asked")
def test_bans_are_a_table(tool: Tool) -> None:
    status, output, _ = tool(kamctl.main, "lb", "ban", "show")

    assert (status, cells(output)[1:]) == (
        0,
        [
            ["ipban", "192.0.2.66", "1"],
            ["ipban", "2001:db8::66", "1"],
            ["auth", "alice@h::auth_count", "3"],
            ["auth", "alice@h::last_auth", "1700000000"],
            ["auth", "bob@h::auth_count", "1"],
        ],
    )
    rows = json.loads(tool(kamctl.main, "lb", "ban", "show", "--json")[1])
    assert rows[0] == {"table": "ipban", "name": "192.0.2.66", "value": 1}


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("address", ["192.0.2.66", "2001:db8::66"])
def test_an_address_is_let_in_again(tool: Tool, address: str) -> None:
    assert tool(kamctl.main, "lb", "ban", "rm", address) == (0, "", "")
    assert address not in TABLES["ipban"]
    status, _, errors = tool(kamctl.main, "lb", "ban", "rm", address)
    assert (status, errors) == (1, "kamailio-lb: Key name doesn't exist in htable. (404)\n")


@pytest.mark.usefixtures("asked")
def test_a_user_is_let_in_again(tool: Tool) -> None:
    """Both entries of that user go, those of others stay."""
    assert tool(kamctl.main, "lb", "ban", "rm", "alice@h")[0] == 0
    assert list(TABLES["auth"]) == ["bob@h::auth_count"]
    assert tool(kamctl.main, "lb", "ban", "rm", "carol@h")[0] == 1


@pytest.mark.usefixtures("asked")
def test_proxies_behind_it(tool: Tool) -> None:
    output = tool(kamctl.main, "lb", "dispatcher", "show")[1]

    assert cells(output)[1:] == [["sip:127.0.0.1:5062", "AP", "0"], ["sip:127.0.0.2:5062", "IP", "0"]]
    assert len(json.loads(tool(kamctl.main, "lb", "dispatcher", "show", "--json")[1])) == 2


def test_what_is_read_again(tool: Tool, asked: list[str]) -> None:
    assert tool(kamctl.main, "lb", "dispatcher", "reload") == (0, "", "")
    assert tool(kamctl.main, "lb", "tls", "reload") == (0, "", "")
    assert asked == ["dispatcher.reload", "tls.reload"]


@pytest.mark.usefixtures("asked")
def test_connections(tool: Tool) -> None:
    output = tool(kamctl.main, "lb", "connections")[1]

    assert cells(output)[1:] == [["TLS", "[2001:db8::7]:40000", "[2001:db8::1]:5061", "CONN_OK"]]
    assert json.loads(tool(kamctl.main, "lb", "connections", "--json")[1])[0]["src_port"] == 40000
