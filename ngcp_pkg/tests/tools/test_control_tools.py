"""`ngcp-sercmd` and `ngcp-kamctl` against a daemon's real control server on loopback."""

import json
import socket
import threading

import pytest

from ngcp.lb.config import Internal
from ngcp.proxy.config import Configuration as ProxyConfiguration
from ngcp.rtpengine.config import Configuration as RelayConfiguration
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.tools import kamctl, sercmd
from ngcp.tools.control import DAEMONS, Name
from tools.conftest import Node, ServeNode, Tool

REGISTRATION: dict[str, Json] = {
    "Address": "sip:alice@[2001:db8::7]:5060;transport=tcp;ob",
    "Expires": 3599,
    "Q": 1.0,
    "Received": "sip:[2001:db8::7]:40000;transport=tcp",
    "User-Agent": "[bold]Phone",
}
ALICE: Json = {"AoR": "alice@example.org", "Contacts": [{"Contact": REGISTRATION}]}
DUMP: Json = {"Domains": [{"Domain": {"Domain": "location", "AoRs": [{"Info": ALICE}], "Stats": {}}}]}
ROW = {"AoR": "alice@example.org"} | REGISTRATION


def lookup(table: str, aor: str) -> Json:
    if (table, aor) != ("location", "alice@example.org"):
        raise CommandError(404, f"{aor} is not registered")
    return ALICE


@pytest.fixture
def node(serve_node: ServeNode) -> Node:
    table = CommandTable("kamailio-proxy", clock=lambda: 5.0)
    table.add("ul.dump", lambda: DUMP, "every registration")
    table.add("ul.lookup", lookup, "TABLE AOR: the registrations of one subscriber")
    table.add("stats", lambda: {"transactions": 3, "connections": 0}, "counters")
    table.add("nothing", lambda: None, "")
    table.add("echo", lambda *items: list(items), "ITEM …: the same")
    return serve_node(table)


@pytest.mark.usefixtures("node")
def test_sercmd_prints_for_people_and_for_programs(tool: Tool) -> None:
    assert tool(sercmd.main, "lb", "stats") == (0, "transactions: 3\nconnections: 0\n", "")
    assert tool(sercmd.main, "--json", "proxy", "stats") == (0, '{"transactions": 3, "connections": 0}\n', "")
    assert tool(sercmd.main, "proxy", "uptime")[1] == "daemon: kamailio-proxy\nuptime: 0.0\n"
    assert tool(sercmd.main, "proxy", "nothing") == (0, "\n", "")
    assert "\ncore.version\n" in tool(sercmd.main, "lb", "system.listMethods")[1]
    assert tool(sercmd.main, "lb", "core.version")[1].startswith("kamailio-proxy ")


@pytest.mark.usefixtures("node")
def test_sercmd_passes_arguments(tool: Tool) -> None:
    status, output, _ = tool(sercmd.main, "--json", "proxy", "ul.lookup", "location", "alice@example.org")

    assert (status, json.loads(output)) == (0, ALICE)


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("argument", "sent"),
    [
        ("7", 7),
        ("-7", -7),
        ("i:7", 7),
        ("s:7", "7"),
        ("f:7", 7.0),
        ("7.0", "7.0"),
        ("4312345::auth_count", "4312345::auth_count"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("", ""),
    ],
)
def test_what_looks_like_a_number_is_sent_as_one(tool: Tool, argument: str, sent: Json) -> None:
    """Kamailio's prefixes say what else it is; everything but a whole number is a text without them."""
    assert json.loads(tool(sercmd.main, "--json", "lb", "echo", "--", argument)[1]) == [sent]


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("argument", ["i:seven", "f:"])
def test_a_number_that_is_none_is_wrong_usage(tool: Tool, argument: str) -> None:
    status, _, errors = tool(sercmd.main, "lb", "echo", argument)

    assert status == 2
    assert f"s:{argument}" in errors


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("arguments", [("lb",), ("lb", "help")])
def test_help_lists_the_commands_of_the_running_daemon(tool: Tool, arguments: tuple[str, ...]) -> None:
    status, output, _ = tool(sercmd.main, *arguments)

    lines = output.splitlines()
    assert (status, lines) == (0, sorted(lines))
    assert [line.split()[1:3] for line in lines if line.startswith("ul.lookup ")] == [["TABLE", "AOR:"]]
    assert [line for line in lines if line.startswith("core.trace ")]


