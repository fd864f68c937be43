"""A MariaDB server of the benchmark's own, with the platform's databases and durable as on a node."""

import contextlib
import getpass
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pymysql

from bench.daemons import SOURCE, Daemon, running

SERVER: Final = "/usr/sbin/mariadbd"
#: As on a node, but for the network: each commit is on the disk before it is answered.
OPTIONS: Final = (
    "--skip-networking",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=128M",
)
PASSWORD: Final = "bench"


@dataclass(frozen=True, slots=True)
class Database:
    """A running server with the platform's databases."""

    socket: Path
    daemon: Daemon

    def run(self, *statements: str) -> Sequence[tuple[object, ...]]:
        """Run statements as the server's administrator; return the rows of the last one."""
        with (
            pymysql.connect(
                unix_socket=str(self.socket), user=getpass.getuser(), autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def add_subscribers(self, domain: str, names: Iterable[str], password: str) -> None:
        """Provision subscribers as the proxy reads them."""
        hashed = f"MD5(CONCAT_WS(':', name, '{domain}', '{password}'))"
        values = " UNION ALL ".join(f"SELECT '{name}' AS name" for name in names)
        self.run(
            f"INSERT IGNORE INTO kamailio.domain (domain) VALUES ('{domain}')",
            "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
            f" SELECT name, '{domain}', '{password}', {hashed}, {hashed}, UUID() FROM ({values}) names",
        )

    def open_to(self, account: str, password: str = "") -> None:
        """Let every user of this machine be `account`: the benchmark runs as one user only."""
        self.run(
            f"CREATE OR REPLACE USER `{account}`@localhost IDENTIFIED BY '{password}'",
            f"GRANT ALL ON kamailio.* TO `{account}`@localhost",
            f"GRANT SELECT ON *.* TO `{account}`@localhost",
        )


@contextlib.contextmanager
def serving(directory: Path, *options: str) -> Iterator[Database]:
    """Run a server below `directory` for the time of a `with`."""
    data, socket, user = directory / "data", directory / "mysqld.sock", getpass.getuser()
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}", "--skip-test-db"]
    root = ["--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}"]
    subprocess.run([*install, *root], check=True, capture_output=True)
    command = [SERVER, "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--user={user}", *OPTIONS]
    command += options
    with running(command, directory / "mariadb.log", socket.exists) as daemon:
        database = Database(socket, daemon)
        _provision(socket, directory / "administrator")
        yield database


def _provision(socket: Path, password: Path) -> None:
    """Make the databases as a node's first boot does."""
    password.write_text("nobody asks for it\n")
    command = [sys.executable, "-m", "ngcp.tools.provision", "--socket", str(socket), "upgrade"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    subprocess.run(
        [*command, "--administrator-password-file", password],
        check=True,
        capture_output=True,
        env=environment,
    )
