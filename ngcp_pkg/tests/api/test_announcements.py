"""Who changes a subscriber tells the proxy, which remembers: the next call finds the change."""

import pytest

from api.conftest import Api
from ngcp.provisioning.changes import MOST


def test_each_change_of_a_subscriber_is_told_before_it_is_confirmed(api: Api, customer: int) -> None:
    assert api.registrar.announced.pop() == {"example.org"}
    alice = api.subscriber("alice", customer)
    assert api.registrar.announced.pop() == {"alice@example.org"}
    api.change(f"/api/subscribers/{alice['id']}", password="another-one")
    assert api.registrar.announced.pop() == {"alice@example.org"}
    api.ask("DELETE", f"/api/subscribers/{alice['id']}")
    assert api.registrar.announced == [{"alice@example.org"}]


def test_locked_customer_is_told_of_all_its_subscribers(api: Api, customer: int) -> None:
    for name in ("alice", "bob"):
        api.subscriber(name, customer)
    api.change(f"/api/customers/{customer}", status="locked")
    assert api.registrar.announced.pop() == {"alice@example.org", "bob@example.org"}


def test_removed_domain_is_told(api: Api, customer: int) -> None:
    domains = api.get("/api/domains/")["_embedded"]["ngcp:domains"]
    (number,) = (domain["id"] for domain in domains if domain["domain"] == "example.org")
    api.ask("DELETE", f"/api/domains/{number}")
    assert api.registrar.announced == [{"example.org"}, {"example.org"}]


def test_reading_and_failing_tell_nothing(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer)
    api.registrar.announced.clear()
    api.get("/api/subscribers/")
    assert api.change(f"/api/subscribers/{alice['id']}", username="somebody-else").status_code == 422
    api.change(f"/api/customers/{customer}", max_subscribers=9)
    assert api.registrar.announced == []


def test_very_many_are_told_as_everything(api: Api, customer: int) -> None:
    for number in range(MOST + 1):
        api.subscriber(f"u{number}", customer)
    api.change(f"/api/customers/{customer}", status="locked")
    assert api.registrar.announced.pop() == {"*"}


def test_silent_proxy_does_not_keep_the_change_from_being_made(
    api: Api, customer: int, caplog: pytest.LogCaptureFixture
) -> None:
    api.control.close()
    api.runner.run(api.control.wait_closed())
    api.subscriber("alice", customer)
    assert "alice@example.org" in caplog.text
    assert api.subscriber_seen("alice") is not None
