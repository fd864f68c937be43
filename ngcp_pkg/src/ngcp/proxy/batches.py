"""Work that is done together: what comes before a batch is begun is in it, what comes later in the next one.

So a busy proxy asks its database once for many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Generic, TypeVar

Item = TypeVar("Item")

Spawn = Callable[[Coroutine[None, None, None]], object]
Settle = Callable[[Exception | None], None]


class Batches(Generic[Item]):
    """One batch at a time, in the order in which things came."""

    def __init__(self, work: Callable[[list[Item]], Awaitable[None]], spawn: Spawn, most: int) -> None:
        """`work` does up to `most` items and must not raise; `spawn` starts a coroutine."""
        self._work = work
        self._spawn = spawn
        self._most = most
        self._waiting: list[Item] = []
        self._is_working = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Item) -> None:
        """Have `item` done."""
        self._waiting.append(item)
        if not self._is_working:
            self._is_working = True
            self._spawn(self._run())

    async def _run(self) -> None:
        try:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._work(batch)
        finally:
            self._is_working = bool(self._waiting)
            if self._is_working:
                self._spawn(self._run())


async def settled(start: Callable[[Settle], None]) -> None:
    """Wait for what tells its end by a call, and raise what it tells."""
    told: list[Exception | None] = []
    waiting: list[asyncio.Future[None]] = []

    def settle(error: Exception | None) -> None:
        told.append(error)
        if waiting and not waiting[0].done():
            waiting[0].set_result(None)

    start(settle)
    if not told:  # most often, memory knows
        waiting.append(asyncio.get_running_loop().create_future())
        await waiting[0]
    if told[0] is not None:
        raise told[0]
