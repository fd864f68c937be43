"""One change by REST, two proxies with warm memories: the next call of each sees it, and asks once."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from api.conftest import SHOW, Api, Application, free_ports
from ngcp.api.app import make_app
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.proxy import ProxyControl
from ngcp.provisioning import runtime
from ngcp.provisioning.line import Line
from ngcp.provisioning.runtime import Destination, Forward, Name, Platform, Subscriber, TrustedSource
from ngcp.proxy.batches import settled
from ngcp.proxy.directory import Directory, Terms, Unknown
from ngcp.service.commands import CommandTable
from ngcp.service.xmlrpc import ControlServer, serve
from private_mariadb import Server

T = TypeVar("T")


class CountedSource(runtime.Directory):
    """The database, and how often it was asked."""

    asked = 0

    async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:
        self.asked += 1
        return await super().subscribers(names)

    async def platform(self) -> Platform:
        self.asked += 1
        return await super().platform()


@dataclass
class Proxy:
    """A proxy's memory, and the commands that reach it."""

    runner: asyncio.Runner
    line: Line
    started: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = CountedSource(self.line)
        self.directory = Directory(self.source, Terms(3600.0, lambda: 1000.0, self.spawn))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        self.started.append(asyncio.get_running_loop().create_task(work))

    def commands(self) -> CommandTable:
        table = CommandTable("kamailio-proxy")
        table.add("directory.drop", self.drop, "")
        return table

    def drop(self, *names: str) -> int:
        for name in names:
            self.directory.drop(name)
        return len(names)

    def ask(self, question: Callable[[Directory], T]) -> T:
        """Ask until memory knows."""
        for _ in range(5):
            try:
                return question(self.directory)
            except Unknown as unknown:
                self.runner.run(settled(unknown.learn))
        raise AssertionError("memory never knows")

    def alice(self) -> Subscriber:
        found = self.ask(lambda directory: directory.subscriber("alice", "example.org"))
        assert found is not None
        return found

    def preference(self, attribute: str) -> tuple[str, ...]:
        """Return what holds for a call of alice's."""
        alice = self.alice()
        preferences = self.ask(Directory.platform).preferences_of(alice)
        return preferences.all(attribute) + alice.contract_preferences.get(attribute, ())

    def trusted(self) -> tuple[TrustedSource, ...]:
        return self.ask(Directory.platform).trusted


@dataclass
class Site:
    """An API and two proxies."""

    api: Api
    proxies: tuple[Proxy, ...]
    controls: list[ControlServer]
    alice: int

    def asked(self) -> list[int]:
        """Return how often each proxy asked the database since the last time."""
        counts = [proxy.source.asked for proxy in self.proxies]
        for proxy in self.proxies:
            proxy.source.asked = 0
        return counts


@pytest.fixture
def site(api: Api, application: Application, database: Server, customer: int) -> Iterator[Site]:
    runner, ports = application.runner, free_ports()
    lines = [Line(database.socket, database.user, 5.0) for _ in ports]
    proxies = tuple(Proxy(runner, line) for line in lines)
    controls = [
        runner.run(serve(proxy.commands(), "127.0.0.1", port))
        for proxy, port in zip(proxies, ports, strict=True)
    ]
    first, second = (f"http://127.0.0.1:{port}/RPC2" for port in ports)
    edge = LoadBalancerControl(first, attempts=3)
    api.app = make_app(application.engine, ProxyControl(first, [second]), edge, application.authority)
    alice = api.subscriber("alice", customer)["id"]
    yield Site(api, proxies, controls, alice)
    for control in controls:
        control.close()
        runner.run(control.wait_closed())
    for line in lines:
        line.close()


def forward(site: Site, destination: str) -> None:
    wanted = {"destinations": [{"destination": destination}]}
    path = f"/api/callforwards/{site.alice}"
    assert site.api.ask("PUT", path, json={"cfu": wanted}, headers=SHOW).status_code == 200


def test_both_see_a_forward_at_the_next_call_and_ask_once(site: Site) -> None:
    assert [proxy.alice().forwards for proxy in site.proxies] == [(), ()]
    site.asked()

    forward(site, "bob")
    expected = Forward("cfu", (Destination("sip:bob@example.org"),))
    for _ in range(3):
        assert [proxy.alice().forwards for proxy in site.proxies] == [(expected,), (expected,)]
    assert site.asked() == [1, 1]

    forward(site, "carol")
    assert {proxy.alice().forwards[0].destinations[0].uri for proxy in site.proxies} == {
        "sip:carol@example.org"
    }


def test_both_see_a_speed_dial_and_a_place(site: Site) -> None:
    for proxy in site.proxies:
        proxy.alice()
    dials = {"speeddials": [{"slot": "*1", "destination": "sip:bob@example.net"}]}
    site.api.ask("PUT", f"/api/speeddials/{site.alice}", json=dials)
    assert all(proxy.alice().speed_dials == {"*1": "sip:bob@example.net"} for proxy in site.proxies)
    site.api.make("subscriberlocationmappings", subscriber_id=site.alice, location="sip:192.0.2.9")
    assert all(proxy.alice().locations[0].location == "sip:192.0.2.9" for proxy in site.proxies)


@pytest.mark.parametrize("level", ["subscriber", "profile", "domain", "reseller", "customer"])
def test_both_see_a_preference_at_the_next_call_and_ask_once(site: Site, level: str) -> None:
    api, path = site.api, f"/api/subscribers/{site.alice}"
    number = api.make("subscriberprofilesets", name="phones")["id"]
    profile = api.make("subscriberprofiles", set_id=number, name="basic")["id"]
    alice = api.change(path, profile_id=profile).json()
    owners = {"subscriber": site.alice, "profile": profile, "reseller": 1}
    owner = owners.get(level) or alice[f"{level}_id"]
    assert [proxy.preference("concurrent_max") for proxy in site.proxies] == [(), ()]
    site.asked()

    for limit in (3, 4):
        assert api.change(f"/api/{level}preferences/{owner}", concurrent_max=limit).status_code == 200
        for _ in range(3):
            seen = [proxy.preference("concurrent_max") for proxy in site.proxies]
            assert seen == [(str(limit),), (str(limit),)]
        assert site.asked() == [1, 1]


def test_both_trust_and_trust_no_more(site: Site) -> None:
    assert [proxy.trusted() for proxy in site.proxies] == [(), ()]
    made = site.api.make("trustedsources", subscriber_id=site.alice, src_ip="192.0.2.1")
    uuid = site.proxies[0].alice().uuid
    assert all(proxy.trusted() == (TrustedSource(uuid, "192.0.2.1", "ANY"),) for proxy in site.proxies)
    site.api.ask("DELETE", f"/api/trustedsources/{made['id']}")
    assert [proxy.trusted() for proxy in site.proxies] == [(), ()]


def test_who_is_warm_asks_nothing(site: Site) -> None:
    for proxy in site.proxies:
        proxy.alice()
        proxy.trusted()
    site.asked()
    other = site.api.subscriber("bob", site.api.get(f"/api/subscribers/{site.alice}")["customer_id"])
    site.api.ask("PUT", f"/api/speeddials/{other['id']}", json={"speeddials": []})
    for proxy in site.proxies:
        proxy.alice()
        proxy.trusted()
    assert site.asked() == [0, 0]


def test_one_that_is_down_does_not_keep_the_other_in_the_dark(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.controls[0].close()
    site.api.runner.run(site.controls[0].wait_closed())
    site.proxies[1].alice()
    forward(site, "bob")
    assert "alice@example.org" in caplog.text
    assert site.proxies[1].alice().forwards
