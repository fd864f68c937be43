"""Accounts at peers as REST sets them: the B2BUA is told, reads them, and keeps how it stands with each."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from api import parents
from api.conftest import Api, Application
from flows.registrars import Enrolled
from ngcp.api.app import make_app
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.proxy import ProxyControl
from ngcp.b2bua.accounts import PEERING, SUBSCRIBER, Account, Key, Status
from ngcp.b2bua.control import add_registrations
from ngcp.b2bua.enrolment import Enrolment
from ngcp.service.commands import CommandTable
from ngcp.service.xmlrpc import serve

ROWS = """SELECT subscriber_id IS NULL, registration_status, last_code, contacts
    FROM kamailio.sems_registrations ORDER BY subscriber_id"""


@dataclass
class Site:
    """An API, and a B2BUA that answers commands over XMLRPC."""

    api: Api
    application: Application
    here: Enrolled = field(default_factory=Enrolled)
    names: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.enrolment = self.restarted()
        self.table = CommandTable("ngcp-sems")
        add_registrations(self.table, self.enrolment, self.here.wire.clock)

    def restarted(self) -> Enrolment:
        """Return what a new process has."""
        here, engine = self.here, self.application.engine
        return Enrolment(engine, here.all, here.wire.clock, lambda: None, self.resolve)

    async def resolve(self, host: str) -> Sequence[str]:
        return self.names.get(host, ())

    def stored(self) -> list[tuple[object, ...]]:
        self.api.runner.run(self.enrolment.store())
        return self.api.database.run(ROWS)

    def accounts(self) -> dict[Key, Account]:
        return {one.account.key: one.account for one in self.here.all}

    def command(self, name: str, *arguments: str | int) -> object:
        return self.api.runner.run(self.table.call(name, *arguments))


@pytest.fixture
def site(api: Api, application: Application, customer: int) -> Iterator[Site]:
    site = Site(api, application)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    control = api.runner.run(serve(site.table, "127.0.0.1", port))
    proxy = f"http://127.0.0.1:{application.control_port}/RPC2"
    edge = LoadBalancerControl(proxy, attempts=3)
    told = ProxyControl(proxy, b2bua=f"http://127.0.0.1:{port}/RPC2")
    api.app = make_app(application.engine, told, edge, application.authority)
    api.subscriber("alice", customer)
    yield site
    control.close()
    api.runner.run(control.wait_closed())


def alice(site: Site) -> str:
    (found,) = site.api.get("/api/subscribers/")["_embedded"]["ngcp:subscribers"]
    return f"/api/subscriberpreferences/{found['id']}"


LOGIN = {"peer_auth_user": "al ice", "peer_auth_pass": "pw", "peer_auth_realm": "carrier.example"}


def test_a_subscribers_account_is_registered_as_soon_as_it_is_set(site: Site) -> None:
    site.names["sip.carrier.example"] = ["198.51.100.7"]
    server = {"peer_auth_registrar_server": "sip.carrier.example:5070"}
    site.api.change(alice(site), **LOGIN, **server, peer_auth_register=True)

    ((key, account),) = site.accounts().items()
    assert key.kind == SUBSCRIBER
    assert (str(account.registrar), account.next_hop) == ("sip:sip.carrier.example:5070", "198.51.100.7:5070")
    assert (account.name, account.domain) == ("al%20ice", "carrier.example")
    assert (account.secret.username, account.secret.password) == ("al ice", "pw")
    site.here.run()
    site.here.accept()
    ((is_peer, status, code, contact),) = site.stored()
    assert (is_peer, status, code) == (0, Status.ACTIVE, 200)
    assert contact == f"sip:al%20ice@192.0.2.1:5060;uuid={account.uuid}"


def test_an_account_that_is_no_longer_wanted_leaves_no_row(site: Site) -> None:
    site.api.change(alice(site), **LOGIN, peer_auth_register=True)
    assert len(site.stored()) == 1
    site.api.change(alice(site), peer_auth_register=False)
    assert (site.accounts(), site.stored()) == ({}, [])


def test_a_domain_says_that_its_subscribers_register(site: Site) -> None:
    site.api.change(alice(site), **LOGIN)
    assert site.accounts() == {}
    (domain,) = site.api.get("/api/domains/")["_embedded"]["ngcp:domains"]
    path = f"/api/domainpreferences/{domain['id']}"
    site.api.change(path, peer_auth_register=True)
    assert len(site.accounts()) == 1
    site.api.change(path, peer_auth_register=False)
    assert site.accounts() == {}


def test_a_peer_registers_at_its_address(site: Site) -> None:
    group = parents.group(site.api)
    number = site.api.make("peeringservers", group_id=group, name="p", ip="192.0.2.4", port=5064)["id"]
    path = f"/api/peeringserverpreferences/{number}"
    site.api.change(path, peer_auth_user="we", peer_auth_pass="x", peer_auth_register=True)

    ((key, account),) = site.accounts().items()
    assert key == Key(PEERING, number)
    assert (account.next_hop, account.domain) == ("192.0.2.4:5064", "192.0.2.4")
    site.here.run()
    assert [row[:2] for row in site.stored()] == [(1, Status.PENDING)]
    assert site.command("db_reg_agent.refreshRegistration", number, PEERING) == "OK"
    assert site.command("db_reg_agent.removeRegistration", str(number), PEERING) == "OK"
    assert site.accounts() == {}
    assert site.command("db_reg_agent.createRegistration", number, "we", "x", "", PEERING) == "OK"
    assert list(site.accounts()) == [key]


def test_registrations_are_listed(site: Site) -> None:
    site.api.change(alice(site), **LOGIN, peer_auth_register=True)
    site.here.run()
    listed = site.command("registrations")
    assert isinstance(listed, list)
    (one,) = listed
    assert (one["user"], one["state"], one["registrar"]) == ("al%20ice", "pending", "sip:carrier.example")
    assert site.command("registrations", 1) == []


def test_a_start_knows_how_it_stood(site: Site) -> None:
    site.api.change(alice(site), **LOGIN, peer_auth_register=True)
    site.here.run()
    site.here.accept(86_000)
    site.stored()
    site.here = Enrolled()
    site.enrolment = site.restarted()
    site.api.runner.run(site.enrolment.reload())

    (standing,) = site.here.all.standings.values()
    assert (standing.status, standing.code) == (Status.ACTIVE, 200)


def test_a_registrar_keeps_its_address_while_its_name_has_it(site: Site) -> None:
    def hop() -> str:
        site.api.runner.run(site.enrolment.reload())
        (account,) = site.accounts().values()
        return account.next_hop

    site.api.change(alice(site), **LOGIN, peer_auth_register=True)
    assert hop() == "carrier.example:5060"
    site.names["carrier.example"] = ["192.0.2.1", "192.0.2.2"]
    assert hop() == "192.0.2.1:5060"
    site.names["carrier.example"] = ["192.0.2.2", "192.0.2.1"]
    assert hop() == "192.0.2.1:5060"
    site.names["carrier.example"] = []
    assert hop() == "192.0.2.1:5060"
    site.names["carrier.example"] = ["192.0.2.2"]
    assert hop() == "192.0.2.2:5060"


def test_what_is_no_registrar_is_logged_and_left_out(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    bad = {"peer_auth_registrar_server": "host:port:x"}
    site.api.change(alice(site), **LOGIN, **bad, peer_auth_register=True)
    assert site.accounts() == {}
    assert "'host:port:x' is no registrar" in caplog.text


def test_the_table_is_read_again_and_written_without_being_told(site: Site) -> None:
    """What the API could not tell is there after a minute; a stop ends the work."""
    site.api.change(alice(site), **LOGIN, peer_auth_register=True)
    site.here = Enrolled()
    enrolment = site.restarted()

    async def work() -> None:
        task = asyncio.create_task(enrolment.keep())
        async with asyncio.timeout(10):
            while not site.api.database.run(ROWS):
                await asyncio.sleep(0.01)
        task.cancel()

    site.api.runner.run(work())
    assert len(site.accounts()) == 1
