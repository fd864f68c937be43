"""`ngcp-cdr-exporter`: write CDRs into files, each once, with numbers that have no gap."""

import argparse
import asyncio
import fcntl
import os
import pwd
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.call_views import detail
from ngcp.provisioning.cdr_export import (
    NOBODY,
    SYSTEM,
    Marks,
    Wanted,
    read_marks,
    reseller_names,
    settle,
    take_due,
    write_marks,
)
from ngcp.provisioning.cdrs import Row
from ngcp.provisioning.engine import DatabaseUnavailable, connect, transaction
from ngcp.provisioning.parties import Party
from ngcp.provisioning.tables.accounting import cdr
from ngcp.service.config import ConfigError, load_yaml
from ngcp.tools.export_files import Disk, ExportFile, Naming, NotWritten, Shelf, line_of, render, series

CONFIG: Final = Path("/etc/ngcp-cdr-exporter/cdr-exporter.yml")
LOCK: Final = ".lock"
_SIDE: Final = ("user_id", "provider_id", "external_subscriber_id", "external_contract_id", "account_id")
_PAID: Final = ("cost", "free_time", "billing_fee_id", "billing_zone_id")


def _fields(payers: Sequence[str]) -> tuple[str, ...]:
    """Return the usual fields, in the platform's order, with what those pay."""
    names = ("user", "domain")
    return (
        "id",
        *(f"source_{name}" for name in (*_SIDE, *names, "cli", "clir", "ip")),
        *(f"destination_{name}" for name in (*_SIDE, *names, "user_in", "domain_in", "user_dialed")),
        *("peer_auth_user", "peer_auth_realm", "call_type", "call_status", "call_code"),
        *("init_time", "start_time", "duration", "call_id", "rating_status", "rated_at"),
        *(f"source_{payer}_{what}" for payer in payers for what in _PAID),
        *(f"destination_{payer}_{what}" for payer in payers for what in _PAID),
    )


@dataclass(frozen=True, slots=True)
class Database:
    """How MariaDB is reached, under the name of the user that runs this."""

    socket: str
    """Path of the server's unix socket."""
    timeout: float = 60.0
    """Seconds that the CDRs of a file may take."""


@dataclass(frozen=True, slots=True)
class Files:
    """How files are called."""

    prefix: str = "ngcp"
    version: str = "007"
    suffix: str = "cdr"
    monthly_folder: bool = True
    """Whether files of a month have a folder of their own."""
    daily_folder: bool = True
    """Whether files of a day have."""
    max_rows_per_file: int = 10_000

    def __post_init__(self) -> None:
        for key in ("prefix", "version", "suffix"):
            value = getattr(self, key)
            if not value or "/" in value or value.startswith("."):
                raise ValueError(f"{key}: part of a file's name expected, found {value!r}")
        if not 0 < self.max_rows_per_file <= 100_000:
            raise ValueError(f"max_rows_per_file: 1 to 100000 expected, found {self.max_rows_per_file}")

    @property
    def naming(self) -> Naming:
        """The same for who names them."""
        return Naming(self.prefix, self.version, self.suffix, self.monthly_folder, self.daily_folder)


@dataclass(frozen=True, slots=True)
class Config:
    """/etc/ngcp-cdr-exporter/cdr-exporter.yml."""

    database: Database
    directory: Path
    """Where files come out: below `system`, and `resellers/NAME`."""
    files: Files = field(default_factory=Files)
    export_unrated: bool = False
    """Whether CDRs are exported that are not rated, too."""
    export_failed: bool = False
    """Whether those of calls that were not answered are."""
    export_incoming: bool = False
    """Whether calls from outside are, and in resellers' files those to their subscribers."""
    admin_export_fields: tuple[str, ...] = _fields(("carrier", "reseller", "customer"))
    """Columns in the provider's files."""
    reseller_export_fields: tuple[str, ...] = _fields(("reseller", "customer"))
    """Columns in resellers' files."""

    def __post_init__(self) -> None:
        for key in ("admin_export_fields", "reseller_export_fields"):
            for name in getattr(self, key):
                if name not in cdr.c or (key.startswith("reseller") and "carrier" in name):
                    raise ValueError(f"{key}: {name} is no column of CDRs that goes there")

    @property
    def wanted(self) -> Wanted:
        """Which CDRs are exported."""
        return Wanted(self.export_unrated, self.export_failed, self.export_incoming)


