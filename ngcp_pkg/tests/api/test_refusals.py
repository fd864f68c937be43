"""What is refused, and whether the message names the field."""

import json
from typing import Any

import pytest

from api.conftest import Api


def test_unknown_field_is_422_and_names_it(api: Api) -> None:
    message = api.refused("domains", 422, domain="example.org", colour="red")
    assert message == "Validation failed. field='colour', input='red', errors=unknown field"


def test_a_missing_field_is_named(api: Api) -> None:
    assert "field='email'" in api.refused("customercontacts", 422, firstname="A")


def test_every_refused_field_is_named(api: Api) -> None:
    message = api.refused("customers", 422, contact_id=0, type="pbxaccount", status="gone")
    for field in ("contact_id", "type", "status"):
        assert f"field='{field}'" in message


@pytest.mark.parametrize("body", ["text", 1, None, [], ["x"]])
def test_what_is_no_object_is_refused(api: Api, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.ask("POST", "/api/domains/", content=json.dumps(body), headers=headers)
    assert response.status_code in (400, 422)  # null is no body, or no object


@pytest.mark.parametrize(
    "domain",
    [
        "",
        " ",
        "a b",
        "exa_mple.org",
        "-a.org",
        "a..org",
        "a.org.",
        "x" * 64 + ".org",
        "a.org'",
        "1.2.3",
        "[::g]",
        "ü.at",
    ],
)
def test_a_bad_domain_is_refused(api: Api, domain: str) -> None:
    assert "field='domain'" in api.refused("domains", 422, domain=domain)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("EXAMPLE.Org", "example.org"), ("192.0.2.1", "192.0.2.1"), ("[2001:DB8::0001]", "[2001:db8::1]")],
)
def test_a_domain_is_kept_in_one_spelling(api: Api, given: str, kept: str) -> None:
    assert api.make("domains", domain=given)["domain"] == kept
    assert "exists already" in api.refused("domains", 422, domain=kept)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a b"),
        ("username", "alice@example.org"),
        ("username", "alice;x"),
        ("username", ""),
        ("username", "x" * 128),
        ("username", "alice\n"),
        ("username", "\ud800"),
        ("password", "short"),
        ("password", "x" * 41),
        ("password", "new\nline"),
        ("status", "asleep"),
        ("customer_id", 10**30),
        ("customer_id", 999),
        ("customer_id", -1),
        ("domain", "unknown.org"),
        ("primary_number", {"cc": "43"}),
        ("primary_number", {"cc": "0043", "sn": "1"}),
        ("primary_number", {"cc": "43", "sn": "12ab"}),
        ("primary_number", {"cc": "43", "sn": "1", "colour": "red"}),
        ("primary_number", "+4311001"),
        ("alias_numbers", [{"cc": "43", "sn": ""}]),
        ("alias_numbers", {"cc": "43", "sn": "1"}),
        ("webpassword", "ü" * 40),
    ],
)
def test_a_bad_subscriber_field_is_refused(api: Api, customer: int, field: str, value: object) -> None:
    good: dict[str, object] = {
        "username": "alice",
        "password": "s3cret-pw",
        "domain": "example.org",
        "customer_id": customer,
    }
    content = json.dumps(good | {field: value})
    headers = {"Content-Type": "application/json"}
    response = api.ask("POST", "/api/subscribers/", content=content, headers=headers)
    assert response.status_code == 422
    assert f"field='{field}" in response.json()["message"]
    assert api.database.run("SELECT * FROM provisioning.voip_subscribers") == []


def test_a_refused_password_is_not_repeated(api: Api, customer: int) -> None:
    message = api.refused(
        "subscribers", 422, username="a", password="pw!", customer_id=customer, domain="example.org"
    )
    assert "pw!" not in message


def test_a_subscriber_needs_a_domain(api: Api, customer: int) -> None:
    message = api.refused("subscribers", 422, username="a", password="s3cret-pw", customer_id=customer)
    assert "domain or domain_id is required" in message


