"""A MariaDB that hangs: registrations wait no longer than they must, and all is well once it is back."""

import asyncio
import time
from itertools import count

import pytest

from ngcp.provisioning.line import Line
from ngcp.provisioning.location import LocationTable
from ngcp.provisioning.runtime import Directory
from ngcp.proxy.config import Configuration, Database, LoadBalancerEndpoint, MediaRelayEndpoint
from ngcp.proxy.core import ProxyCore
from ngcp.proxy.parts import Clock
from ngcp.proxy.service import Doors, compose
from ngcp.service.endpoint import Endpoint
from ngcp.sip.core.digest import MD5, ha1_of
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from private_mariadb import Server
from proxy.doors import PASSWORD, MemoryRelay, add_credentials
from proxy.stores import MemoryAcc, MemoryRedis, MemoryRedisLine

HOST = "127.0.0.1"
EDGE = Flow("udp", (HOST, 5062), (HOST, 5060))
#: Seconds that the proxy waits for the database.
PATIENCE = 2.0


@pytest.fixture
def server(database: Server) -> Server:
    ha1 = ha1_of(MD5, "alice", "example.org", PASSWORD)
    database.run(
        "INSERT INTO kamailio.domain (domain) VALUES ('example.org')",
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
        f" VALUES ('alice', 'example.org', '{PASSWORD}', '{ha1}', '', UUID())",
    )
    return database


class Proxy:
    """A proxy core over a real database; the edge before it is the test."""

    def __init__(self, server: Server) -> None:
        loop, ids = asyncio.get_running_loop(), count()
        self.lines = [Line(server.socket, server.user, PATIENCE) for _ in range(2)]
        self.tasks: list[asyncio.Task[None]] = []
        doors = Doors(
            Directory(self.lines[0]),
            LocationTable(self.lines[1]),
            MemoryAcc(),
            MemoryRedisLine(MemoryRedis()),
            MemoryRelay(),
            Clock(loop.time, time.time),
            lambda: f"id{next(ids)}",
            lambda work: self.tasks.append(loop.create_task(work)),
            lambda work: self.tasks.append(loop.create_task(work)),
        )
        endpoints = Endpoint(HOST, 5062), Endpoint(HOST, 8000), LoadBalancerEndpoint(HOST, 5060)
        relay = MediaRelayEndpoint(HOST, 12222)
        self.core = ProxyCore(compose(Configuration(*endpoints, relay, Database("")), b"secret", doors))
        self._numbers = count(1)

    async def register(self) -> Response:
        """Register alice; return the answer to her credentials."""
        request = self._make_register()
        challenge = await self._ask(request)
        assert challenge.status == 401
        again = self._make_register()
        add_credentials(again, challenge, "alice")
        return await self._ask(again)

    def _make_register(self) -> Request:
        number = next(self._numbers)
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{number}",
            "From: <sip:alice@example.org>;tag=f",
            "To: <sip:alice@example.org>",
            "Call-ID: c",
            f"CSeq: {number} REGISTER",
            "Contact: <sip:alice@192.0.2.1>",
        ]
        return Request("REGISTER", "sip:example.org", lines)

    async def _ask(self, request: Request) -> Response:
        self.core.receive(bytes(request), EDGE, asyncio.get_running_loop().time())
        async with asyncio.timeout(10.0):
            while not (messages := self.core.messages_to_send()):
                await asyncio.sleep(0.005)
        response = parse(messages[0][0])
        assert isinstance(response, Response)
        return response


def test_registrations_while_mariadb_hangs_and_after(server: Server) -> None:
    async def main() -> None:
        proxy = Proxy(server)
        assert (await proxy.register()).status == 200
        with server.hanging():
            started = time.monotonic()
            refused = await proxy.register()
            assert (refused.status, refused.get("Retry-After")) == (503, "20")
            assert time.monotonic() - started < 10 * PATIENCE
            assert proxy.core.registrations == 1, "she can still be called"
        assert (await proxy.register()).status == 200
        for line in proxy.lines:
            line.close()

    asyncio.run(main())
    assert server.run("SELECT username FROM kamailio.location") == [("alice",)]
