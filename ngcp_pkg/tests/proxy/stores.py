"""Redis and the table of call records in memory, as far as the proxy uses them; both can be dead."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.state.layout import Databases
from ngcp.state.line import Answer, Command, StateUnavailable

DB = Databases()


class MemoryRedis:
    """A server for one writer after the other; each line to it is a `MemoryRedisLine`."""

    def __init__(self) -> None:
        self.dead = False
        self.writer: object = None
        self.databases: dict[int, dict[str, object]] = defaultdict(dict)

    def empty(self) -> None:
        """Restart it: it forgets everything, also who wrote to it."""
        self.writer = None
        self.databases.clear()

    @property
    def counters(self) -> dict[str, int]:
        return {key: int(str(value)) for key, value in self.databases[DB.central].items()}

    @property
    def moved(self) -> dict[str, list[str]]:
        return {key: list(value) for key, value in self.databases[DB.pair].items() if isinstance(value, list)}

    def hashes(self, db: int, start: str = "") -> dict[str, dict[str, str]]:
        """Return the hashes of a database whose names begin so."""
        found = self.databases[db].items()
        return {key: value for key, value in found if isinstance(value, dict) and key.startswith(start)}

    def do(self, db: int, name: str, *arguments: str) -> Answer:
        answer: Answer = getattr(self, f"_{name.lower()}")(self.databases[db], *arguments)
        return answer

    @staticmethod
    def _keys(db: dict[str, object], pattern: str) -> list[str]:
        assert pattern == "*"
        return [*db]

    @staticmethod
    def _get(db: dict[str, object], key: str) -> object:
        return db.get(key)

    @staticmethod
    def _mset(db: dict[str, object], *pairs: str) -> None:
        db.update(zip(pairs[::2], pairs[1::2], strict=True))

    @staticmethod
    def _flushdb(db: dict[str, object]) -> None:
        db.clear()

    @staticmethod
    def _del(db: dict[str, object], *keys: str) -> None:
        for key in keys:
            db.pop(key, None)

    @staticmethod
    def _rpush(db: dict[str, object], key: str, *values: str) -> None:
        kept = db.setdefault(key, [])
        assert isinstance(kept, list)
        kept.extend(values)

    @staticmethod
    def _llen(db: dict[str, object], key: str) -> int:
        kept = db.get(key, [])
        assert isinstance(kept, list)
        return len(kept)

    @staticmethod
    def _hset(db: dict[str, object], key: str, *pairs: str) -> None:
        kept = db.setdefault(key, {})
        assert isinstance(kept, dict)
        kept.update(zip(pairs[::2], pairs[1::2], strict=True))

    @staticmethod
    def _hdel(db: dict[str, object], key: str, *names: str) -> None:
        kept = db.get(key, {})
        assert isinstance(kept, dict)
        for name in names:
            kept.pop(name, None)

    @staticmethod
    def _hvals(db: dict[str, object], key: str) -> list[str]:
        kept = db.get(key, {})
        assert isinstance(kept, dict)
        return [*kept.values()]

    @staticmethod
    def _sadd(db: dict[str, object], key: str, *members: str) -> None:
        kept = db.setdefault(key, set())
        assert isinstance(kept, set)
        kept.update(members)


class MemoryRedisLine:
    """What `ngcp.state.line.Line` is to a real server."""

    def __init__(self, server: MemoryRedis) -> None:
        self._server = server
        self._is_open = False

    async def open(self) -> None:
        if self._server.dead:
            raise StateUnavailable("gone away")
        self._server.writer = self
        self._is_open = True

    async def run(self, commands: Sequence[Command]) -> None:
        await self.ask(commands)

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        if self._server.dead or not self._is_open or self._server.writer is not self:
            self._is_open = False
            raise StateUnavailable("gone away, or another's")
        return [self._server.do(int(db), *map(str, words)) for db, *words in commands]


@dataclass
class MemoryAcc:
    """The table `acc`."""

    rows: dict[str, AccRow] = field(default_factory=dict)
    dead: bool = False

    async def save(self, rows: Collection[AccRow]) -> None:
        if self.dead:
            raise DatabaseUnavailable("gone away")
        self.rows.update((row.key, row) for row in rows)

    @property
    def log(self) -> list[tuple[str, str]]:
        """Method and status of each record, in order."""
        return [(row.method, row.sip_code) for row in self.rows.values()]