def test_a_subscriber_exists_once(api: Api, customer: int) -> None:
    api.subscriber("alice", customer)
    message = api.refused(
        "subscribers", 422, username="alice", password="s3cret-pw", customer_id=customer, domain="example.org"
    )
    assert "field='username'" in message
    assert "exists already" in message
    assert api.get("/api/subscribers/")["total_count"] == 1


@pytest.mark.parametrize(
    "taken",
    [{"cc": "43", "ac": "1", "sn": "1001"}, {"cc": "43", "ac": "11", "sn": "001"}],
    ids=["same", "alike"],
)
@pytest.mark.parametrize("as_primary", [True, False])
def test_alias_number_taken_by_another_subscriber_is_refused(
    api: Api, customer: int, taken: dict[str, str], as_primary: bool
) -> None:
    """Also one whose parts are divided otherwise: it would be dialled alike."""
    api.subscriber("alice", customer, alias_numbers=[{"cc": "43", "ac": "1", "sn": "1001"}])
    bob = api.subscriber("bob", customer)
    change: dict[str, Any] = {"primary_number": taken} if as_primary else {"alias_numbers": [taken]}

    response = api.change(f"/api/subscribers/{bob['id']}", **change)

    assert response.status_code == 422
    assert "field='number'" in response.json()["message"]
    assert api.get(f"/api/subscribers/{bob['id']}") == bob


def test_a_web_user_exists_once_in_a_domain(api: Api, customer: int) -> None:
    api.subscriber("alice", customer, webusername="web")
    bob = api.subscriber("bob", customer)
    response = api.change(f"/api/subscribers/{bob['id']}", webusername="web")
    assert response.status_code == 422
    assert "field='webusername'" in response.json()["message"]


@pytest.mark.parametrize(
    ("field", "value"), [("username", "bob"), ("domain", "other.org"), ("domain_id", 999), ("customer_id", 1)]
)
def test_whose_a_subscriber_is_cannot_be_changed(api: Api, customer: int, field: str, value: object) -> None:
    alice = api.subscriber("alice", customer)
    response = api.change(f"/api/subscribers/{alice['id']}", **{field: value})
    assert response.status_code == 422
    assert f"field='{field}'" in response.json()["message"]


def test_no_more_subscribers_than_agreed(api: Api) -> None:
    api.make("domains", domain="example.org")
    customer = api.customer(max_subscribers=1)
    api.subscriber("alice", customer)
    message = api.refused(
        "subscribers", 403, username="bob", password="s3cret-pw", customer_id=customer, domain="example.org"
    )
    assert message == "Maximum number of subscribers reached."


def test_a_domain_of_another_reseller_is_refused(api: Api, customer: int) -> None:
    api.database.run(
        "INSERT INTO billing.contracts (contact_id, product_id)"
        " SELECT contact_id, product_id FROM billing.contracts LIMIT 1",
        "INSERT INTO billing.resellers (contract_id, name) SELECT MAX(id), 'other' FROM billing.contracts",
    )
    other = api.get("/api/resellers/?name=other")["_embedded"]["ngcp:resellers"][0]["id"]
    api.make("domains", domain="theirs.org", reseller_id=other)
    message = api.refused(
        "subscribers", 422, username="bob", password="s3cret-pw", customer_id=customer, domain="theirs.org"
    )
    assert "field='domain'" in message
    contact = api.make("customercontacts", email="a@b.org", reseller_id=other)
    assert "billing_profile_id" in api.refused("customers", 422, contact_id=contact["id"])
    moved = api.change(f"/api/customers/{customer}", contact_id=contact["id"])
    assert moved.status_code == 422
    assert "field='contact_id'" in moved.json()["message"]


def test_contacts_of_the_wrong_kind_are_refused(api: Api) -> None:
    ours = api.make("systemcontacts", email="a@example.org")["id"]
    theirs = api.make("customercontacts", email="b@example.org")["id"]
    assert "is no customercontact" in api.refused("customers", 422, contact_id=ours)
    assert "is no systemcontact" in api.refused("contracts", 422, contact_id=theirs, type="sippeering")
    assert "does not exist" in api.refused("customers", 422, contact_id=999)


