"""The mediator with its clock and its lines: what `ngcp-mediator` runs."""

import asyncio
import contextlib
import logging
import os
import pwd
import secrets
import time
from functools import partial
from typing import Final

from ngcp.provisioning.engine import DatabaseUnavailable, connect
from ngcp.provisioning.line import Line, StatementRefused
from ngcp.provisioning.mediation import MediationTables
from ngcp.provisioning.months import make_months
from ngcp.provisioning.rating.rater import Rater
from ngcp.service import xmlrpc
from ngcp.service.forgetting import tell_proxies
from ngcp.service.metrics import serve_metrics
from ngcp.state.acc import AccEntries
from ngcp.state.line import Line as RedisLine

from .closing import Moment
from .config import Configuration
from .control import make_commands, metrics
from .core import Mediator, Terms
from .rating import RatingDesk

_log = logging.getLogger(__name__)

#: Seconds between two attempts while MariaDB is away.
RETRY: Final = 2.0
#: Seconds between two looks whether a month is missing.
DAY: Final = 86_400.0
#: Octets of the name of a connection to Redis.
TOKEN: Final = 8


class MediatorService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        database, redis = configuration.database, configuration.redis
        user = pwd.getpwuid(os.geteuid()).pw_name
        self._line = Line(database.socket, user, database.timeout)
        self._redis = RedisLine(redis.pair, redis.acc, lambda: secrets.token_hex(TOKEN), redis.timeout)
        self._mediator = Mediator(
            MediationTables(self._line),
            (self._redis, AccEntries(redis.acc, redis.dialogs)),
            Terms(configuration.max_call_duration, configuration.patience),
        )
        self._engine = connect(database.socket, user, database.timeout)
        self._rating = RatingDesk(Rater(self._engine), partial(tell_proxies, configuration.proxies))
        self._rating.statistics = self._mediator.statistics
        self._problem = ""
        self._months_due = 0.0
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._release = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Listen for commands, and begin."""
        commands = make_commands(self._mediator, self._now, self.status)
        server = await xmlrpc.serve(commands, *self._configuration.xmlrpc.pair)
        self._release.callback(server.close)
        scraped = await serve_metrics(lambda: metrics(self._mediator), self._configuration.metrics)
        self._release.callback(scraped.close)
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Finish the round and let go; whatever is cut off is done by the next mediator."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        self._line.close()
        await self._engine.dispose()
        await self._redis.close()
        await self._release.aclose()

    def status(self) -> str:
        """Return what is alive now."""
        if self._problem:
            return f"waiting for MariaDB: {self._problem}"
        if not self._mediator.is_active:
            return "another mediator is at work"
        away = "; Redis is away" if self._mediator.is_redis_away else ""
        return f"{len(self._mediator.pool)} records wait{away}"

    def _now(self) -> Moment:
        return Moment(time.monotonic(), time.time())

    async def _work(self) -> None:
        while not self._stopping.is_set():
            pause = self._configuration.interval
            try:
                await self._round()
                if self._problem:
                    _log.warning("MariaDB is back")
                self._problem = ""
            except DatabaseUnavailable as error:
                if not self._problem:
                    _log.error("records wait for MariaDB: %s", error)
                self._problem, pause = str(error), max(pause, RETRY)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    async def _round(self) -> None:
        now = self._now()
        await self._mediator.work(now)
        if self._mediator.is_active:
            await self._rating.work(now.unix)
        if self._mediator.is_active and now.monotonic >= self._months_due:
            try:
                for name in await make_months(self._line, now.unix):
                    _log.info("accounting.cdr has a partition %s", name)
            except StatementRefused as error:  # CDRs are stored all the same
                _log.error("accounting.cdr gets no months: %s", error)
            self._months_due = now.monotonic + DAY
