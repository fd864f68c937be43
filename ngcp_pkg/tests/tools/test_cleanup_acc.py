"""Months of CDRs come and go; records that are done with are removed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ngcp.provisioning.partitions import Month
from ngcp.provisioning.upgrade import administer
from ngcp.tools import cleanup_acc
from ngcp.tools.cleanup_acc import Config, clean_up
from private_mariadb import Server
from provisioning.test_cdr_table import insert

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0


@pytest.fixture
def connection(database: Server) -> Iterator[Connection]:
    """A connection."""
    engine = administer(database.socket, database.user)
    with engine.connect() as connected:
        yield connected
    engine.dispose()


def months(server: Server) -> list[str]:
    return [
        str(name)
        for (name,) in server.run(
            "SELECT partition_name FROM information_schema.partitions WHERE table_schema = 'accounting'"
            " AND table_name = 'cdr' ORDER BY partition_ordinal_position"
        )
    ]


def in_month(server: Server, name: str) -> int:
    ((count,),) = server.run(f"SELECT COUNT(*) FROM accounting.cdr PARTITION ({name})")
    assert isinstance(count, int)
    return count


def add_cdr(server: Server, year: int, month: int, day: int = 15, **columns: str) -> None:
    start = f"{datetime(year, month, day, tzinfo=UTC).timestamp():.3f}"
    insert(server, start_time=start, call_id=f"'{year}-{month}-{day}'", **columns)


def test_months_are_made_before_they_begin(database: Server, connection: Connection) -> None:
    config = Config(database.socket, cdr_months_ahead=2)
    assert list(clean_up(connection, config, NOW)) == [
        f"accounting.cdr: p2026{month} made" for month in (11, 12)
    ] + ["accounting.cdr: p202701 made"]
    assert list(clean_up(connection, config, NOW)) == []
    assert months(database) == ["p202611", "p202612", "p202701", "pmax"]
    assert list(clean_up(connection, config, NOW + 31 * DAY)) == ["accounting.cdr: p202702 made"]


def test_a_cdr_is_in_its_month(database: Server, connection: Connection) -> None:
    """What came while nobody made months moves into the ones that are made."""
    list(clean_up(connection, Config(database.socket, cdr_months_ahead=1), NOW))
    add_cdr(database, 2026, 11, 30)
    insert(database, start_time=f"{Month(2026, 11).end - 0.001:.3f}", call_id="'last'")
    insert(database, start_time=f"{Month(2026, 11).end}.000", call_id="'first'")
    add_cdr(database, 2027, 2)
    assert [in_month(database, name) for name in ("p202611", "p202612", "pmax")] == [2, 1, 1]
    list(clean_up(connection, Config(database.socket, cdr_months_ahead=3), NOW))
    assert [in_month(database, name) for name in ("p202702", "pmax")] == [1, 0]


def test_old_months_are_dropped(database: Server, connection: Connection) -> None:
    then = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
    list(clean_up(connection, Config(database.socket, cdr_months_ahead=5), then))
    for month in range(7, 12):
        add_cdr(database, 2026, month, export_status="'ok'")
    database.run(
        "INSERT INTO accounting.cdr_mos_data SELECT id, start_time, 4, 0, 0, 0 FROM accounting.cdr",
        "INSERT INTO accounting.cdr_export_status_data (cdr_id, cdr_start_time, status_id)"
        " SELECT id, start_time, 1 FROM accounting.cdr",
    )
    config = Config(database.socket, cdr_keep_months=2, cdr_months_ahead=1)
    assert list(clean_up(connection, config, NOW)) == [
        "accounting.cdr: p202607 dropped",
        "accounting.cdr: p202608 dropped",
        "accounting.cdr_mos_data: 2 removed",
        "accounting.cdr_export_status_data: 2 removed",
    ]
    assert database.run("SELECT COUNT(*) FROM accounting.cdr") == [(3,)]
    assert database.run("SELECT COUNT(*) FROM accounting.cdr_mos_data") == [(3,)]
    assert list(clean_up(connection, config, NOW)) == []


def test_a_month_that_is_not_exported_stays(database: Server, connection: Connection) -> None:
    list(clean_up(connection, Config(database.socket), datetime(2026, 7, 1, tzinfo=UTC).timestamp()))
    add_cdr(database, 2026, 7)
    config = Config(database.socket, cdr_keep_months=1)
    (told, *_) = [line for line in clean_up(connection, config, NOW) if "p202607" in line]
    assert told == "accounting.cdr: p202607 stays, 1 CDRs are not exported"
    assert in_month(database, "p202607") == 1


def test_cdrs_are_kept_for_ever_unless_it_is_said(database: Server, connection: Connection) -> None:
    list(clean_up(connection, Config(database.socket), datetime(2020, 1, 1, tzinfo=UTC).timestamp()))
    add_cdr(database, 2020, 1, export_status="'ok'")
    list(clean_up(connection, Config(database.socket), NOW))
    assert in_month(database, "p202001") == 1


def test_its_account_suffices(database: Server, connection: Connection) -> None:
    list(clean_up(connection, Config(database.socket), datetime(2026, 7, 1, tzinfo=UTC).timestamp()))
    add_cdr(database, 2026, 7, export_status="'ok'")
    add_cdr(database, 2027, 5)
    database.run(
        "INSERT INTO accounting.cdr_mos_data SELECT id, start_time, 4, 0, 0, 0 FROM accounting.cdr",
        "ALTER USER `dbcleaner`@`localhost` IDENTIFIED BY ''",
    )
    engine = administer(database.socket, "dbcleaner")
    with engine.connect() as own:
        lines = list(clean_up(own, Config(database.socket, cdr_keep_months=2, cdr_months_ahead=8), NOW))
    engine.dispose()
    database.run("ALTER USER `dbcleaner`@`localhost` IDENTIFIED VIA unix_socket")
    assert "accounting.cdr: p202607 dropped" in lines
    assert in_month(database, "p202705") == 1


@pytest.mark.parametrize("table", ["acc_backup", "acc_trash"])
def test_records_that_are_done_with_are_removed(
    database: Server, connection: Connection, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(cleanup_acc, "BATCH", 3)
    columns = "method, from_tag, to_tag, callid, sip_code, sip_reason, time, time_hires, src_leg, dst_leg,"
    columns += " dst_user, dst_ouser, dst_domain, src_user, src_domain"
    for into in (table, "acc"):
        for number in range(10):
            unix = NOW - (100 - number * 3) * DAY
            blanks = ", ".join(["''"] * 7)
            values = f"'INVITE', 'a', 'b', 'c{number}', '200', 'OK', FROM_UNIXTIME({unix}), {unix}, {blanks}"
            database.run(f"INSERT INTO kamailio.{into} ({columns}) VALUES ({values})")
    lines = list(clean_up(connection, Config(database.socket, acc_cleanup_days=90), NOW))
    assert f"kamailio.{table}: 4 removed" in lines
    left = database.run(f"SELECT callid FROM kamailio.{table} ORDER BY id")
    assert [callid for (callid,) in left] == [f"c{number}" for number in range(4, 10)]
    assert database.run("SELECT COUNT(*) FROM kamailio.acc") == [(10,)], "what is still to be done"


@pytest.mark.parametrize(
    ("month", "later", "expected"),
    [
        ((2026, 11), 1, (2026, 12)),
        ((2026, 12), 1, (2027, 1)),
        ((2026, 1), -1, (2025, 12)),
        ((2026, 11), -23, (2024, 12)),
    ],
)
def test_months_are_counted(month: tuple[int, int], later: int, expected: tuple[int, int]) -> None:
    assert Month(*month).later(later) == Month(*expected)


# the program


def run_program(monkeypatch: pytest.MonkeyPatch, path: Path, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["ngcp-cleanup-acc", "--config", str(path), *arguments])
    return cleanup_acc.main()


def test_the_program(
    database: Server,
    connection: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"socket: {database.socket}\n")
    assert run_program(monkeypatch, path, "--check") == 0
    assert months(database) == ["pmax"]
    assert run_program(monkeypatch, path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    path.write_text(f"socket: {tmp_path / 'nobody'}\n")
    monkeypatch.setattr(cleanup_acc, "PATIENCE", 0.0)
    assert run_program(monkeypatch, path) == 69


@pytest.mark.parametrize(
    "line", ["acc_cleanup_days: 0", "cdr_keep_months: -1", "cdr_months_ahead: 0", "x: 1"]
)
def test_a_bad_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"socket: /x\n{line}\n")
    assert run_program(monkeypatch, path) == 78
    assert line.partition(":")[0] in capsys.readouterr().err
