"""One answer of what all workers answer."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from net.loop import run
from ngcp.lb import fanout
from ngcp.lb.channel import between
from ngcp.lb.colleagues import PART, Colleagues
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.workers import Crew, link


def test_connections_are_numbered_anew() -> None:
    rows: list[list[dict[str, Json]]] = [[{"id": 1, "src_port": 1}], [], [{"id": 1, "src_port": 2}]]

    assert fanout.list_connections(rows) == [{"id": 1, "src_port": 1}, {"id": 2, "src_port": 2}]


def test_processes_are_told_apart() -> None:
    results: list[list[Json]] = [[10, "main process"], [11, "main process"], [12, "main process"]]
    details: list[list[dict[str, Json]]] = [
        [{"IDX": 0, "PID": pid, "DSC": "main process"}] for pid in (10, 11)
    ]

    assert fanout.list_processes(results) == [10, "main process", 11, "worker 1", 12, "worker 2"]
    assert fanout.list_processes_in_detail(details) == [
        {"IDX": 0, "PID": 10, "DSC": "main process"},
        {"IDX": 1, "PID": 11, "DSC": "worker 1"},
    ]


def test_traces_are_put_into_the_order_of_time() -> None:
    results = [
        {"messages": [{"at": 1.0}, {"at": 3.0}], "lost": 1, "more": False},
        {"messages": [{"at": 2.0}], "lost": 2, "more": True},
    ]

    assert fanout.join_traces(results) == {
        "messages": [{"at": 1.0}, {"at": 2.0}, {"at": 3.0}],
        "lost": 3,
        "more": True,
    }


def test_counters_are_added_up() -> None:
    assert fanout.add_up([{"a": 1, "b": 2}, {"b": 3, "c": 0}]) == {"a": 1, "b": 5, "c": 0}


def with_two(test: Callable[[Colleagues, CommandTable], Awaitable[None]]) -> None:
    """Run `test` with the colleagues of one worker, and the commands of the other."""

    async def body() -> None:
        crews = Crew(2), Crew(2)
        crews[0].links[1], crews[1].links[0] = link()
        asking, asked = (Colleagues(crew, lambda sender, packet: None) for crew in crews)
        table = CommandTable("testd")
        asked.serve(table)
        try:
            await test(asking, table)
        finally:
            asking.close()
            asked.close()

    run(body)


def test_a_long_answer_comes_in_parts() -> None:
    async def test(asking: Colleagues, table: CommandTable) -> None:
        table.add("long", lambda: '"' * (5 * PART), "much")

        assert await asking.ask("long") == ['"' * (5 * PART)]

    with_two(test)


def test_a_refusal_of_another_worker_is_a_refusal() -> None:
    async def test(asking: Colleagues, table: CommandTable) -> None:
        with pytest.raises(CommandError, match="no command nothing") as refused:
            await asking.ask("nothing")
        assert refused.value.code == 404

    with_two(test)


def test_a_bug_of_another_worker_is_told_as_one() -> None:
    async def test(asking: Colleagues, table: CommandTable) -> None:
        table.add("bug", lambda: 1 // 0, "fails")
        with pytest.raises(CommandError, match="internal error of a worker"):
            await asking.ask("bug")

    with_two(test)


def test_a_worker_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(asking: Colleagues, table: CommandTable) -> None:
        monkeypatch.setattr("ngcp.lb.colleagues.PATIENCE", 0.01)
        table.add("slow", lambda: asyncio.sleep(60.0), "takes a minute")
        with pytest.raises(CommandError, match="worker 1 does not answer"):
            await asking.ask("slow")

    with_two(test)


def test_a_packet_that_is_no_command_is_the_cores() -> None:
    async def test() -> None:
        crews = Crew(2), Crew(2)
        crews[0].links[1], crews[1].links[0] = link()
        heard: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        sender = Colleagues(crews[0], lambda number, packet: None)
        receiver = Colleagues(crews[1], lambda number, packet: heard.set_result((number, packet)))

        assert sender.send(b"news\n{}", between(0, 1).remote)
        assert await heard == (0, b"news\n{}")

        sender.close()
        receiver.close()

    run(test)
