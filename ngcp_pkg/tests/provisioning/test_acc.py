"""Call records in their table."""

import asyncio
from collections.abc import Iterable

import pytest

from ngcp.provisioning.acc import AccRow, AccTable
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import Line
from private_mariadb import Server

#: What the server does not like but takes.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:aiomysql")

START = AccRow(
    method="INVITE",
    from_tag="a",
    to_tag="b",
    callid="c1",
    sip_code="200",
    sip_reason="OK",
    time="2026-11-26 20:00:00",
    time_hires="1795723200.123",
    src_leg='{"uuid":"u"}',
    dst_leg="{}",
    src_user="alice",
    src_domain="example.org",
    dst_user="bob",
    dst_ouser="4311002",
    dst_domain="example.org",
)
STOP = START._replace(method="BYE", time_hires="1795723260.000", src_leg="", dst_leg="{}")


def save(server: Server, *rows: AccRow, user: str = "") -> None:
    async def main() -> None:
        line = Line(server.socket, user or server.user, 2.0)
        try:
            await AccTable(line).save(rows)
        finally:
            line.close()

    asyncio.run(main())


def stored(server: Server, columns: Iterable[str]) -> list[tuple[object, ...]]:
    return server.run(f"SELECT {', '.join(columns)} FROM kamailio.acc ORDER BY time_hires, branch_id")


def test_a_record_is_stored_whole(database: Server) -> None:
    save(database, START)
    row = stored(database, AccRow._fields)[0]
    assert tuple(map(str, row)) == START


def test_the_same_record_sent_twice_is_stored_once(database: Server) -> None:
    save(database, START)
    save(database, START, STOP)
    assert stored(database, ["method"]) == [("INVITE",), ("BYE",)]


def test_legs_of_one_call_are_records_of_their_own(database: Server) -> None:
    save(database, START, START._replace(branch_id="1"))
    assert stored(database, ["branch_id"]) == [("0",), ("1",)]


def test_what_is_too_long_is_cut(database: Server) -> None:
    """A record that is incomplete is worth more than none."""
    save(database, START._replace(dst_user="9" * 500))
    assert stored(database, ["dst_user"]) == [("9" * 128,)]


@pytest.mark.parametrize("text", ["'; DROP TABLE kamailio.acc; --", '"', "\\", "%s", "ä"])
def test_any_text_is_data(database: Server, text: str) -> None:
    save(database, START._replace(dst_user=text))
    assert stored(database, ["dst_user"]) == [(text,)]


def test_what_is_no_text_does_not_keep_the_record_from_being_stored(database: Server) -> None:
    save(database, START._replace(dst_user="\udcff"))
    assert stored(database, ["method"]) == [("INVITE",)]


def test_database_away() -> None:
    with pytest.raises(DatabaseUnavailable):
        save(Server("/nonexistent", "x", 0), START)
