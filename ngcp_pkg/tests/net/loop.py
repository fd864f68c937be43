"""Runs a test's coroutine on both event loops the sources may meet."""

import asyncio
from collections.abc import Callable, Coroutine

import uvloop

#: What a test on loopback may take at most, in seconds: it takes parts of one, on a machine that is free.
PATIENCE = 60.0

Test = Callable[[], Coroutine[None, None, None]]


def run(test: Test) -> None:
    """Run `test` on asyncio's own loop and on uvloop."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await test()

    asyncio.run(bounded())
    uvloop.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds; the time-out of `run` bounds the wait."""
    while not condition():
        await asyncio.sleep(0)