class Busy(Exception):
    """Another exporter is at work."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """Takes CDRs out of the database, a file of each series at a time."""

    config: Config
    engine: AsyncEngine
    shelf: Shelf
    now: Callable[[], datetime]

    async def run(self) -> AsyncIterator[str]:
        """Export all that is due; yield each file. Raises DatabaseUnavailable, NotWritten and OSError."""
        async with transaction(self.engine) as connection:
            marks: Marks | None = await read_marks(connection)
        while marks is not None:
            for path in self.shelf.bring_out(marks):
                yield str(path)
            marks = await self._lay_down()

    async def _lay_down(self) -> Marks | None:
        """Lay down the next files; return the marks that bring them out, None if nothing is due."""
        now, config = self.now(), self.config
        async with transaction(self.engine) as connection:
            marks = await read_marks(connection, lock=True)
            rows = await take_due(connection, config.wanted, config.files.max_rows_per_file)
            if not rows:
                return None
            chosen = [row for row in rows if config.wanted.wants(row)]
            files = self._files(chosen, marks, await reseller_names(connection), now)
            self.shelf.lay_down(files)
            await settle(connection, chosen, now)
            await settle(connection, [row for row in rows if not config.wanted.wants(row)], None)
            marks = {**marks, **{file.owner: file.sequence for file in files}}
            if chosen:
                await write_marks(connection, marks, max(row["id"] for row in chosen))
        return marks

    def _files(
        self, rows: Sequence[Row], marks: Marks, names: Mapping[int, str], now: datetime
    ) -> list[ExportFile]:
        naming = self.config.files.naming
        files = []
        for owner, lines in sorted(self._lines(rows).items()):
            sequence = marks.get(owner, 0) + 1
            place = naming.place(series(owner, names.get(owner, str(owner))), sequence, now)
            files.append(ExportFile(owner, sequence, place, render(naming.version, lines)))
        return files

    def _lines(self, rows: Sequence[Row]) -> Mapping[int, list[str]]:
        """Return the lines of each series."""
        lines: defaultdict[int, list[str]] = defaultdict(list)
        for row in rows:
            whole = detail(row, None, {})
            lines[SYSTEM].append(line_of([whole[name] for name in self.config.admin_export_fields]))
            for owner in self._resellers(row):
                seen = detail(row, Party("reseller_id", owner, owner), {})
                lines[owner].append(line_of([seen[name] for name in self.config.reseller_export_fields]))
        return lines

    def _resellers(self, row: Row) -> Sequence[int]:
        """Return the contracts of those resellers whose files a CDR is in."""
        sides = ("source", "destination") if self.config.export_incoming else ("source",)
        own = [int(row[f"{side}_provider_id"]) for side in sides if row[f"{side}_user_id"] != NOBODY]
        return [owner for owner in dict.fromkeys(own) if owner != SYSTEM]


async def _export(config: Config) -> None:
    engine = connect(config.database.socket, pwd.getpwuid(os.geteuid()).pw_name, config.database.timeout)
    exporter = Exporter(config, engine, Shelf(config.directory, Disk()), lambda: datetime.now(UTC))
    try:
        with (config.directory / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(f"another exporter is at work in {config.directory}") from error
            async for line in exporter.run():
                print(line, flush=True)
    finally:
        await engine.dispose()


#: What the exit status says of an error.
STATUSES: Final[Mapping[type[Exception], int]] = {
    ConfigError: os.EX_CONFIG,
    DatabaseUnavailable: os.EX_UNAVAILABLE,
    NotWritten: os.EX_IOERR,
    OSError: os.EX_IOERR,
    Busy: os.EX_TEMPFAIL,
}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="ngcp-cdr-exporter", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="(%(default)s)")
    parser.add_argument("--check", action="store_true", help="read the configuration, and no more")
    arguments = parser.parse_args()
    try:
        config = load_yaml(arguments.config, Config)
        if not arguments.check:
            asyncio.run(_export(config))
    except tuple(STATUSES) as error:
        print(f"ngcp-cdr-exporter: {error}", file=sys.stderr)
        return next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
