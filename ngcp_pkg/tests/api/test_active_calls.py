"""Calls as they are now, asked of the proxy and shown to those whose they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from api.conftest import Api, Application
from api.tenants import Tenant
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.xmlrpc import serve

BEGAN, ANSWERED = 1_700_000_000, 1_700_000_007


@dataclass
class Proxy:
    """The proxy's commands about calls."""

    calls: list[Json] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def add(self, call_id: str, *counters: str, is_answered: bool = True) -> None:
        """Have a call that moves these counters."""
        self.calls.append(
            {
                "h_entry": 1,
                "h_id": len(self.calls) + 1,
                "call-id": call_id,
                "from_uri": "sip:alice@example.org",
                "to_uri": "sip:bob@example.org",
                "state": 4 if is_answered else 2,
                "start_ts": ANSWERED if is_answered else 0,
                "init_ts": BEGAN,
                "counters": ["total", *counters],
            }
        )

    def terminate(self, call_id: str) -> None:
        if call_id == "gone":
            raise CommandError(404, "no call")
        self.ended.append(call_id)

    def commands(self) -> CommandTable:
        table = CommandTable("kamailio-proxy")
        table.add("directory.drop", lambda *names: len(names), "")
        table.add("dlg.briefing", lambda: self.calls, "")
        table.add("dlg.terminate_dlg", self.terminate, "")
        return table


@pytest.fixture
def proxy(api: Api, application: Application) -> Iterator[Proxy]:
    api.control.close()
    api.runner.run(api.control.wait_closed())
    stage = Proxy()
    control = api.runner.run(serve(stage.commands(), "127.0.0.1", application.control_port))
    yield stage
    control.close()
    api.runner.run(control.wait_closed())


def uuid_of(api: Api, subscriber: int) -> str:
    ((uuid,),) = api.database.run(f"SELECT uuid FROM billing.voip_subscribers WHERE id = {subscriber}")
    return str(uuid)


def keys(uuid: str, *, calls: bool) -> list[str]:
    """Return the counters that one side moves, as the proxy does."""
    return [
        f"{scope}user{out}:{uuid}" for scope in ("total", "") for out in (("", "out") if calls else ("",))
    ]


def ids(api: Api, query: str = "", **options: object) -> list[str]:
    response = api.ask("GET", f"/api/activecalls/{query}", **options)
    assert response.status_code == 200, response.text
    content = response.json()
    found = [one["id"] for one in content["_embedded"]["ngcp:activecalls"]]
    assert content["total_count"] == len(found)
    return found


def test_no_call(api: Api, proxy: Proxy) -> None:
    assert ids(api) == []


def test_a_call_is_shown_with_whose_it_is(api: Api, proxy: Proxy) -> None:
    red = Tenant(api, "red")
    alice, bob = (uuid_of(api, number) for number in (red.subscriber, red.other_subscriber))
    proxy.add("c1/x@h", *keys(alice, calls=True), *keys(bob, calls=False))
    call = api.get("/api/activecalls/c1/x@h")
    assert call.pop("_links")["ngcp:subscribers"]["href"].startswith("/api/subscribers/")
    assert call.pop("duration") > 0
    assert call == {
        "id": "c1/x@h",
        "call_id": "c1/x@h",
        "status": "answered",
        "caller": "sip:alice@example.org",
        "callee": "sip:bob@example.org",
        "init_time": "2023-11-14 22:13:20",
        "start_time": "2023-11-14 22:13:27",
        "source_subscriber_id": red.subscriber,
        "source_customer_id": red.customer,
        "destination_subscriber_id": red.other_subscriber,
        "destination_customer_id": red.customer,
    }


def test_who_forwards_takes_part(api: Api, proxy: Proxy) -> None:
    """A calls B, who forwards to C: it is a call of B's, but neither from nor to him."""
    red, blue = Tenant(api, "red"), Tenant(api, "blue")
    a, b, c = (uuid_of(api, n) for n in (red.subscriber, red.other_subscriber, blue.subscriber))
    first = [*keys(a, calls=True), *keys(b, calls=False)]
    proxy.add("c1", *first, *keys(b, calls=True), *keys(c, calls=False))
    proxy.add("c2", is_answered=False)
    assert ids(api) == ["c1", "c2"]
    assert ids(api, f"?subscriber_id={red.other_subscriber}") == ["c1"]
    assert ids(api, f"?subscriber_id={blue.other_subscriber}") == []
    assert ids(api, f"?customer_id={blue.customer}&reseller_id={red.reseller}") == ["c1"]
    assert ids(api, "?status=ringing") == ["c2"]
    assert ids(api, f"?source_subscriber_id={red.subscriber}") == ["c1"]
    assert ids(api, f"?destination_subscriber_id={blue.subscriber}") == ["c1"]
    ringing = api.get("/api/activecalls/c2")
    assert (ringing["start_time"], ringing["duration"]) == (None, 0)


def test_a_reseller_sees_his_calls_and_of_others_only_that_they_are(api: Api, proxy: Proxy) -> None:
    red, blue = Tenant(api, "red"), Tenant(api, "blue")
    ours, theirs = uuid_of(api, red.subscriber), uuid_of(api, blue.subscriber)
    proxy.add("mixed", *keys(ours, calls=True), *keys(theirs, calls=False))
    proxy.add("foreign", *keys(theirs, calls=True))
    assert ids(api, auth=red.admin) == ["mixed"]
    assert ids(api, f"?subscriber_id={red.subscriber}", auth=red.admin) == ["mixed"]
    call = api.ask("GET", "/api/activecalls/mixed", auth=red.admin).json()
    assert (call["source_subscriber_id"], call["destination_subscriber_id"]) == (red.subscriber, None)
    assert api.ask("GET", "/api/activecalls/foreign", auth=red.admin).status_code == 404
    assert api.ask("DELETE", "/api/activecalls/foreign", auth=red.admin).status_code == 404
    assert api.ask("GET", "/api/activecalls/", auth=red.login("subscriber")).status_code == 403
    assert proxy.ended == []


def test_a_call_is_ended(api: Api, proxy: Proxy) -> None:
    for call_id in ("c1", "gone"):
        proxy.add(call_id)
        assert api.ask("DELETE", f"/api/activecalls/{call_id}").status_code == 204
    proxy.add("rings", is_answered=False)
    assert api.ask("DELETE", "/api/activecalls/rings").status_code == 409
    assert proxy.ended == ["c1"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("subscriber_id=x", 422), ("customer_id=", 422), ("colour=red", 400), ("order_by=colour", 400)],
)
def test_a_bad_filter_is_named(api: Api, proxy: Proxy, query: str, status: int) -> None:
    response = api.ask("GET", f"/api/activecalls/?{query}")
    assert response.status_code == status
    name, _, value = query.partition("=")
    assert (value if name == "order_by" else name) in response.json()["message"]


def test_a_proxy_that_is_down_is_no_node_without_calls(api: Api) -> None:
    api.control.close()
    api.runner.run(api.control.wait_closed())
    assert api.ask("GET", "/api/activecalls/").status_code == 503
