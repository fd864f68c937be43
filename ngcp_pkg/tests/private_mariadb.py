"""A MariaDB server of the test run's own: in a temporary directory, on a unix socket only."""

import functools
import getpass
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import pymysql
import pytest

from ngcp.provisioning.tables import METADATA
from ngcp.provisioning.upgrade import administer, upgrade

ADMINISTRATOR_PASSWORD = "correct horse"
START_SECONDS = 60
#: What nothing but an upgrade writes.
FIXED = {f"provisioning.voip_preference{rest}" for rest in ("s", "s_enum", "_groups")}
TABLES = [
    table.fullname for metadata in METADATA for table in metadata.sorted_tables if table.fullname not in FIXED
]
SERVER_OPTIONS = (
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--innodb-fast-shutdown=2",
    "--performance-schema=off",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the server, so that it can be left out where there is none."""
    for item in items:
        if "mariadb_server" in getattr(item, "fixturenames", ()):
            item.add_marker("mariadb")


class Server:
    """A running server, and a connection to it as its administrator."""

    def __init__(self, socket: str, user: str, pid: int) -> None:
        self.socket = socket
        self.user = user
        self.pid = pid
        self.seeded: list[str] = []
        self._connection: pymysql.Connection[pymysql.cursors.Cursor] | None = None

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            unix_socket=self.socket, user=self.user, charset="utf8mb4", autocommit=True, ssl_disabled=True
        )

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the server's administrator; return the rows of the last one."""
        if self._connection is None or not self._connection.open:
            self._connection = self.connect()
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it answer nobody for the time of a `with`."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            while not all(map(_is_stopped, Path(f"/proc/{self.pid}/task").iterdir())):
                time.sleep(0.001)
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


def _is_stopped(thread: Path) -> bool:
    """Tell whether a thread does nothing: a signal takes a moment to reach all of them."""
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home, user = tmp_path_factory.mktemp("mariadb"), getpass.getuser()
    data, socket = home / "data", home / "socket"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}", "--skip-test-db"]
    root = ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"]
    subprocess.run([*install, *root], check=True, capture_output=True)
    command = [
        "/usr/sbin/mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={socket}",
        f"--user={user}",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, *SERVER_OPTIONS], stdout=log, stderr=log)
    try:
        server = Server(str(socket), user, process.pid)
        _await_answer(server, process, home / "log")
        yield server
    finally:
        process.kill()  # its data is thrown away
        process.wait()


def _await_answer(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            return server.connect().close()
        except pymysql.err.OperationalError:
            time.sleep(0.05)
    pytest.fail(f"MariaDB does not answer:\n{log.read_text()}")


@pytest.fixture
def database(mariadb_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with nothing in its databases but what an upgrade puts there."""
    monkeypatch.setattr(bcrypt, "gensalt", functools.partial(bcrypt.gensalt, 4))  # a quick hash
    if not mariadb_server.run("SHOW DATABASES LIKE 'initial'"):
        engine = administer(mariadb_server.socket, mariadb_server.user)
        list(upgrade(engine, lambda: ADMINISTRATOR_PASSWORD))
        engine.dispose()
        seeded = [name for name in TABLES if mariadb_server.run(f"SELECT 1 FROM {name} LIMIT 1")]
        mariadb_server.run("CREATE DATABASE initial", *map(_keep, seeded))
        mariadb_server.seeded = seeded
    mariadb_server.run("SET FOREIGN_KEY_CHECKS = 0", "BEGIN", *(f"DELETE FROM {name}" for name in TABLES))
    mariadb_server.run(*map(_restore, mariadb_server.seeded), "COMMIT", "SET FOREIGN_KEY_CHECKS = 1")
    _forget_months(mariadb_server)
    return mariadb_server


def _forget_months(server: Server) -> None:
    """Let `accounting.cdr` be one partition, as after an upgrade: a mediator may have made months."""
    names = [
        str(row[0])
        for row in server.run(
            "SELECT PARTITION_NAME FROM information_schema.PARTITIONS"
            " WHERE TABLE_SCHEMA = 'accounting' AND TABLE_NAME = 'cdr'"
        )
    ]
    if len(names) > 1:
        server.run(
            f"ALTER TABLE accounting.cdr REORGANIZE PARTITION {', '.join(names)}"
            " INTO (PARTITION pmax VALUES LESS THAN MAXVALUE)"
        )


def _keep(name: str) -> str:
    return f"CREATE TABLE initial.{name.replace('.', '_')} AS SELECT * FROM {name}"


def _restore(name: str) -> str:
    return f"INSERT INTO {name} SELECT * FROM initial.{name.replace('.', '_')}"