def test_a_contact_in_use_stays(api: Api, customer: int) -> None:
    contact = api.get(f"/api/customers/{customer}")["contact_id"]
    response = api.ask("DELETE", f"/api/customercontacts/{contact}")
    assert response.status_code == 423
    assert response.json() == {"code": 423, "message": "Contact is still in use."}
    api.change(f"/api/customers/{customer}", status="terminated")
    assert api.ask("DELETE", f"/api/customercontacts/{contact}").status_code == 204
    assert api.ask("GET", f"/api/customercontacts/{contact}").status_code == 404


def test_a_resellers_contract_cannot_end_before_the_reseller(api: Api) -> None:
    contract = api.get("/api/resellers/")["_embedded"]["ngcp:resellers"][0]["contract_id"]
    assert api.change(f"/api/contracts/{contract}", status="terminated").status_code == 423


def test_nothing_is_born_terminated(api: Api, customer: int) -> None:
    contact = api.get(f"/api/customers/{customer}")["contact_id"]
    assert "field='status'" in api.refused("customers", 422, contact_id=contact, status="terminated")


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ({}, 422),
        ([1], 422),
        ([{"op": "jump", "path": "/email"}], 422),
        ([{"path": "/email"}], 422),
        ([{"op": "replace", "path": "/email"}], 422),
        ([{"op": "replace", "path": "/colour", "value": "red"}], 422),
        ([{"op": "add", "path": "/colour", "value": "red"}], 422),
        ([{"op": "remove", "path": "/email"}], 422),
        ([{"op": "test", "path": "/email", "value": "other@example.org"}], 422),
        ([{"op": "replace", "path": "email", "value": "x@example.org"}], 422),
        ([{"op": "replace", "path": "", "value": "x"}], 422),
        ([{"op": "copy", "from": "/nothing", "path": "/email"}], 422),
        ([{"op": "copy", "from": "/email/-", "path": "/company"}], 422),
        ([{"op": "test", "path": "/email", "value": "a@example.org"}], 200),
        ([{"op": "remove", "path": "/company"}], 200),
        ([{"op": "move", "from": "/company", "path": "/lastname"}], 200),
        ([{"op": "copy", "from": "/email", "path": "/company"}], 200),
        ([], 200),
    ],
)
def test_patches(api: Api, operations: object, status: int) -> None:
    contact = api.make("systemcontacts", email="a@example.org", company="C")
    response = api.patch(f"/api/systemcontacts/{contact['id']}", operations)
    assert response.status_code == status, response.text
    if status != 200:
        assert api.get(f"/api/systemcontacts/{contact['id']}") == contact


def test_a_patch_cannot_grow_an_entity_without_end(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer, alias_numbers=[{"cc": "43", "sn": str(n)} for n in range(50)])
    double = [{"op": "copy", "from": "/alias_numbers", "path": "/alias_numbers/-"}] * 60
    response = api.patch(f"/api/subscribers/{alice['id']}", double)
    assert response.status_code == 422
    assert "grows too large" in response.json()["message"]


INJECTIONS = (
    "' OR '1'='1",
    "1; DROP TABLE billing.domains",
    "x' UNION SELECT saltedpass FROM billing.admins -- ",
    "\\' OR 1=1 -- ",
    "%' OR '%'='",
    "*' OR '1'='1",
    "\0",
    "%c0%a7",
)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("field", ["domain", "id", "order_by"])
def test_sql_in_a_query_stays_text(api: Api, field: str, text: str) -> None:
    api.make("domains", domain="example.org")
    response = api.ask("GET", "/api/domains/", params={field: text})
    assert response.status_code == (200 if field == "domain" else 400)
    if field == "domain":
        assert response.json()["total_count"] == 0
    assert api.get("/api/domains/")["total_count"] == 1


@pytest.mark.parametrize("text", [*INJECTIONS[:-2], "%s%(x)s{}", "🤖"])
def test_sql_in_a_body_stays_text(api: Api, text: str) -> None:
    contact = api.make("systemcontacts", email="a@example.org", company=text)
    assert contact["company"] == text
    assert api.get("/api/systemcontacts/?company=nobody")["total_count"] == 0
