"""A Redis server of the test run's own: on a unix socket, without a file, and easily killed."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from ngcp.state.line import Answer

BINARY = "/usr/bin/redis-check-rdb"  # of redis-tools: it is the server if that is what it is called
OPTIONS = ("--port", "0", "--save", "", "--appendonly", "no", "--databases", "32")
START_SECONDS = 30


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the server, so that it can be left out where there is none."""
    for item in items:
        if "redis_process" in getattr(item, "fixturenames", ()):
            item.add_marker("redis")


class RedisServer:
    """A server, and connections to it."""

    def __init__(self, home: Path) -> None:
        self.socket = str(home / "redis")
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[int, Any] = {}

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        command = ["redis-server", "--unixsocket", self.socket, "--dir", str(self._home), *OPTIONS]
        log = os.open(self._home / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            self._process = subprocess.Popen(command, executable=BINARY, stdout=log, stderr=log)
        finally:
            os.close(log)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with self.connect(0) as client:
                    client.ping()
                return
            except redis.RedisError:
                time.sleep(0.01)
        pytest.fail(f"Redis does not answer:\n{(self._home / 'log').read_text()}")

    def kill(self) -> None:
        """Let it die, and with it all that it knows."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        while self._clients:
            self._clients.popitem()[1].close()

    def ask(self, db: int, *command: str) -> Answer:
        """Return what a command is answered."""
        if db not in self._clients:
            self._clients[db] = self.connect(db)
        answer: Answer = self._clients[db].execute_command(*command)
        return answer

    def texts(self, db: int, *command: str) -> list[str]:
        """Return what a command is answered, which is a list or a set."""
        return [*map(str, cast(Iterable[str], self.ask(db, *command)))]

    def connect(self, db: int) -> redis.Redis:
        client: redis.Redis = redis.Redis(unix_socket_path=self.socket, db=db, decode_responses=True)
        return client


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """The server, running and empty."""
    if not redis_process.is_running:
        redis_process.start()
    with redis_process.connect(0) as client:
        client.flushall()
    return redis_process
