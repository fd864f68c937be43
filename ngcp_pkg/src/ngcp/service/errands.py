"""Work that waits for a database or a peer while its daemon goes on."""

import asyncio
import logging
from collections.abc import Callable, Coroutine

_log = logging.getLogger(__name__)


class Errands:
    """All that are under way."""

    def __init__(self, done: Callable[[], None]) -> None:
        """Call `done` behind each one: it may have left messages to send."""
        self._done = done
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin one; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def close(self) -> None:
        """Cancel those that are under way."""
        for task in self._tasks:
            task.cancel()

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("an errand failed", exc_info=task.exception())
        self._done()
