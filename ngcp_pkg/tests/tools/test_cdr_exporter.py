"""CDRs leave in files: each once, in numbered files without a gap, whatever happens meanwhile."""

import asyncio
import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, connect, transaction
from ngcp.tools import cdr_exporter
from ngcp.tools.cdr_exporter import Config, Database, Exporter, Files
from ngcp.tools.export_files import STAGED, Disk, NotWritten, Shelf, line_of, render, series
from private_mariadb import Server
from tools.faulty_disk import Crash, FaultyDisk

RED, BLUE = 11, 12
"""Contracts of resellers."""
FAULTS = ("crash", "half", "power", "full")


@dataclass
class Stage:
    """The exporter's surroundings: CDRs, a directory, and somebody who collects files from there."""

    server: Server
    directory: Path
    collected: Path
    runner: asyncio.Runner
    engine: AsyncEngine
    config: Config
    now: datetime = datetime(2026, 11, 27, 10, 55, tzinfo=UTC)
    due: list[int] = field(default_factory=list)
    of_red: list[int] = field(default_factory=list)

    def add(self, count: int = 1, **columns: object) -> list[int]:
        """Add CDRs, alternately of two resellers, that are to be exported unless `columns` say otherwise."""
        made = []
        for _ in range(count):
            reseller = RED if len(self.due) % 2 else BLUE
            row = _row(reseller, self.server) | columns
            self.server.run(
                f"INSERT INTO accounting.cdr ({', '.join(row)})"
                f" VALUES ({', '.join('NULL' if v is None else repr(v) for v in row.values())})"
            )
            ((number,),) = self.server.run("SELECT MAX(id) FROM accounting.cdr")
            assert isinstance(number, int)
            made.append(number)
            if not columns:
                self.due.append(number)
                self.of_red += [number] if reseller == RED else []
        return made

    def run(self, disk: Disk | None = None, **changes: Any) -> list[str]:  # noqa: ANN401 - of the configuration
        """Run an exporter, a minute later each time."""
        self.now += timedelta(minutes=1)
        shelf = Shelf(self.directory, disk or FaultyDisk(0, ""))
        exporter = Exporter(replace(self.config, **changes), self.engine, shelf, lambda: self.now)

        async def export() -> list[str]:
            return [line async for line in exporter.run()]

        return self.runner.run(export())

    def collect(self) -> None:
        """Take the files away, as those for whom they are do."""
        for path in files_in(self.directory):
            target = self.collected / path.relative_to(self.directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            assert not target.exists(), f"{target.name} came out twice"
            path.rename(target)

    def exported(self, folder: str) -> list[int]:
        """Return the row numbers in all files of a series, collected or not; check the files themselves."""
        paths = [path for top in (self.collected, self.directory) for path in files_in(top / folder)]
        paths.sort(key=sequence_of)
        assert [sequence_of(path) for path in paths] == list(range(1, len(paths) + 1))
        return [number for path in paths for number in ids_in(path)]

    def check(self, unexported: Collection[int] = ()) -> None:
        """Check that each CDR that was due left once, in both its files, and the database knows."""
        assert sorted(self.exported("system")) == self.due
        assert sorted(self.exported("resellers/red")) == self.of_red
        waiting = self.server.run("SELECT id FROM accounting.cdr WHERE export_status = 'unexported'")
        assert [number for (number,) in waiting] == list(unexported)
        dated = self.server.run("SELECT id FROM accounting.cdr WHERE exported_at IS NOT NULL ORDER BY id")
        assert [number for (number,) in dated] == self.due
        assert list((self.directory / STAGED).glob("*")) == []


def _row(reseller: int, server: Server) -> dict[str, object]:
    ((count,),) = server.run("SELECT COUNT(*) FROM accounting.cdr")
    return {
        "source_user_id": "u",
        "source_provider_id": reseller,
        "source_account_id": 1,
        "source_user": "o'hara",
        "source_domain": "example.org",
        "source_cli": "4311001",
        "source_carrier_cost": "0.123456",
        "destination_user_id": "0",
        "destination_provider_id": 1,
        "destination_account_id": 0,
        "destination_user": "4319",
        "destination_domain": "peer.test",
        "destination_user_dialed": "019",
        "destination_user_in": "4319",
        "destination_domain_in": "peer.test",
        "call_status": "ok",
        "call_code": "200",
        "init_time": "1795723190.500",
        "start_time": "1795723200.123",
        "duration": "59.877",
        "call_id": f"call {count}",
        "rating_status": "ok",
    }


def files_in(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*.cdr") if STAGED not in path.parts]


def sequence_of(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def ids_in(path: Path) -> list[int]:
    """Return the row numbers in a file that is whole."""
    *lines, checksum = path.read_text().splitlines()
    body = "".join(f"{line}\n" for line in lines)
    assert hashlib.md5(body.encode()).hexdigest() == checksum
    assert lines[0] == f"007,{len(lines) - 1:04}"
    return [int(line.split(",")[0].strip("'")) for line in lines[1:]]


@pytest.fixture
def stage(database: Server, tmp_path: Path) -> Iterator[Stage]:
    database.run("ALTER TABLE accounting.cdr AUTO_INCREMENT = 1")
    contact = "INSERT INTO billing.contacts (id) VALUES (90)"
    contracts = ", ".join(f"({n}, 90, 3, 'active')" for n in (RED, BLUE))
    database.run(
        contact,
        f"INSERT INTO billing.contracts (id, contact_id, product_id, status) VALUES {contracts}",
        f"INSERT INTO billing.resellers (contract_id, name) VALUES ({RED}, 'red'), ({BLUE}, 'blue/green')",
    )
    config = Config(
        Database(database.socket),
        tmp_path / "out",
        Files(max_rows_per_file=3),
        admin_export_fields=("id", "source_user", "start_time", "source_carrier_cost", "rated_at"),
        reseller_export_fields=("id", "source_user", "destination_provider_id"),
    )
    config.directory.mkdir()
    with asyncio.Runner() as runner:
        engine = connect(database.socket, database.user, 10.0)
        yield Stage(database, config.directory, tmp_path / "collected", runner, engine, config)
        runner.run(engine.dispose())


def test_files_as_the_platform_writes_them(stage: Stage) -> None:
    stage.add(4)
    assert stage.run() == [
        str(stage.directory / path)
        for path in (
            "system/202611/27/ngcp_007_20261127105600_0000000001.cdr",
            "resellers/red/202611/27/ngcp_007_20261127105600_0000000001.cdr",
            "resellers/blue_green/202611/27/ngcp_007_20261127105600_0000000001.cdr",
            "system/202611/27/ngcp_007_20261127105600_0000000002.cdr",
            "resellers/red/202611/27/ngcp_007_20261127105600_0000000002.cdr",
        )
    ]
    first = min(files_in(stage.directory / "system"), key=sequence_of)
    lines = first.read_text().splitlines()
    assert lines[0] == "007,0003"
    assert lines[1] == f"'{stage.due[0]}','o''hara','2026-11-26 20:00:00.123','0.123456',''"
    red = min(files_in(stage.directory / "resellers/red"), key=sequence_of)
    assert red.read_text().splitlines()[1] == f"'{stage.of_red[0]}','o''hara',''"
    assert stage.server.run("SELECT collector, acc_id FROM accounting.mark ORDER BY collector") == [
        ("exporter-lastid", stage.due[-1]),
        ("exporter-lastseq", 2),
        (f"exporter-lastseq-{RED}", 2),
        (f"exporter-lastseq-{BLUE}", 1),
    ]
    stage.check()


def test_nothing_is_due(stage: Stage) -> None:
    assert stage.run() == []
    stage.add(2)
    assert len(stage.run()) == 3
    assert stage.run() == []
    stage.check()


def test_who_waits_and_who_is_passed_over(stage: Stage) -> None:
    """An unrated CDR leaves once it is rated, though later ones have gone before it."""
    (late,) = stage.add(rating_status="unrated")
    stage.add(2)
    passed = stage.add(call_status="busy") + stage.add(source_user_id="0")
    stage.run()
    stage.check([late])
    stage.server.run(f"UPDATE accounting.cdr SET rating_status = 'ok' WHERE id = {late}")
    stage.due.insert(0, late)
    stage.run()
    assert stage.exported("system") == [*stage.due[1:], late]
    told = stage.server.run(f"SELECT export_status, exported_at FROM accounting.cdr WHERE id = {passed[0]}")
    assert told == [("ok", None)]


def test_what_the_configuration_adds(stage: Stage) -> None:
    unrated = stage.add(rating_status="unrated")
    busy = stage.add(call_status="busy")
    incoming = stage.add(source_user_id="0", destination_user_id="u", destination_provider_id=RED)
    stage.run(export_unrated=True, export_failed=True, export_incoming=True)
    assert stage.exported("system") == unrated + busy + incoming
    assert stage.exported("resellers/red") == incoming
    assert stage.exported("resellers/blue_green") == unrated + busy


def test_folders_are_as_configured(stage: Stage) -> None:
    stage.add(3)
    for monthly, daily, folder in (
        (False, False, "system"),
        (True, False, "system/202611"),
        (False, True, "system/20261127"),
    ):
        stage.add()
        stage.run(files=Files(monthly_folder=monthly, daily_folder=daily))
        assert list((stage.directory / folder).glob("*.cdr"))
    stage.check()


def clear(stage: Stage) -> None:
    stage.server.run("DELETE FROM accounting.cdr", "DELETE FROM accounting.mark")
    for path in (stage.directory, stage.collected):
        shutil.rmtree(path, ignore_errors=True)
    stage.directory.mkdir()
    stage.due, stage.of_red = [], []


@pytest.mark.parametrize("fault", FAULTS)
def test_it_ends_at_any_step(stage: Stage, fault: str) -> None:
    """Whatever step is the last: files are collected, more calls come, the next exporter goes on."""
    stage.add(2)
    stage.run(disk := FaultyDisk(0, ""))
    assert disk.steps > 30, "there is much that can go wrong"
    steps = range(1, disk.steps + 1, 1 if fault == "power" else 3)  # a power loss is a crash, and more
    for at in disk.writes if fault == "half" else steps:
        clear(stage)
        stage.add(2)
        with pytest.raises((Crash, OSError, NotWritten)):
            stage.run(FaultyDisk(at, fault))
        stage.collect()
        stage.add(1)
        stage.run()
        stage.check()


def test_it_ends_twice(stage: Stage) -> None:
    """The one that goes on ends, too, wherever it is."""
    for first in range(5, 45, 13):
        for second in range(1, 10, 4):
            clear(stage)
            stage.add(4)
            for at in (first, second):
                with contextlib.suppress(Crash):
                    stage.run(FaultyDisk(at, "power"))
                stage.collect()
            stage.run()
            stage.check()


@pytest.mark.parametrize("is_done", [True, False])
def test_nobody_knows_whether_it_was_committed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    """The database's answer is lost: the next exporter asks it what it has."""
    stage.add(4)
    calls = iter(range(100))

    @asynccontextmanager
    async def losing(engine: AsyncEngine) -> Any:  # noqa: ANN401 - a connection
        is_second = next(calls) == 1
        async with transaction(engine) as connection:
            yield connection
            if is_second and not is_done:
                raise DatabaseUnavailable("gone")
        if is_second:
            raise DatabaseUnavailable("gone")

    monkeypatch.setattr(cdr_exporter, "transaction", losing)
    with pytest.raises(DatabaseUnavailable):
        stage.run()
    assert files_in(stage.directory) == []
    monkeypatch.undo()
    stage.run()
    stage.check()


def test_a_cdr_that_is_being_rated_is_not_waited_for(stage: Stage) -> None:
    stage.add(2)
    rater = stage.server.connect()
    with rater.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT * FROM accounting.cdr WHERE id = {stage.due[0]} FOR UPDATE")
        stage.run()
        assert stage.exported("system") == stage.due[1:]
        cursor.execute("COMMIT")
    rater.close()
    stage.run()
    stage.check()


def test_a_file_in_the_way_is_not_overwritten(stage: Stage) -> None:
    stage.add(1)
    there = stage.directory / "system/202611/27/ngcp_007_20261127105600_0000000001.cdr"
    there.parent.mkdir(parents=True)
    there.write_text("somebody else's")
    with pytest.raises(FileExistsError, match="is there already"):
        stage.run()
    assert there.read_text() == "somebody else's"
    there.unlink()
    stage.run()
    stage.check()


def test_its_account_suffices(stage: Stage) -> None:
    stage.add(2)
    stage.server.run("ALTER USER `cdrexport`@`localhost` IDENTIFIED BY ''")
    stage.engine = connect(stage.server.socket, "cdrexport", 10.0)
    stage.run()
    stage.runner.run(stage.engine.dispose())
    stage.server.run("ALTER USER `cdrexport`@`localhost` IDENTIFIED VIA unix_socket")
    stage.check()


def test_lines() -> None:
    assert line_of(["a'b", None, 1, "x\ny"]) == "'a''b','','1','x y'"
    assert render("007", ["'1'"]).splitlines()[:2] == [b"007,0001", b"'1'"]


@pytest.mark.parametrize(
    ("name", "folder"), [("red", "red"), ("a/b", "a_b"), ("..", ".._7"), ("", "_7"), ("x\ny", "x y")]
)
def test_a_resellers_name_is_a_folder(name: str, folder: str) -> None:
    assert series(7, name) == f"resellers/{folder}"


# the program


def write_config(stage: Stage, path: Path, extra: str = "") -> list[str]:
    path.write_text(f"database: {{socket: {stage.server.socket}}}\ndirectory: {stage.directory}\n{extra}")
    return ["ngcp-cdr-exporter", "--config", str(path)]


def run_program(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> int:
    monkeypatch.setattr("sys.argv", arguments)
    return cdr_exporter.main()


def test_the_program(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.add(2)
    arguments = write_config(stage, tmp_path / "config.yml")
    assert run_program(monkeypatch, [*arguments, "--check"]) == 0
    assert files_in(stage.directory) == []
    assert run_program(monkeypatch, arguments) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    stage.check()


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("admin_export_fields: [id, colour]", "admin_export_fields: colour"),
        ("reseller_export_fields: [source_carrier_cost]", "reseller_export_fields"),
        ("files: {max_rows_per_file: 0}", "max_rows_per_file"),
        ("files: {prefix: a/b}", "prefix"),
        ("colour: red", "colour"),
        ("export_failed: maybe", "export_failed"),
    ],
)
def test_a_bad_configuration_is_named(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: str,
    told: str,
) -> None:
    arguments = write_config(stage, tmp_path / "config.yml", extra)
    assert run_program(monkeypatch, arguments) == 78
    assert told in capsys.readouterr().err


def test_no_database_no_directory_and_no_two_at_once(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write_config(stage, tmp_path / "config.yml")
    with (stage.directory / cdr_exporter.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_program(monkeypatch, arguments) == 75
        assert "another exporter" in capsys.readouterr().err
    stage.directory.rename(tmp_path / "elsewhere")
    assert run_program(monkeypatch, arguments) == 74
    (tmp_path / "elsewhere").rename(stage.directory)
    text = (tmp_path / "config.yml").read_text().replace(stage.server.socket, str(tmp_path / "nobody"))
    (tmp_path / "config.yml").write_text(text)
    assert run_program(monkeypatch, arguments) == 69
