"""A line to Redis: one connection, several databases, all commands of one call to it done at once or not.

A batch runs as one script, so others see it whole. The line writes its name into Redis when it opens; a batch
that finds another name there, or none, is refused: so nothing that a broken connection still held can come
late, and a Redis that was emptied is noticed.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Final, Protocol, TypeAlias

from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.exceptions import RedisError

#: Number of the database, name, arguments.
Command: TypeAlias = tuple[int | str, ...]
Answer: TypeAlias = "str | int | list[Answer] | None"

#: Where the writer's name is: the database that only we use.
WRITER: Final = "ngcp:writer"

_SCRIPT: Final = """
local function at(db) redis.call('SELECT', db) return db end
local db, answers = at(ARGV[2]), {}
if redis.call('GET', KEYS[1]) ~= ARGV[3] then return redis.error_reply('FENCED another writer, or none') end
for index, command in ipairs(cjson.decode(ARGV[1])) do
  if command[1] ~= db then db = at(command[1]) end
  local answer = redis.call(unpack(command, 2))
  if ARGV[4] == '1' then answers[index] = answer end
end
return ARGV[4] == '1' and cjson.encode(answers) or '[]'
"""


class StateUnavailable(Exception):
    """Redis did not do it, or did not say so in time."""


class Store(Protocol):
    """Redis, as those see it who write there what they have in memory: `Line` in a daemon."""

    async def open(self) -> None:
        """Connect as the only writer, or raise `StateUnavailable`."""

    async def run(self, commands: Sequence[Command]) -> None:
        """Do all of them or none, or raise `StateUnavailable`."""

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        """Do the same, and return what they answer."""


class Line:
    """A connection to the server at `address`, a host and port or a socket's path and 0."""

    def __init__(
        self, address: tuple[str, int], own_db: int, ids: Callable[[], str], timeout: float = 1.0
    ) -> None:
        """`timeout` (seconds) bounds each call as a whole; `own_db` is a database that nobody else writes."""
        self._address = address
        self._own_db = str(own_db)
        self._ids = ids
        self._timeout = timeout
        self._connection: AbstractConnection | None = None
        self._name = self._sha = ""
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect, and become the writer. Raises `StateUnavailable`."""
        await self._do(self._open)

    async def run(self, commands: Sequence[Command]) -> None:
        """Do `commands`, all or none. Raises `StateUnavailable`."""
        await self._do(partial(self._run, _encode(commands), "0"))

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        """Do `commands` and return what they answer. Raises `StateUnavailable`."""
        return await self._do(partial(self._run, _encode(commands), "1"))

    async def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _do(self, work: Callable[[], Coroutine[None, None, list[Answer]]]) -> list[Answer]:
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await work()
        except (RedisError, OSError, TimeoutError) as error:
            raise StateUnavailable(" ".join(str(error).split()) or type(error).__name__) from error

    async def _open(self) -> list[Answer]:
        await self.close()
        host, port = self._address
        connection: AbstractConnection = (
            Connection(host=host, port=port, decode_responses=True, encoding_errors="surrogateescape")
            if port
            else UnixDomainSocketConnection(
                path=host, decode_responses=True, encoding_errors="surrogateescape"
            )
        )
        try:
            await connection.connect()  # type: ignore[no-untyped-call] # redis leaves it untyped
            self._name = self._ids()
            await self._send(connection, "SELECT", self._own_db)
            await self._send(connection, "SET", WRITER, self._name)
            self._sha = str(await self._send(connection, "SCRIPT", "LOAD", _SCRIPT))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        return []

    async def _run(self, payload: bytes, answers: str) -> list[Answer]:
        if self._connection is None:
            raise ConnectionError("not connected")
        try:
            command = ("EVALSHA", self._sha, "1", WRITER, payload, self._own_db, self._name, answers)
            result = await self._send(self._connection, *command)
        except BaseException:  # what comes next would answer the wrong question
            await self.close()
            raise
        assert isinstance(result, str), "what the script returns"
        return _plain(json.loads(result))

    @staticmethod
    async def _send(connection: AbstractConnection, *command: str | bytes) -> Answer:
        await connection.send_command(*command)
        answer: Answer = await connection.read_response()
        return answer


def _plain(answers: object) -> list[Answer]:
    """Read answers: one text is read many times faster than its parts, and Lua knows neither nil nor []."""
    return [_read(answer) for answer in answers] if isinstance(answers, list) else []


def _read(value: object) -> Answer:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [one if isinstance(one, str) else _read(one) for one in value]
    if isinstance(value, dict):
        return str(value["ok"]) if value else []
    return value if isinstance(value, int) and value is not False else None


_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _encode(commands: Sequence[Command]) -> bytes:
    return _to_json(commands).encode("utf-8", "surrogateescape")
