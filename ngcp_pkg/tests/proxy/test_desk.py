"""REGISTERs at the desk: one at a time for an address-of-record, answered once they are stored."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from itertools import count

import pytest

from ngcp.provisioning.location import LocationRow
from ngcp.proxy.config import Configuration, Database, LoadBalancerEndpoint, MediaRelayEndpoint
from ngcp.proxy.core import ProxyCore
from ngcp.proxy.desk import QUEUE
from ngcp.proxy.parts import Clock
from ngcp.proxy.service import Doors, compose
from ngcp.service.endpoint import Endpoint
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from proxy.doors import MemoryDirectory, MemoryRelay, MemoryTable, add_credentials
from proxy.stores import MemoryAcc, MemoryRedis, MemoryRedisLine

EDGE = Flow("udp", ("127.0.0.1", 5062), ("127.0.0.1", 5060))
HOST = "127.0.0.1"


class SlowTable(MemoryTable):
    """A table that writes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        await self.gate.wait()
        await super().save(rows, removed_ruids)


class Counter:
    """A proxy core, and what phones send it by way of the edge."""

    def __init__(self) -> None:
        self.table, self.directory = SlowTable(), MemoryDirectory()
        self.directory.add("alice")
        self.directory.add("bob")
        ids = count()
        configuration = Configuration(
            Endpoint(HOST, 5062),
            Endpoint(HOST, 8000),
            LoadBalancerEndpoint(HOST, 5060),
            MediaRelayEndpoint(HOST, 12222),
            Database(""),
        )
        self.tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[None, None, None]) -> None:
            self.tasks.append(asyncio.get_running_loop().create_task(work))

        doors = Doors(
            self.directory,
            self.table,
            MemoryAcc(),
            MemoryRedisLine(MemoryRedis()),
            MemoryRelay(),
            Clock(lambda: 0.0, lambda: 1000.0),
            lambda: f"id{next(ids)}",
            spawn,
            spawn,
        )
        self.core = ProxyCore(compose(configuration, b"secret", doors))
        self.branches = count()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def register(self, user: str = "alice", *, cseq: int = 2, device: int = 1) -> Request:
        """Send a REGISTER with the answer to a challenge."""
        await self.send(make_register(user, 1, device, next(self.branches)))
        (challenge,) = self.answers()
        assert challenge.status == 401
        request = make_register(user, cseq, device, next(self.branches))
        add_credentials(request, challenge, user)
        await self.send(request)
        return request

    async def send(self, request: Request) -> None:
        self.core.receive(bytes(request), EDGE, 0.0)
        await self.settle()

    def answers(self) -> list[Response]:
        messages = [parse(data) for data, _ in self.core.messages_to_send()]
        return [message for message in messages if isinstance(message, Response)]

    async def write(self) -> list[Response]:
        self.table.gate.set()
        await self.settle()
        return self.answers()


def make_register(user: str, cseq: int, device: int, branch: int) -> Request:
    return Request(
        "REGISTER",
        "sip:example.org",
        [
            f"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{branch}",
            f"From: <sip:{user}@example.org>;tag=f",
            f"To: <sip:{user}@example.org>",
            f"Call-ID: {user}{device}",
            f"CSeq: {cseq} REGISTER",
            f"Contact: <sip:{user}@192.0.2.{device}>",
        ],
    )


def at_the_desk(scenario: Callable[[Counter], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Counter())

    asyncio.run(main())


def test_answer_waits_until_the_binding_is_in_the_table() -> None:
    async def scenario(desk: Counter) -> None:
        await desk.register()
        assert desk.answers() == []
        assert desk.core.registrations == 0
        (ok,) = await desk.write()
        assert (ok.status, len(desk.table.rows), desk.core.registrations) == (200, 1, 1)
        assert ok.all("Contact") == ["<sip:alice@192.0.2.1>;expires=3600"]

    at_the_desk(scenario)


def test_next_request_of_the_same_subscriber_waits_for_the_first_one() -> None:
    """Decided before, it would not know of the binding that it refreshes."""

    async def scenario(desk: Counter) -> None:
        await desk.register()
        await desk.send(signed(desk, await challenged(desk), cseq=3))
        first, second = await desk.write()
        assert (first.cseq.number, second.cseq.number) == (2, 3)
        assert len(desk.table.rows) == 1

    at_the_desk(scenario)


async def challenged(desk: Counter) -> Response:
    """Let bob be challenged: the nonce is good for anybody of the realm."""
    await desk.send(make_register("bob", 1, 1, next(desk.branches)))
    return desk.answers()[0]


def signed(desk: Counter, challenge: Response, *, cseq: int) -> Request:
    request = make_register("alice", cseq, 1, next(desk.branches))
    add_credentials(request, challenge, "alice")
    return request


def test_repetition_of_a_request_that_waits_is_swallowed() -> None:
    async def scenario(desk: Counter) -> None:
        request = await desk.register()
        for _ in range(3):
            await desk.send(request)
        assert [answer.status for answer in await desk.write()] == [200]

    at_the_desk(scenario)


def test_repetition_after_the_answer_draws_the_same_answer() -> None:
    async def scenario(desk: Counter) -> None:
        request = await desk.register()
        (ok,) = await desk.write()
        await desk.send(request)
        (again,) = desk.answers()
        assert bytes(again) == bytes(ok)
        assert len(desk.table.rows) == 1

    at_the_desk(scenario)


def test_nobody_can_fill_a_queue_without_end() -> None:
    async def scenario(desk: Counter) -> None:
        await desk.register()
        challenge = await challenged(desk)
        for cseq in range(3, QUEUE + 10):
            await desk.send(signed(desk, challenge, cseq=cseq))
        assert len(await desk.write()) == QUEUE

    at_the_desk(scenario)


def test_nothing_is_kept_of_a_challenge() -> None:
    async def scenario(desk: Counter) -> None:
        await desk.send(make_register("alice", 1, 1, 0))
        assert [answer.status for answer in desk.answers()] == [401]
        assert desk.core.transactions == 0

    at_the_desk(scenario)


@pytest.mark.parametrize("header", ["Call-ID", "From", "To", "CSeq"])
def test_request_without_a_mandatory_header_is_refused(header: str) -> None:
    async def scenario(desk: Counter) -> None:
        request = make_register("alice", 1, 1, 0)
        request.remove(header)
        await desk.send(request)
        assert [answer.status for answer in desk.answers()] == [400]

    at_the_desk(scenario)


def test_register_in_a_dialog_is_none() -> None:
    async def scenario(desk: Counter) -> None:
        request = make_register("alice", 1, 1, 0)
        request.set("To", "<sip:alice@example.org>;tag=t")
        await desk.send(request)
        assert [answer.status for answer in desk.answers()] == [481]

    at_the_desk(scenario)
