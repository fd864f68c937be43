"""`ngcp-cleanup-acc`: make the months of CDRs that are to come, remove records that are old enough."""

import argparse
import os
import pwd
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ngcp.provisioning.cleanup import remove_beside, remove_done
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.partitions import drop_months, first_moment, make_months
from ngcp.provisioning.upgrade import administer, wait_for
from ngcp.service.config import ConfigError, load_yaml

CONFIG: Final = Path("/etc/ngcp-cleanup-tools/acc-cleanup.yml")
#: Rows that are removed at once.
BATCH: Final = 10_000
#: Seconds that the database may take to start.
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Config:
    """/etc/ngcp-cleanup-tools/acc-cleanup.yml."""

    socket: str
    """Path of MariaDB's unix socket."""
    acc_cleanup_days: int = 90
    """Days for which records are kept that CDRs were made of, or could not be."""
    cdr_keep_months: int = 0
    """Whole months before this one whose CDRs are kept; 0 is for ever."""
    cdr_months_ahead: int = 3
    """Months after this one that have their partitions already."""

    def __post_init__(self) -> None:
        for key, least in (("acc_cleanup_days", 1), ("cdr_keep_months", 0), ("cdr_months_ahead", 1)):
            value = getattr(self, key)
            if not least <= value <= 1200:
                raise ValueError(f"{key}: {least} to 1200 expected, found {value}")


def clean_up(connection: Connection, config: Config, now: float) -> Iterator[str]:
    """Do what is to be done; yield a line for each thing done. Doing it twice does nothing."""
    yield from make_months(connection, now, config.cdr_months_ahead)
    yield from remove_done(connection, now, config.acc_cleanup_days, BATCH)
    if config.cdr_keep_months:
        yield from drop_months(connection, now, config.cdr_keep_months)
        yield from remove_beside(connection, first_moment(connection), BATCH)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="ngcp-cleanup-acc", description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="(%(default)s)")
    parser.add_argument("--check", action="store_true", help="read the configuration, and no more")
    arguments = parser.parse_args()
    try:
        config = load_yaml(arguments.config, Config)
        if not arguments.check:
            _run(config)
    except ConfigError as error:
        print(f"ngcp-cleanup-acc: {error}", file=sys.stderr)
        return os.EX_CONFIG
    except (DatabaseUnavailable, DBAPIError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        print(f"ngcp-cleanup-acc: {reason}", file=sys.stderr)
        return os.EX_UNAVAILABLE
    return os.EX_OK


def _run(config: Config) -> None:
    engine = administer(config.socket, pwd.getpwuid(os.geteuid()).pw_name)
    try:
        wait_for(engine, PATIENCE)
        with engine.connect() as connection:
            for line in clean_up(connection, config, time.time()):
                print(line, flush=True)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
