"""Work on one call keeps its order, even where it waits; other calls pass by."""

import asyncio
from functools import partial

from ngcp.proxy.lanes import Lanes


def test_order_is_kept_within_a_call_and_calls_pass_each_other() -> None:
    done: list[str] = []

    async def work(name: str, gate: asyncio.Event) -> None:
        await gate.wait()
        done.append(name)

    async def scenario() -> None:
        tasks: list[asyncio.Task[None]] = []
        lanes = Lanes(lambda coroutine: tasks.append(asyncio.create_task(coroutine)))
        slow, fast = asyncio.Event(), asyncio.Event()
        fast.set()
        lanes.enter("one", partial(work, "1a", slow))
        lanes.enter("one", partial(work, "1b", fast))
        lanes.enter("two", partial(work, "2a", fast))
        for _ in range(3):
            await asyncio.sleep(0)
        assert done == ["2a"]
        slow.set()
        await asyncio.gather(*tasks)
        assert done == ["2a", "1a", "1b"]
        assert len(lanes) == 0

    asyncio.run(scenario())


def test_what_need_not_wait_is_done_at_once_unless_something_before_it_waits() -> None:
    done: list[str] = []

    async def wait(gate: asyncio.Event) -> None:
        await gate.wait()
        done.append("waited")

    async def scenario() -> None:
        tasks: list[asyncio.Task[None]] = []
        lanes = Lanes(lambda coroutine: tasks.append(asyncio.create_task(coroutine)))
        gate = asyncio.Event()
        lanes.enter("one", lambda: done.append("at once"))
        assert (done, tasks) == (["at once"], [])
        lanes.enter("one", partial(wait, gate))
        lanes.enter("one", lambda: done.append("after it"))
        gate.set()
        await asyncio.gather(*tasks)
        assert done == ["at once", "waited", "after it"]
        assert len(lanes) == 0

    asyncio.run(scenario())
