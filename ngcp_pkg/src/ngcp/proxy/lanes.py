"""One lane per call: what concerns a call is done in the order it came, different calls side by side."""

from collections import deque
from collections.abc import Awaitable, Callable

from .batches import Spawn

#: Does what can be done at once; None if that is all, else what is left and has to wait.
Work = Callable[[], Awaitable[None] | None]


class Lanes:
    """Queues of work, one for each Call-ID that has any which waits."""

    def __init__(self, spawn: Spawn) -> None:
        """Take what starts a coroutine: the loop's `create_task` in a daemon."""
        self._spawn = spawn
        self._queues: dict[str, deque[Work]] = {}

    def __len__(self) -> int:
        return len(self._queues)

    def enter(self, call_id: str, work: Work) -> None:
        """Do `work` once everything that entered this lane before is done; it must not raise."""
        queue = self._queues.get(call_id)
        if queue is not None:
            queue.append(work)
            return
        rest = work()
        if rest is not None:
            self._queues[call_id] = deque()
            self._spawn(self._run(call_id, rest))

    async def _run(self, call_id: str, rest: Awaitable[None] | None) -> None:
        queue = self._queues[call_id]
        try:
            if rest is not None:
                await rest
            while queue:
                rest = queue.popleft()()
                if rest is not None:
                    await rest
        finally:
            del self._queues[call_id]
