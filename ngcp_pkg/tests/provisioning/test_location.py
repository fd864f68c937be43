"""Bindings that survive the proxy."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy.exc import DataError

from ngcp.provisioning.engine import connect
from ngcp.provisioning.location import LocationRow, LocationTable
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
)
MOBILE = replace(DESK, ruid="uloc-2", contact="sip:alice@192.0.2.8", received=None, path=None, instance=None)


def work(server: Server, job: Callable[[LocationTable], Awaitable[T]]) -> T:
    async def main() -> T:
        engine = connect(server.socket, server.user, 2.0)
        try:
            return await job(LocationTable(engine))
        finally:
            await engine.dispose()

    return asyncio.run(main())


def test_what_was_saved_is_loaded(database: Server) -> None:
    work(database, lambda table: table.save([DESK, MOBILE], []))
    assert work(database, lambda table: table.load()) == [DESK, MOBILE]


def test_a_refresh_changes_the_row_in_place(database: Server) -> None:
    work(database, lambda table: table.save([DESK, MOBILE], []))
    before = database.run("SELECT id FROM kamailio.location WHERE ruid = 'uloc-1'")

    work(database, lambda table: table.save([replace(DESK, cseq=8)], []))

    assert work(database, lambda table: table.load()) == [replace(DESK, cseq=8), MOBILE]
    assert database.run("SELECT id FROM kamailio.location WHERE ruid = 'uloc-1'") == before


def test_new_and_removed_bindings_change_together(database: Server) -> None:
    work(database, lambda table: table.save([DESK], []))
    work(database, lambda table: table.save([MOBILE], ["uloc-1", "uloc-unknown"]))
    assert work(database, lambda table: table.load()) == [MOBILE]


def test_a_refused_row_undoes_the_whole(database: Server) -> None:
    work(database, lambda table: table.save([DESK], []))
    with pytest.raises(DataError):
        work(database, lambda table: table.save([MOBILE, replace(MOBILE, ruid="u3", cseq=2**80)], ["uloc-1"]))
    assert work(database, lambda table: table.load()) == [DESK]


def test_nothing_to_save_is_no_error(database: Server) -> None:
    work(database, lambda table: table.save([], []))
    assert work(database, lambda table: table.load()) == []


def test_expired_bindings_are_forgotten(database: Server) -> None:
    work(database, lambda table: table.save([replace(DESK, expires=1000), replace(MOBILE, expires=1001)], []))
    work(database, lambda table: table.remove_expired(1000.9))
    assert [row.ruid for row in work(database, lambda table: table.load())] == ["uloc-2"]


def test_thousands_of_bindings_fit_one_transaction(database: Server) -> None:
    rows = [replace(DESK, ruid=f"uloc-{number}") for number in range(3000)]
    work(database, lambda table: table.save(rows, []))
    work(database, lambda table: table.save([], [row.ruid for row in rows[:2999]]))
    assert work(database, lambda table: table.load()) == rows[2999:]


@pytest.mark.parametrize(
    "change", [{"contact": "sip:" + "a" * 509}, {"path": "x" * 513}, {"call_id": "a\udce4"}]
)
def test_a_row_that_does_not_fit_cannot_exist(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"at most|surrogates"):
        replace(DESK, **change)  # type: ignore[arg-type]  # the values of a parametrised change


def test_a_long_user_agent_is_cut(database: Server) -> None:
    work(database, lambda table: table.save([replace(DESK, user_agent="u" * 300)], []))
    assert work(database, lambda table: table.load())[0].user_agent == "u" * 255
