"""The table of control commands, as an operator meets it over XMLRPC."""

import asyncio
import os
import time
import xmlrpc.client
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.xmlrpc import APPLICATION_ERROR, MAXIMUM_BODY, PARSE_ERROR, respond, serve

T = TypeVar("T")


async def _dump(name: str) -> Json:
    return {"name": name, "bytes": 2**40, "none": None, "items": [1, 2.5, True]}


def _fail() -> Json:
    raise RuntimeError("a bug")


def _take(text: str, count: int = 0, q: float = 1.0, *names: str) -> list[Json]:
    return [text, count, q, *names]


@pytest.fixture
def table() -> CommandTable:
    table = CommandTable("kamailio-lb", clock=iter((10.0, 17.5)).__next__, unix=lambda: 1e9)
    table.add("htable.dump", _dump, "NAME: entries of a table")
    table.add("fail", _fail, "always fails")
    table.add("take", _take, "TEXT COUNT Q …: takes several types")
    return table


def call(table: CommandTable, name: str, *arguments: Json) -> object:
    request = xmlrpc.client.dumps(arguments, name).encode()
    answer = asyncio.run(respond(table, request))
    return xmlrpc.client.loads(answer.decode())[0][0]


def test_commands_answer_with_what_xmlrpc_can_carry(table: CommandTable) -> None:
    assert call(table, "htable.dump", "ipban") == {
        "name": "ipban",
        "bytes": 2.0**40,
        "none": None,
        "items": [1, 2.5, True],
    }


def test_every_daemon_knows_uptime_version_and_its_methods(table: CommandTable) -> None:
    assert call(table, "uptime") == {"daemon": "kamailio-lb", "uptime": 7.5}
    assert str(call(table, "core.version")).startswith("kamailio-lb ")
    assert call(table, "system.methodHelp", "htable.dump") == "NAME: entries of a table"
    methods = call(table, "system.listMethods")
    assert isinstance(methods, list)
    assert {"uptime", "core.uptime", "core.version", "system.listMethods", "htable.dump"} <= set(methods)


def test_core_commands_answer_in_kamailios_shapes(table: CommandTable) -> None:
    uptime = call(table, "core.uptime")
    assert isinstance(uptime, dict)
    assert (list(uptime), uptime["uptime"]) == (["now", "up_since", "uptime"], 7)
    assert (time.mktime(time.strptime(uptime["now"])), time.mktime(time.strptime(uptime["up_since"]))) == (
        1e9,
        1e9 - 7,
    )
    assert call(table, "core.ps") == [os.getpid(), "main process"]
    assert call(table, "core.psx") == [{"IDX": 0, "PID": os.getpid(), "DSC": "main process"}]
    info = call(table, "core.info")
    assert isinstance(info, dict)
    assert info["version"] == call(table, "core.version")


def test_a_method_tells_its_types(table: CommandTable) -> None:
    """What the XMLRPC introspection convention asks: a list of alternatives, the result's type first."""
    assert call(table, "system.methodSignature", "take") == [["array", "string", "int", "double", "string"]]
    assert call(table, "system.methodSignature", "htable.dump") == [["any", "string"]]
    assert call(table, "system.methodSignature", "uptime") == [["struct"]]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (("a",), ["a", 0, 1.0]),
        ((4711, "3", 1), ["4711", 3, 1.0]),
        (("7", 3.0, "0.5", 1, "x"), ["7", 3, 0.5, "1", "x"]),
    ],
)
def test_numbers_and_texts_are_taken_for_each_other(
    table: CommandTable, given: tuple[Json, ...], taken: list[Json]
) -> None:
    assert call(table, "take", *given) == taken


@pytest.mark.parametrize("given", [("a", "x"), ("a", 1.5), (True,), ([],), ("a", 1, "q"), ("a", 1, 1.0, {})])
def test_what_is_no_such_value_is_refused_by_name(table: CommandTable, given: tuple[Json, ...]) -> None:
    with pytest.raises(xmlrpc.client.Fault, match=r"take\(text: str.*\): \w+ cannot be ") as fault:
        call(table, "take", *given)

    assert fault.value.faultCode == 400


@pytest.mark.parametrize(
    ("name", "arguments", "code", "message"),
    [
        ("nothing", (), 404, "kamailio-lb has no command nothing"),
        ("htable.dump", (), 400, "htable.dump(name: str): missing a required argument: 'name'"),
        ("uptime", (1,), 400, "too many positional arguments"),
        ("fail", (), APPLICATION_ERROR, "internal error"),
    ],
)
def test_failures_are_faults(
    table: CommandTable, name: str, arguments: tuple[Json, ...], code: int, message: str
) -> None:
    with pytest.raises(xmlrpc.client.Fault) as fault:
        call(table, name, *arguments)

    assert fault.value.faultCode == code
    assert message in fault.value.faultString


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<methodCall>",
        b"\xff\xfe",
        b"<params><param><value><int>x</int></value></param></params>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><methodCall><methodName>&a;</methodName></methodCall>',
        b"<methodCall><params></params></methodCall>",
    ],
)
def test_what_is_no_call_is_a_fault(table: CommandTable, body: bytes) -> None:
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(asyncio.run(respond(table, body)).decode())

    assert fault.value.faultCode == PARSE_ERROR


def test_a_name_is_given_once(table: CommandTable) -> None:
    with pytest.raises(ValueError, match="already"):
        table.add("uptime", _fail, "")
    with pytest.raises(CommandError):
        asyncio.run(table.call("no"))


def served(table: CommandTable, work: Callable[[int], Awaitable[T]]) -> T:
    async def run() -> T:
        server = await serve(table, "127.0.0.1", 0)
        try:
            return await work(server.port)
        finally:
            server.close()
            await server.wait_closed()

    return asyncio.run(run())


def test_the_standard_library_client_can_talk_to_it(table: CommandTable) -> None:
    def ask(port: int, path: str) -> tuple[object, object]:
        with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}{path}", allow_none=True) as daemon:
            return daemon.system.methodHelp("fail"), daemon.system.methodHelp("fail")  # one connection

    async def work(port: int) -> object:
        return [await asyncio.to_thread(ask, port, path) for path in ("/", "/RPC2")]

    assert served(table, work) == [("always fails", "always fails")] * 2


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"POST /admin HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000, b"413"),
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", b""),
        (b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", b"200"),
    ],
)
def test_http_is_answered_or_hung_up(table: CommandTable, request_: bytes, status: bytes) -> None:
    async def work(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_)
        writer.write_eof()
        try:
            return await reader.read()
        except ConnectionError:  # hung up while we still sent
            return b"HTTP/1.1 413 "
        finally:
            writer.close()

    answer = served(table, work)
    assert len(request_) < 2 * MAXIMUM_BODY
    assert answer[9:12] == status
