"""Bans, shown and lifted through the load-balancer's control interface."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from api.conftest import Api, Application
from ngcp.lb.density import Density
from ngcp.lb.logins import Logins
from ngcp.lb.security import Security
from ngcp.lb.tables import TableCommands
from ngcp.service.commands import CommandTable
from ngcp.service.xmlrpc import ControlServer, serve

#: A user that nobody but an attacker can have.
ODD = "a/b?c%d@h"


@dataclass
class Edge:
    """The load-balancer's own tables and commands, without the rest of it."""

    density: Density
    logins: Logins
    control: ControlServer

    def ban(self, *addresses: str) -> None:
        for address in addresses:
            self.density.bans.set(self.density.bans.key_of(address), 1, 0.0)

    def fail(self, user: str, count: int) -> None:
        self.logins.failures.set(f"{user}::auth_count", count, 0.0)
        self.logins.failures.set(f"{user}::last_auth", 1_700_000_000, 0.0)


@pytest.fixture
def edge(api: Api, application: Application) -> Iterator[Edge]:
    density, logins = Density(Security(), ()), Logins(Security(), lambda: 0.0)
    commands = CommandTable("kamailio-lb")
    tables = {table.name: table for table in (density.bans, logins.failures)}
    TableCommands(tables, lambda: 1.0).add_to(commands)
    control = api.runner.run(serve(commands, "127.0.0.1", application.edge_port))
    yield Edge(density, logins, control)
    control.close()
    api.runner.run(control.wait_closed())


def ids(api: Api, path: str) -> list[str]:
    name = path.split("/")[2]
    return [one["id"] for one in api.get(path)["_embedded"][f"ngcp:{name}"]]


def test_nobody_is_banned(api: Api, edge: Edge) -> None:
    for name in ("bannedips", "bannedusers"):
        assert api.get(f"/api/{name}/")["total_count"] == 0


def test_a_banned_address_is_shown_and_let_in_again(api: Api, edge: Edge) -> None:
    edge.ban("192.0.2.1", "2001:db8::7")

    assert ids(api, "/api/bannedips/") == ["192.0.2.1", "2001:db8::"]
    content = api.get("/api/bannedips/192.0.2.1")
    assert (content["id"], content["ip"]) == ("192.0.2.1", "192.0.2.1")
    assert content["_links"]["self"]["href"] == "/api/bannedips/192.0.2.1"
    for address in ("192.0.2.1", "2001:db8::"):
        assert api.ask("DELETE", f"/api/bannedips/{address}").status_code == 204
    assert len(edge.density.bans) == 0


def test_a_banned_user_is_shown_and_let_in_again(api: Api, edge: Edge) -> None:
    edge.fail("alice@example.org", 3)
    edge.fail("bob@example.org", 2)

    assert ids(api, "/api/bannedusers/") == ["alice@example.org"]
    content = api.get("/api/bannedusers/alice@example.org")
    del content["_links"]
    assert content == {
        "id": "alice@example.org",
        "username": "alice@example.org",
        "auth_count": 3,
        "last_auth": "2023-11-14 22:13:20",
    }
    assert api.ask("DELETE", "/api/bannedusers/alice@example.org").status_code == 204
    assert [key for key, _ in edge.logins.failures.items(1.0)] == [
        "bob@example.org::auth_count",
        "bob@example.org::last_auth",
    ]


def test_any_name_can_be_let_in_again_by_its_link(api: Api, edge: Edge) -> None:
    edge.fail(ODD, 3)
    (item,) = api.get("/api/bannedusers/")["_embedded"]["ngcp:bannedusers"]

    assert api.ask("DELETE", item["_links"]["self"]["href"]).status_code == 204
    assert len(edge.logins.failures) == 0


def test_who_is_not_banned_is_not_found(api: Api, edge: Edge) -> None:
    for method in ("GET", "DELETE"):
        response = api.ask(method, "/api/bannedips/192.0.2.9")
        assert response.status_code == 404
        assert response.json()["message"] == "Entity 'banned address' not found."


def test_bans_are_listed_by_page_order_and_filter(api: Api, edge: Edge) -> None:
    for number in range(25):
        edge.fail(f"user{number:02}@h", 3 + number % 3)

    assert ids(api, "/api/bannedusers/?page=3") == [f"user{number}@h" for number in range(20, 25)]
    assert ids(api, "/api/bannedusers/?rows=2&order_by_direction=desc") == ["user24@h", "user23@h"]
    assert ids(api, "/api/bannedusers/?rows=2&order_by=auth_count") == ["user00@h", "user03@h"]
    assert ids(api, "/api/bannedusers/?username=*04*") == ["user04@h"]
    assert len(ids(api, "/api/bannedusers/?auth_count=5&rows=50")) == 8
    assert "total_count" not in api.get("/api/bannedusers/?no_count=1")


@pytest.mark.parametrize("query", ["name=x", "order_by=name"])
def test_an_unknown_field_is_refused(api: Api, edge: Edge, query: str) -> None:
    response = api.ask("GET", f"/api/bannedips/?{query}")

    assert response.status_code == 400
    assert response.json()["message"] == "Unknown query parameter 'name', must be one of id, ip."


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_bans_are_neither_made_nor_changed(api: Api, edge: Edge, method: str) -> None:
    for path in ("/api/bannedips/", "/api/bannedusers/alice@h"):
        headers = {"Content-Type": "application/json-patch+json" if method == "PATCH" else "application/json"}
        assert api.ask(method, path, content="{}", headers=headers).status_code == 405


def test_methods_and_paths_are_those_of_other_resources(api: Api, edge: Edge) -> None:
    assert api.ask("OPTIONS", "/api/bannedips/").json() == {"methods": ["GET", "HEAD", "OPTIONS"]}
    assert api.ask("OPTIONS", "/api/bannedips/x").json() == {"methods": ["GET", "HEAD", "OPTIONS", "DELETE"]}
    assert api.ask("GET", "/api/bannedips").headers["Location"] == "/api/bannedips/"
    assert api.ask("GET", "/api/bannedips/", auth=None).status_code == 401
    assert "/api/bannedusers/{id}" in api.get("/api/")["paths"]


def test_without_the_load_balancer_nothing_is_known(api: Api) -> None:
    for method, path in (
        ("GET", "/api/bannedips/"),
        ("GET", "/api/bannedusers/alice@h"),
        ("DELETE", "/api/bannedips/192.0.2.1"),
    ):
        response = api.ask(method, path)
        assert response.status_code == 503
        assert response.json() == {"code": 503, "message": "SIP load-balancer is unavailable."}
