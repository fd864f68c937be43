"""The daemon with real sockets, a real MariaDB and a real Redis: one call, and what it leaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import pytest

from lb.ports import free_ports
from ngcp.b2bua import config as b2bua_config
from ngcp.b2bua.service import B2buaService
from ngcp.proxy import service
from ngcp.proxy.config import (
    B2buaEndpoint,
    Configuration,
    Database,
    LoadBalancerEndpoint,
    MediaRelayEndpoint,
    Redis,
)
from ngcp.proxy.passes import PATIENCE as PATIENCE_OF_PASSES
from ngcp.proxy.service import ProxyService
from ngcp.service.client import call
from ngcp.service.commands import Json
from ngcp.service.credentials import Credential
from ngcp.service.endpoint import Endpoint
from ngcp.sip.core.digest import MD5, ha1_of
from ngcp.sip.syntax import Request, Response, parse
from private_mariadb import Server
from private_redis import RedisServer
from proxy import calls
from proxy.doors import PASSWORD, add_credentials

HOST = "127.0.0.1"
PATIENCE = 10.0


class Balancer(asyncio.DatagramProtocol):
    """The load-balancer's place: whatever the proxy sends comes here."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Request | Response] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.received.put_nowait(parse(data))

    async def hear(self, start: str) -> Request | Response:
        """Return the next message that begins so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.received.get()
                if message.start_line.startswith(start):
                    return message


@dataclass
class Site:
    """The daemon's surroundings."""

    configuration: Configuration
    balancer: Balancer
    redis: RedisServer
    database: Server

    def send(self, message: Request | Response) -> None:
        self.balancer.transport.sendto(bytes(message), self.configuration.listen.pair)

    async def command(self, name: str, *arguments: Json) -> Json:
        url = f"http://{HOST}:{self.configuration.xmlrpc.port}/RPC2"
        return await asyncio.to_thread(call, url, name, *arguments)

    @contextlib.asynccontextmanager
    async def daemon(self) -> AsyncIterator[None]:
        running = ProxyService(self.configuration, lambda: Credential(b"secret"))
        try:
            await running.start()
            yield
        finally:
            await running.stop()

    async def until(self, statement: str, expected: list[tuple[object, ...]]) -> None:
        """Wait until the database says so."""
        async with asyncio.timeout(PATIENCE):
            while self.database.run(statement) != expected:
                await asyncio.sleep(0.02)

    async def invite(self) -> Request:
        """Let alice call bob, and prove who she is; return the INVITE."""
        invite = calls.invite("c1")
        invite.set("Via", self.via("1"))
        self.send(invite)
        challenge = await self.balancer.hear("SIP/2.0 407")
        assert isinstance(challenge, Response)
        self.send(self.after(invite, "ACK", "1"))
        invite.set("CSeq", "2 INVITE")
        invite.set("Via", self.via("2"))
        add_credentials(invite, challenge, "alice")
        self.send(invite)
        return invite

    async def set_up(self) -> Request:
        """Let alice call bob, who answers; return the INVITE."""
        invite = await self.invite()
        forwarded = await self.balancer.hear("INVITE")
        assert isinstance(forwarded, Request)
        answer = forwarded.reply(200, to_tag="b")
        for route in forwarded.all("Record-Route"):
            answer.append("Record-Route", route)
        answer.append("Contact", f"<sip:bob@{HOST}>")
        self.send(answer)
        self.route = forwarded.first("Record-Route")
        await self.balancer.hear("SIP/2.0 200")
        return invite

    def via(self, branch: str) -> str:
        return f"SIP/2.0/UDP {HOST}:{self.configuration.load_balancer.port};branch=z9hG4bK{branch}"

    def after(self, invite: Request, method: str, branch: str) -> Request:
        request = invite.copy()
        request.method = method
        request.set("CSeq", f"{invite.cseq.number} {method}")
        request.set("Via", self.via(branch))
        return request

    def bye(self, invite: Request) -> Request:
        bye = calls.bye(invite)
        bye.prepend("Via", self.via("3"))
        bye.prepend("Route", self.route)
        bye.set("CSeq", "3 BYE")
        return bye


@contextlib.asynccontextmanager
async def site(database: Server, redis: RedisServer, *, bypass: bool = True) -> AsyncIterator[Site]:
    first = free_ports(7)
    configuration = Configuration(
        Endpoint(HOST, first),
        Endpoint(HOST, first + 1),
        LoadBalancerEndpoint(HOST, first + 2),
        MediaRelayEndpoint(HOST, first + 3),
        Database(database.socket),
        Redis(redis.socket, 0),
        b2bua=B2buaEndpoint(HOST, first + 4, bypass=bypass),
    )
    loop = asyncio.get_running_loop()
    transport, balancer = await loop.create_datagram_endpoint(Balancer, local_addr=(HOST, first + 2))
    try:
        yield Site(configuration, balancer, redis, database)
    finally:
        transport.close()