@pytest.mark.usefixtures("node")
def test_help_explains_one_command(tool: Tool) -> None:
    assert tool(sercmd.main, "proxy", "help", "ul.lookup") == (
        0,
        "TABLE AOR: the registrations of one subscriber\ntypes: string string -> any\n",
        "",
    )
    assert tool(sercmd.main, "proxy", "help", "core.uptime")[1].endswith("types: no arguments -> struct\n")
    assert "PATTERN" in tool(sercmd.main, "lb", "help", "core.trace")[1]
    assert tool(sercmd.main, "lb", "help", "no.such")[0] == 1


@pytest.mark.usefixtures("node")
def test_kamctl_shows_registrations(tool: Tool) -> None:
    """One line each, whatever its width and however much it looks like markup."""
    for arguments in ((), ("alice@example.org",)):
        status, output, _ = tool(kamctl.main, "proxy", "ul", "show", *arguments)
        title, line = output.splitlines()
        assert status == 0
        assert title.split("  ")[0].strip() == "Address of record"
        assert all(str(value) in line for value in ROW.values())


@pytest.mark.usefixtures("node")
def test_kamctl_json_and_counters(tool: Tool) -> None:
    assert json.loads(tool(kamctl.main, "proxy", "ul", "show", "--json")[1]) == [ROW]
    for name in (Name.LB, Name.PROXY):
        assert tool(kamctl.main, name.value, "stats")[1] == "transactions: 3\nconnections: 0\n"
        assert tool(kamctl.main, name.value, "uptime")[1].endswith("uptime: 0.0\n")


@pytest.mark.usefixtures("node")
def test_what_the_daemon_refuses_is_one_line_and_1(tool: Tool) -> None:
    assert tool(kamctl.main, "proxy", "ul", "show", "bob@example.org") == (
        1,
        "",
        "kamailio-proxy: bob@example.org is not registered (404)\n",
    )
    status, _, errors = tool(sercmd.main, "lb", "no.such")
    assert (status, errors.count("\n")) == (1, 1)
    assert "no command no.such" in errors


def test_a_daemon_that_does_not_answer_is_named_with_address_and_unit(tool: Tool, node: Node) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        node.write(Name.LB, port)
        status, _, errors = tool(sercmd.main, "lb", "uptime")

    assert (status, errors) == (
        69,
        f"kamailio-lb does not answer at http://127.0.0.1:{port}/RPC2: Connection refused; "
        "see `systemctl status kamailio-lb`\n",
    )


def test_something_else_on_the_port_is_no_daemon(tool: Tool, node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        node.write(Name.LB, other.getsockname()[1])

        def answer() -> None:
            connection, _ = other.accept()
            connection.recv(65536)
            connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        status, _, errors = tool(sercmd.main, "lb", "uptime")
        thread.join()

    assert status == 69
    assert "does not speak XMLRPC" in errors


@pytest.mark.parametrize("content", [None, "internal: ["])
def test_an_unreadable_configuration_is_named(tool: Tool, node: Node, content: str | None) -> None:
    file = node.directory / "lb.yml"
    file.unlink()
    if content is not None:
        file.write_text(content)

    status, _, errors = tool(sercmd.main, "lb", "uptime")

    assert status == 78
    assert errors.startswith(f"{file}: ")


def test_wrong_usage_is_2(tool: Tool) -> None:
    assert tool(sercmd.main, "nobody", "uptime")[0] == 2
    assert tool(kamctl.main, "proxy", "ul", "hide")[0] == 2


def test_the_tools_know_the_keys_of_the_daemons_configurations() -> None:
    """They read only the address of the control server, from the file that the daemon reads."""
    lb, proxy = DAEMONS[Name.LB], DAEMONS[Name.PROXY]

    assert getattr(Internal(), lb.port) == lb.usual_port
    assert proxy.section in ProxyConfiguration.__dataclass_fields__
    assert DAEMONS[Name.RTPENGINE].port.lower() in RelayConfiguration.__dataclass_fields__
