"""Bindings that survive the proxy."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ngcp.provisioning.line import Line, StatementRefused
from ngcp.provisioning.location import NAT, LocationRow, LocationTable, check
from private_mariadb import Server

T = TypeVar("T")
DESK = LocationRow(
    ruid="uloc-1",
    username="alice",
    domain="example.org",
    contact="sip:alice@192.0.2.7:5060;transport=tcp",
    received="sip:198.51.100.7:40000;transport=tcp",
    path="<sip:lb@127.0.0.1:5060;lr>",
    q=0.5,
    expires=1_900_000_000,
    call_id="abc@desk",
    cseq=7,
    user_agent="Desk 1.0",
    socket="udp:127.0.0.1:5062",
    instance='"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"',
    reg_id=1,
    cflags=NAT,
)
MOBILE = DESK._replace(ruid="uloc-2", contact="sip:alice@192.0.2.8", received=None, path=None, instance=None)


def work(server: Server, job: Callable[[LocationTable], Awaitable[T]]) -> T:
    async def main() -> T:
        line = Line(server.socket, server.user, 2.0)
        try:
            return await job(LocationTable(line))
        finally:
            line.close()

    return asyncio.run(main())


async def load(table: LocationTable) -> list[LocationRow]:
    return [row async for row in table.load()]


def test_what_was_saved_is_loaded(database: Server) -> None:
    work(database, lambda table: table.save([DESK, MOBILE], []))
    assert work(database, load) == [DESK, MOBILE]


@pytest.mark.parametrize("text", ['"', "\\", "\\n", "\n", "\x1f", "\x00", "à𝄞", "',", "null", "]"])
def test_any_text_comes_back_as_it_was(database: Server, text: str) -> None:
    odd = DESK._replace(call_id=text, contact=f"sip:{text}@h", user_agent=text)
    work(database, lambda table: table.save([odd], []))
    assert work(database, load) == [odd]


def test_a_refresh_changes_the_row_in_place(database: Server) -> None:
    work(database, lambda table: table.save([DESK, MOBILE], []))
    before = database.run("SELECT id FROM kamailio.location WHERE ruid = 'uloc-1'")

    work(database, lambda table: table.save([DESK._replace(cseq=8)], []))

    assert work(database, load) == [DESK._replace(cseq=8), MOBILE]
    assert database.run("SELECT id FROM kamailio.location WHERE ruid = 'uloc-1'") == before


def test_new_and_removed_bindings_change_together(database: Server) -> None:
    work(database, lambda table: table.save([DESK], []))
    work(database, lambda table: table.save([MOBILE], ["uloc-1", "uloc-unknown"]))
    assert work(database, load) == [MOBILE]


def test_a_refused_row_undoes_the_whole(database: Server) -> None:
    work(database, lambda table: table.save([DESK], []))
    with pytest.raises(StatementRefused):
        work(database, lambda table: table.save([MOBILE, MOBILE._replace(ruid="u3", cseq=2**80)], ["uloc-1"]))
    assert work(database, load) == [DESK]


def test_nothing_to_save_is_no_error(database: Server) -> None:
    work(database, lambda table: table.save([], []))
    assert work(database, load) == []


def test_expired_bindings_are_forgotten(database: Server) -> None:
    work(database, lambda table: table.save([DESK._replace(expires=1000), MOBILE._replace(expires=1001)], []))
    work(database, lambda table: table.remove_expired(1000.9))
    assert [row.ruid for row in work(database, load)] == ["uloc-2"]


def test_thousands_of_bindings_fit_one_transaction(database: Server) -> None:
    rows = [DESK._replace(ruid=f"uloc-{number}") for number in range(3000)]
    work(database, lambda table: table.save(rows, []))
    work(database, lambda table: table.save([], [row.ruid for row in rows[:2999]]))
    assert work(database, load) == rows[2999:]


@pytest.mark.parametrize(
    "change",
    [
        {"contact": "sip:" + "a" * 509},
        {"path": "x" * 513},
        {"call_id": "a\udce4"},
        {"user_agent": "u" * 256},
        {"reg_id": 2**31},
    ],
)
def test_a_row_that_does_not_fit_is_refused(change: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match=r"at most|surrogates"):
        check(DESK._replace(**change))  # type: ignore[arg-type]  # the values of a parametrised change