@pytest.fixture
def provisioned(database: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(service, "ACCOUNT", database.user)
    users = ", ".join(
        f"('{user}', 'example.org', '{PASSWORD}', '{ha1_of(MD5, user, 'example.org', PASSWORD)}', '', UUID())"
        for user in ("alice", "bob")
    )
    database.run(
        "INSERT INTO kamailio.domain (domain) VALUES ('example.org')",
        f"INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid) VALUES {users}",
    )
    return database


RECORDS = "SELECT method, sip_code, callid, src_user, dst_user FROM kamailio.acc ORDER BY id"
START = ("INVITE", "200", "c1", "alice", "bob")
STOP = ("BYE", "200", "c1", "", "")


def test_a_call_and_what_it_leaves(provisioned: Server, redis_server: RedisServer) -> None:
    async def main() -> None:
        async with site(provisioned, redis_server) as here, here.daemon():
            await here.command("ul.add", "location", "bob@example.org", f"sip:bob@{HOST}", 0)
            invite = await here.set_up()
            await here.until(RECORDS, [START])
            assert (await here.command("dlg.stats_active")) == {
                "starting": 0,
                "connecting": 0,
                "answering": 0,
                "ongoing": 1,
                "all": 1,
            }
            assert await here.command("dlgcnt.check") == []
            assert redis_server.ask(3, "GET", "total") == "1"
            here.send(here.bye(invite))
            await here.balancer.hear("BYE")
            await here.until(RECORDS, [START, STOP])
            assert await here.command("dlgcnt.check") == []
            assert redis_server.texts(3, "KEYS", "*") == redis_server.texts(4, "KEYS", "*") == []
            assert len(redis_server.texts(21, "SMEMBERS", "acc:cid::c1")) == 2

    asyncio.run(main())


def test_a_daemon_that_starts_again_ends_the_call(provisioned: Server, redis_server: RedisServer) -> None:
    async def main() -> None:
        async with site(provisioned, redis_server) as here:
            async with here.daemon():
                await here.command("ul.add", "location", "bob@example.org", f"sip:bob@{HOST}", 0)
                await here.set_up()
            async with here.daemon():
                await here.command("dlg.terminate_dlg", "c1")
                byes = [await here.balancer.hear("BYE"), await here.balancer.hear("BYE")]
                assert {bye.to.uri.name for bye in byes} == {"alice", "bob"}
                await here.until(RECORDS, [START, STOP])

    asyncio.run(main())


@contextlib.asynccontextmanager
async def b2bua(here: Site) -> AsyncIterator[None]:
    """Let the other daemon run beside."""
    configuration = here.configuration
    port = configuration.b2bua.port
    listen, control, xmlrpc, proxy = (
        Endpoint(HOST, one) for one in (port, port + 1, port + 2, configuration.listen.port)
    )
    running = B2buaService(b2bua_config.Configuration(listen, control, xmlrpc, proxy, drain=0.0))
    try:
        await running.start()
        yield
    finally:
        await running.stop()


def test_a_call_by_the_b2bua(provisioned: Server, redis_server: RedisServer) -> None:
    """Two daemons, three dialogs' worth of messages, one call in the book; both phones hear of its end."""

    async def main() -> None:
        async with site(provisioned, redis_server, bypass=False) as here, b2bua(here), here.daemon():
            await here.command("ul.add", "location", "bob@example.org", f"sip:bob@{HOST}", 0)
            await here.set_up()
            await here.until(RECORDS, [START])
            assert redis_server.ask(3, "GET", "total") == "1"
            await here.command("dlg.terminate_dlg", "c1")
            byes = [await here.balancer.hear("BYE"), await here.balancer.hear("BYE")]
            assert {bye.call_id for bye in byes} == {"c1", "c1_b2b-1"}
            await here.until(RECORDS, [START, STOP])

    asyncio.run(main())


def test_a_b2bua_that_does_not_run(provisioned: Server, redis_server: RedisServer) -> None:
    """The system says at once that nobody listens: no time-out of ours has to pass."""

    async def main() -> None:
        async with site(provisioned, redis_server, bypass=False) as here, here.daemon():
            await here.command("ul.add", "location", "bob@example.org", f"sip:bob@{HOST}", 0)
            await here.invite()
            async with asyncio.timeout(PATIENCE_OF_PASSES):
                refusal = await here.balancer.hear("SIP/2.0 503")
            assert refusal.start_line == "SIP/2.0 503 B2BUA Unavailable"
            await here.until(RECORDS, [("INVITE", "503", "c1", "alice", "bob")])

    asyncio.run(main())


def test_a_daemon_without_redis(provisioned: Server, redis_server: RedisServer) -> None:
    async def main() -> None:
        redis_server.kill()
        async with site(provisioned, redis_server) as here, here.daemon():
            await here.command("ul.add", "location", "bob@example.org", f"sip:bob@{HOST}", 0)
            await here.set_up()
            await here.until(RECORDS, [START])
            redis_server.start()
            async with asyncio.timeout(PATIENCE):
                while redis_server.ask(3, "GET", "total") != "1":
                    await asyncio.sleep(0.05)

    asyncio.run(main())
