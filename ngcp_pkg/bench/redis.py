"""A Redis server of the benchmark's own."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.daemons import Daemon, running
from bench.sipp import Address

#: The server's program, as package redis-tools has it: its name decides what it is.
SERVER: Final = "/usr/bin/redis-check-rdb"
ADDRESS: Final = ("127.62.3.1", 6379)


@dataclass(frozen=True, slots=True)
class Redis:
    """A running server."""

    address: Address
    daemon: Daemon


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[Redis]:
    """Run a server for the time of a `with`; it keeps nothing."""
    program = directory / "redis-server"
    program.symlink_to(SERVER)
    host, port = ADDRESS
    options = ["--bind", host, "--port", str(port), "--save", "", "--databases", "32"]
    with running([str(program), *options], directory / "redis.log", _is_serving) as daemon:
        yield Redis(ADDRESS, daemon)


def _is_serving() -> bool:
    try:
        socket.create_connection(ADDRESS, 1.0).close()
    except OSError:
        return False
    return True
