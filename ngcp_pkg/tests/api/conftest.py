"""The API over a real database, asked without a socket."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.api.app import make_app
from ngcp.api.certificates import Authority
from ngcp.api.gate import Gate
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.proxy import ProxyControl
from ngcp.provisioning.engine import connect
from ngcp.provisioning.line import Line
from ngcp.provisioning.location import LocationRow, LocationTable
from ngcp.provisioning.runtime import Directory, Name, Subscriber
from ngcp.service.commands import CommandError, CommandTable
from ngcp.service.xmlrpc import ControlServer, serve
from private_mariadb import ADMINISTRATOR_PASSWORD, Server

ADMINISTRATOR = ("administrator", ADMINISTRATOR_PASSWORD)
PATCH = "application/json-patch+json"
SHOW = {"Prefer": "return=representation"}
ADDRESSES = ip_network("10.0.0.0/8").hosts()


@dataclass
class Registrar:
    """The proxy's control interface, as far as registrations go."""

    table: LocationTable
    calls: list[tuple[object, ...]] = field(default_factory=list)
    announced: list[set[object]] = field(default_factory=list)
    refusal: CommandError | None = None

    def commands(self) -> CommandTable:
        commands = CommandTable("kamailio-proxy")
        commands.add("ul.add", self.add, "")
        commands.add("ul.rm", self.note, "")
        commands.add("directory.drop", self.hear, "")
        commands.add("ul.rm_contact", self.remove_contact, "")
        return commands

    async def add(self, table: str, aor: str, contact: str, expires: int, q: float, *more: object) -> str:
        path, cflags = str(more[0]), int(str(more[2]))
        self.note("ul.add", table, aor, contact, expires, q, path)
        if self.refusal:
            raise self.refusal
        user, _at, domain = aor.partition("@")
        ends = 1_800_000_000 + expires if expires else 2**32 - 1
        row = LocationRow(
            f"ruid-{contact}", user, domain, contact, None, path or None, q, ends, "api", 1, cflags=cflags
        )
        await self.table.save([row], [])
        return row.ruid

    async def remove_contact(self, table: str, aor: str, contact: str) -> int:
        self.note("ul.rm_contact", table, aor, contact)
        await self.table.save([], [f"ruid-{contact}"])
        return 1

    def hear(self, *names: object) -> int:
        self.announced.append(set(names))
        return len(names)

    def note(self, *call: object) -> int:
        self.calls.append(call)
        return 1


@dataclass
class Api:
    """A client of the API that is administrator unless a test says otherwise."""

    runner: asyncio.Runner
    app: Gate
    database: Server
    directory: Directory
    """What the proxy sees."""
    registrar: Registrar
    control: ControlServer
    address: str
    """Whence its requests come: of each test another one, as failed logins are remembered."""

    def subscriber_seen(self, username: str, domain: str = "example.org") -> Subscriber | None:
        """Return a subscriber as the proxy sees it."""
        name = Name(username, domain)
        return self.runner.run(self.directory.subscribers([name])).get(name)

    def owner_seen(self, number: str, domain: str = "example.org") -> Name | None:
        """Return whom a number leads to."""
        name = Name(number, domain)
        return self.runner.run(self.directory.owners([name])).get(name)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        options.setdefault("auth", ADMINISTRATOR)

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, False, client=(self.address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://node:1443") as client:
                return await client.request(method, path, **options)

        return self.runner.run(ask())

    def get(self, path: str) -> dict[str, Any]:
        response = self.ask("GET", path)
        assert response.status_code == 200, response.text
        content: dict[str, Any] = response.json()
        return content

    def make(self, resource: str, **fields: object) -> dict[str, Any]:
        """POST and return what was made."""
        response = self.ask("POST", f"/api/{resource}/", json=fields, headers=SHOW)
        assert response.status_code == 201, response.text
        content: dict[str, Any] = response.json()
        return content

    def change(self, path: str, **fields: object) -> httpx.Response:
        """PATCH by replacing fields."""
        operations = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in fields.items()]
        return self.patch(path, operations)

    def patch(self, path: str, operations: object) -> httpx.Response:
        headers = {"Content-Type": PATCH, **SHOW}
        return self.ask("PATCH", path, content=json.dumps(operations), headers=headers)

    def refused(self, resource: str, status: int, /, **fields: object) -> str:
        """POST, expect a refusal and return its message."""
        response = self.ask("POST", f"/api/{resource}/", json=fields)
        assert response.status_code == status, response.text
        assert response.json()["code"] == status
        return str(response.json()["message"])

    def customer(self, **fields: object) -> int:
        contact = self.make("customercontacts", email="someone@example.org")
        return int(self.make("customers", contact_id=contact["id"], **fields)["id"])

    def subscriber(self, username: str, customer: int, **fields: object) -> dict[str, Any]:
        given = {"password": "s3cret-pw", "domain": "example.org", "customer_id": customer}
        return self.make("subscribers", username=username, **(given | fields))


@dataclass
class Application:
    """The application, which is made once: it keeps no state but the passwords that were right."""

    runner: asyncio.Runner
    engine: AsyncEngine
    control_port: int
    edge_port: int
    app: Gate
    authority: Authority


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="session")
def application(mariadb_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with asyncio.Runner() as runner:
        engine = connect(mariadb_server.socket, mariadb_server.user, 20.0)
        proxy, edge = free_ports()
        load_balancer = LoadBalancerControl(f"http://127.0.0.1:{edge}/RPC2", attempts=3)
        control = ProxyControl(f"http://127.0.0.1:{proxy}/RPC2")
        authority = Authority(tmp_path_factory.mktemp("authority"))
        app = make_app(engine, control, load_balancer, authority)
        yield Application(runner, engine, proxy, edge, app, authority)
        runner.run(engine.dispose())


@pytest.fixture
def api(database: Server, application: Application) -> Iterator[Api]:
    runner = application.runner
    line = Line(database.socket, database.user, 5.0)
    registrar = Registrar(LocationTable(line))
    control = runner.run(serve(registrar.commands(), "127.0.0.1", application.control_port))
    address = str(next(ADDRESSES))
    yield Api(runner, application.app, database, Directory(line), registrar, control, address)
    control.close()
    runner.run(control.wait_closed())
    line.close()


@pytest.fixture
def customer(api: Api) -> int:
    """A customer, and a domain for its subscribers."""
    api.make("domains", domain="example.org")
    return api.customer()
