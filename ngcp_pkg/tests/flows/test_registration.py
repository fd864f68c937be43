"""Phones register, refresh and leave, through load-balancer and proxy (RFC 3261 §10, §22)."""

import pytest

from flows.attempts import Attempt
from flows.phones import Phone
from flows.whole import INSIDE, Node
from ngcp.proxy.control import statistics
from ngcp.proxy.metrics import metrics
from proxy.doors import make_subscriber
from service.prometheus import read


@pytest.fixture
def node() -> Node:
    return Node()


def test_register_refresh_unregister(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    assert alice.registered == ["<sip:alice@192.0.2.10:5060>;expires=3600"]
    ruids = set(node.table.rows)

    node.wire.run(100.0)
    assert register(node, alice, 600).status == 200
    assert alice.registered == ["<sip:alice@192.0.2.10:5060>;expires=600"]
    assert set(node.table.rows) == ruids

    assert register(node, alice, 0).status == 200
    assert alice.registered == []
    assert node.table.rows == {}


def test_star_forgets_every_phone_of_the_subscriber(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    node.registered("alice", "192.0.2.11", transport="tcp")
    assert len(node.table.rows) == 2
    attempt = alice.register(0, contact="*")
    node.wire.run_until(lambda: attempt.is_over)
    assert (attempt.status, node.table.rows) == (200, {})


@pytest.mark.parametrize("offered", [("SHA-256",), ("MD5", "SHA-256")])
def test_phone_registers_with_sha256(offered: tuple[str, ...]) -> None:
    node = Node(digest_algorithms=offered)
    alice = node.phone("alice", "192.0.2.10")
    alice.algorithms = ["SHA-256", "MD5"]
    attempt = register(node, alice)
    assert (attempt.status, "algorithm=SHA-256" in attempt.request.first("Authorization")) == (200, True)


def test_phone_that_knows_md5_only_passes_over_sha256() -> None:
    node = Node(digest_algorithms=("SHA-256", "MD5"))
    attempt = register(node, node.phone("alice", "192.0.2.10"))
    assert (attempt.status, "algorithm=MD5" in attempt.request.first("Authorization")) == (200, True)


def test_phone_may_name_its_domain_where_it_proves_its_password(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    alice.login = "alice@example.org"
    assert register(node, alice).status == 200


def test_replayed_registration_leads_nobody_elsewhere(node: Node) -> None:
    """RFC 7616 §5.5: the digest does not cover Contact, so that it must be good for one request only."""
    alice = node.phone("alice", "192.0.2.10")
    seen = register(node, alice).request.copy()
    node.wire.run(40.0)  # until the edge has forgotten the transaction
    mallory = node.phone("mallory", "192.0.2.66")
    seen.set("Contact", "<sip:alice@192.0.2.66>")
    mallory.send_raw(bytes(seen))
    node.wire.run(1.0)
    answers = [packet.text for packet in node.wire.sent_to(("192.0.2.66", 5060))]
    assert ["stale=true" in text for text in answers] == [True]
    assert [row.contact for row in node.table.rows.values()] == ["sip:alice@192.0.2.10:5060"]


def test_wrong_password(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    alice.password = "guessed"
    assert register(node, alice).status == 401
    assert node.table.rows == {}


def test_unknown_subscriber_is_told_nothing_else_than_a_wrong_password(node: Node) -> None:
    assert register(node, node.phone("mallory", "192.0.2.66")).status == 401


def test_registering_for_somebody_else_is_forbidden(node: Node) -> None:
    node.directory.add("mallory")
    mallory = node.phone("mallory", "192.0.2.66")
    attempt = mallory.send_request("REGISTER", "sip:example.org", None, ["Contact: <sip:mallory@192.0.2.66>"])
    attempt.request.set("To", "<sip:alice@example.org>")
    mallory.messages_to_send()
    mallory.send_raw(bytes(attempt.request))
    node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 403
    assert node.table.rows == {}


def test_foreign_domain_is_refused(node: Node) -> None:
    stranger = node.phone("alice", "192.0.2.10")
    stranger.domain = "example.net"
    attempt = register(node, stranger)
    assert (attempt.status, attempt.final and attempt.final.reason) == (403, "Relaying denied")


def test_interval_too_brief_names_the_least(node: Node) -> None:
    attempt = register(node, node.phone("alice", "192.0.2.10"), 10)
    assert attempt.final is not None
    assert (attempt.status, attempt.final.get("Min-Expires")) == (423, "60")


def test_registration_ends_when_its_time_is_over(node: Node) -> None:
    register(node, node.phone("bob", "192.0.2.20"), 60)
    node.wire.run(61.0)
    alice = node.registered("alice", "192.0.2.10")
    call = alice.call("bob")
    node.wire.run(1.0)
    assert call.status == 480
    node.wire.run(60.0)
    assert [row.username for row in node.table.rows.values()] == ["alice"]


def test_registration_survives_a_restart_of_the_proxy(node: Node) -> None:
    bob, alice = node.registered("bob", "192.0.2.20"), node.registered("alice", "192.0.2.10")
    node.restart_proxy()
    call = alice.call("bob")
    node.wire.run(3.0)
    assert call.is_up and bob.calls[0].is_up


def test_dead_database_refuses_and_promises_nothing(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    node.table.dead = True
    assert register(node, alice).status == 503
    assert register(node, alice, 0).status == 503
    node.table.dead = False
    assert len(node.table.rows) == 1
    assert register(node, alice, 0).status == 200


def test_changed_password_counts_from_the_next_register_on(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    node.directory.accounts["alice"] = make_subscriber("alice", password="new")
    node.proxy.directory.drop("alice@example.org")
    assert register(node, alice).status == 401
    alice.password = "new"
    assert register(node, alice).status == 200


def test_subscriber_may_register_once_provisioned(node: Node) -> None:
    dave = node.phone("dave", "192.0.2.40")
    assert register(node, dave).status == 401
    node.directory.add("dave")
    node.proxy.directory.drop("dave@example.org")
    assert register(node, dave).status == 200


def test_terminated_subscriber_is_not_called_any_more(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    del node.directory.accounts["bob"]
    node.proxy.directory.drop("bob@example.org")
    call = alice.call("bob")
    node.wire.run(3.0)
    assert call.status == 404


def test_phone_is_not_shown_the_inside(node: Node) -> None:
    node.registered("alice", "192.0.2.10")
    seen = [packet.text for packet in node.wire.sent_to(("192.0.2.10", 5060))]
    assert seen
    assert not any(INSIDE[0] in text or "P-NGCP" in text or "\nPath:" in text for text in seen)


def register(node: Node, phone: Phone, expires: int = 3600) -> Attempt:
    attempt = phone.register(expires)
    assert node.wire.run_until(lambda: attempt.is_over)
    return attempt


def test_requests_and_replies_are_counted(node: Node) -> None:
    node.registered("alice", "192.0.2.10")

    counted = statistics(node.proxy)
    assert (counted["requests.REGISTER"], counted["registrations"]) == (2, 1)
    assert (counted["replies.4xx"], counted["replies.2xx"]) == (1, 1)
    samples = read(metrics(node.proxy))
    assert samples["ngcp_proxy_requests_total", "REGISTER"] == 2
    assert (samples["ngcp_proxy_registrations", ""], samples["ngcp_proxy_malformed_total", ""]) == (1, 0)
