"""What an operator does, from the first login on."""

import hashlib
import threading

import bcrypt
import pytest

from api.conftest import Api
from ngcp.provisioning.runtime import Name


def test_two_phones_are_provisioned_with_nothing_but_http(api: Api) -> None:
    api.make("domains", domain="Voip.Example.ORG")
    contact = api.make("customercontacts", firstname="Ada", lastname="L", email="ada@example.org")
    customer = api.make("customers", contact_id=contact["id"], type="sipaccount", status="active")
    for name, number in (("alice", "1001"), ("bob", "1002")):
        api.make(
            "subscribers",
            username=name,
            password=f"{name}-s3cret",
            domain="voip.example.org",
            customer_id=customer["id"],
            primary_number={"cc": "43", "ac": "1", "sn": number},
        )

    assert set(api.runner.run(api.directory.platform()).domains) == {"voip.example.org"}
    alice = api.subscriber_seen("alice", "voip.example.org")
    assert alice is not None
    assert alice.ha1 == hashlib.md5(b"alice:voip.example.org:alice-s3cret").hexdigest()
    assert alice.lock == 0
    assert alice.aliases == {"4311001"}
    assert api.owner_seen("4311002", "voip.example.org") == Name("bob", "voip.example.org")


def test_a_changed_password_is_what_the_proxy_checks(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer)
    assert api.change(f"/api/subscribers/{alice['id']}", password="another-one").status_code == 200

    found = api.subscriber_seen("alice")
    assert found is not None
    assert found.password == "another-one"
    assert found.ha1 == hashlib.md5(b"alice:example.org:another-one").hexdigest()
    assert found.uuid == alice["uuid"]


def test_a_terminated_subscriber_frees_name_and_numbers(api: Api, customer: int) -> None:
    number = {"cc": "43", "ac": "1", "sn": "1001"}
    alice = api.subscriber("alice", customer, primary_number=number)

    assert api.ask("DELETE", f"/api/subscribers/{alice['id']}").status_code == 204

    assert api.ask("GET", f"/api/subscribers/{alice['id']}").status_code == 404
    assert api.subscriber_seen("alice") is None
    assert api.owner_seen("4311001") is None
    assert api.registrar.calls == [("location", "alice@example.org")]
    again = api.subscriber("alice", customer, primary_number=number)
    assert again["uuid"] != alice["uuid"]


def test_a_subscriber_comes_and_goes_with_his_mailbox(api: Api, customer: int) -> None:
    mailbox = "SELECT mailbox, LENGTH(password) FROM kamailio.voicemail_users"
    alice = api.subscriber("alice", customer)
    assert api.database.run(mailbox) == [(alice["uuid"], 4)]

    assert api.ask("DELETE", f"/api/subscribers/{alice['id']}").status_code == 204
    assert api.database.run(mailbox) == []


def test_registrations_of_a_terminated_subscriber_end_though_the_proxy_is_down(
    api: Api, customer: int
) -> None:
    """Its successor of the same name must not be called at the old phone."""
    alice = api.subscriber("alice", customer)
    api.make("subscriberregistrations", subscriber_id=alice["id"], contact="sip:alice@192.0.2.1")
    api.control.close()

    assert api.ask("DELETE", f"/api/subscribers/{alice['id']}").status_code == 204
    assert api.database.run("SELECT * FROM kamailio.location") == []


def test_a_locked_customer_locks_all_subscribers(api: Api, customer: int) -> None:
    api.subscriber("alice", customer)
    api.subscriber("bob", customer, status="locked")

    def locks() -> list[int]:
        found = [api.subscriber_seen(name) for name in ("alice", "bob")]
        return [one.lock for one in found if one]

    assert locks() == [0, 4]
    assert api.change(f"/api/customers/{customer}", status="locked").status_code == 200
    assert locks() == [4, 4]
    assert api.change(f"/api/customers/{customer}", status="active").status_code == 200
    assert locks() == [0, 4]


def test_a_terminated_customer_takes_its_subscribers_along(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer, primary_number={"cc": "43", "sn": "1"})
    other = api.subscriber("other", api.customer())

    assert api.change(f"/api/customers/{customer}", status="terminated").status_code == 204

    assert api.ask("GET", f"/api/customers/{customer}").status_code == 404
    assert api.ask("GET", f"/api/subscribers/{alice['id']}").status_code == 404
    assert [one["id"] for one in api.get("/api/subscribers/")["_embedded"]["ngcp:subscribers"]] == [
        other["id"]
    ]
    assert api.database.run("SELECT username FROM kamailio.subscriber") == [("other",)]
    assert api.database.run("SELECT * FROM billing.voip_numbers") == []


def test_an_emptied_domain_can_be_removed(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer)
    assert api.ask("DELETE", f"/api/domains/{alice['domain_id']}").status_code == 423
    api.ask("DELETE", f"/api/subscribers/{alice['id']}")

    assert api.ask("DELETE", f"/api/domains/{alice['domain_id']}").status_code == 204
    assert api.runner.run(api.directory.platform()).domains == {}
    api.make("domains", domain="example.org")


def test_a_partner_gets_a_contract(api: Api) -> None:
    contact = api.make("systemcontacts", company="Carrier", email="noc@example.org")
    contract = api.make("contracts", contact_id=contact["id"], type="sippeering", external_id="C-1")
    assert (
        contract["billing_profile_id"]
        == api.get("/api/billingprofiles/")["_embedded"]["ngcp:billingprofiles"][0]["id"]
    )
    changed = api.change(f"/api/contracts/{contract['id']}", external_id="C-2").json()
    assert changed["external_id"] == "C-2"
    assert api.change(f"/api/contracts/{contract['id']}", status="terminated").status_code == 204
    assert api.ask("DELETE", f"/api/systemcontacts/{contact['id']}").status_code == 204


def test_nobody_waits_while_a_web_password_is_hashed(
    api: Api, customer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bcrypt takes its time, on purpose: other requests go on meanwhile."""
    threads: list[threading.Thread] = []

    def hashpw(password: bytes, salt: bytes) -> bytes:
        threads.append(threading.current_thread())
        return b"$2b$hash of " + password

    monkeypatch.setattr(bcrypt, "hashpw", hashpw)
    alice = api.subscriber("alice", customer, webusername="alice", webpassword="s3cret-web")
    api.change(f"/api/subscribers/{alice['id']}", webpassword="an0ther-web")
    assert len(threads) == 2
    assert threading.main_thread() not in threads
    assert api.database.run("SELECT webpassword FROM provisioning.voip_subscribers") == [
        ("$2b$hash of an0ther-web",)
    ]
