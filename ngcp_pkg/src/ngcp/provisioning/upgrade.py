"""Bring the databases to what this version needs: made, migrated, seeded, opened to the daemons."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from ngcp.provisioning import seed as seeded
from ngcp.provisioning.accounts import open_accounts
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.seed import add_administrator, seed
from ngcp.provisioning.tables import DATABASES

#: Seconds between two attempts to reach a server that is still starting.
RETRY: Final = 0.2
#: Seconds to wait for another upgrade's end.
PATIENCE: Final = 600
VERSION_DATABASE: Final = "ngcp"
_LOCK: Final = "ngcp-provision"


def administer(socket: str, user: str) -> Engine:
    """Return an engine for the server's administrator; it waits as long as the work takes."""
    return create_engine(
        URL.create("mysql+pymysql", username=user, query={"unix_socket": socket, "charset": "utf8mb4"}),
        connect_args={"ssl_disabled": True},
        isolation_level="AUTOCOMMIT",
    )


def wait_for(engine: Engine, seconds: float) -> None:
    """Return once the server answers; raise DatabaseUnavailable if it has not after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            with engine.connect():
                return
        except OperationalError as error:
            if time.monotonic() >= end:
                raise DatabaseUnavailable(f"no answer within {seconds:g} s: {error.orig}") from error
            time.sleep(RETRY)


def upgrade(engine: Engine, password: Callable[[], str]) -> Iterator[str]:
    """Do what is left to do, and yield a line for each thing done; doing it twice does nothing.

    `password` is asked only if there is no administrator yet.
    """
    with engine.connect() as connection, _alone(connection):
        yield from _make_databases(connection)
        yield from _migrate(connection)
        yield from open_accounts(connection)
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        yield from seed(connection)
        yield from add_administrator(connection, password)


def set_administrator_password(engine: Engine, password: str) -> None:
    """Give the REST administrator another password; raise LookupError if there is no such user."""
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        seeded.set_administrator_password(connection, password)


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """Return the revision that the databases have and the one that this version needs."""
    with engine.connect() as connection:
        return _current(connection), ScriptDirectory.from_config(_alembic(connection)).get_current_head()


def _make_databases(connection: Connection) -> Iterator[str]:
    existing = set(connection.execute(text("SHOW DATABASES")).scalars())
    for name in DATABASES:
        if name not in existing:
            connection.execute(
                text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
            )
            yield f"database {name}: created"


def _migrate(connection: Connection) -> Iterator[str]:
    before = _current(connection)
    command.upgrade(_alembic(connection), "head")
    after = _current(connection)
    if after != before:
        yield f"tables: {before or 'nothing'} -> {after}"


def _current(connection: Connection) -> str | None:
    options = {"version_table_schema": VERSION_DATABASE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Keep a second upgrade out while this one works; it waits for its turn."""
    mine = connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": _LOCK, "wait": PATIENCE})
    if mine.scalar_one() != 1:
        raise DatabaseUnavailable(f"another upgrade has been at work for {PATIENCE} s")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})
