"""The platform's conventions, the same for all resources."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.conftest import PATCH, SHOW, Api
from ngcp.api.gate import MAXIMUM_BODY

RESOURCES = (
    "resellers",
    "billingprofiles",
    "systemcontacts",
    "customercontacts",
    "contracts",
    "customers",
    "customerbalances",
    "customerfraudpreferences",
    "customerfraudevents",
    "domains",
    "subscribers",
    "subscriberregistrations",
    "callforwards",
    "cfmappings",
    "cfdestinationsets",
    "cftimesets",
    "cfsourcesets",
    "cfbnumbersets",
    "reminders",
    "speeddials",
    "trustedsources",
    "subscriberlocationmappings",
    "calls",
    "voicemails",
    "voicemailsettings",
    "voicemailgreetings",
)


@pytest.fixture
def domains(api: Api) -> list[int]:
    return [int(api.make("domains", domain=f"d{number}.example.org")["id"]) for number in range(5)]


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_has_its_list(api: Api, name: str) -> None:
    response = api.ask("GET", f"/api/{name}/")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/hal+json")
    content = response.json()
    assert content["_links"]["self"] == {"href": f"/api/{name}/?page=1&rows=10"}
    assert content["_links"]["curies"][0]["name"] == "ngcp"
    assert content["_links"]["profile"] == {"href": "http://purl.org/sipwise/ngcp-api/"}
    assert isinstance(content["_embedded"][f"ngcp:{name}"], list)
    assert content["total_count"] == len(content["_embedded"][f"ngcp:{name}"])


@pytest.mark.parametrize("name", RESOURCES)
def test_a_forgotten_slash_is_forgiven(api: Api, name: str) -> None:
    response = api.ask("GET", f"/api/{name}?rows=2")
    assert response.status_code == 301
    assert response.headers["Location"] == f"/api/{name}/?rows=2"


def test_pages_are_linked(api: Api, domains: list[int]) -> None:
    content = api.get("/api/domains/?page=2&rows=2&order_by=domain&order_by_direction=desc")
    rest = "rows=2&order_by=domain&order_by_direction=desc"
    assert [one["domain"] for one in content["_embedded"]["ngcp:domains"]] == [
        "d2.example.org",
        "d1.example.org",
    ]
    assert content["total_count"] == 5
    assert content["_links"]["prev"]["href"] == f"/api/domains/?page=1&{rest}"
    assert content["_links"]["next"]["href"] == f"/api/domains/?page=3&{rest}"
    assert "next" not in api.get(content["_links"]["next"]["href"])["_links"]
    assert "prev" not in api.get(content["_links"]["prev"]["href"])["_links"]


def test_the_whole_need_not_be_counted(api: Api, domains: list[int]) -> None:
    assert "total_count" not in api.get("/api/domains/?no_count=true")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "rows=0",
        "rows=-1",
        "rows=x",
        "rows=",
        "page=99999999999999999999",
        "rows=100000",
        "rows=٣",
        "order_by=nothing",
        "order_by=id;DROP",
        "order_by_direction=up",
        "colour=red",
        "reseller_id=x",
    ],
)
def test_a_bad_query_is_400(api: Api, query: str) -> None:
    response = api.ask("GET", f"/api/domains/?{query}")
    assert response.status_code == 400
    assert response.json()["code"] == 400


def test_unknown_query_parameters_with_an_underscore_are_for_others(api: Api) -> None:
    assert api.ask("GET", "/api/domains/?_skip_sip_reload=1").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("domain=d1.example.org", ["d1.example.org"]),
        ("domain=*1.EXAMPLE*", []),
        ("domain=*1.example*", ["d1.example.org"]),
        ("domain=d%25", []),
        ("domain=d_.example.org", []),
        ("domain=NULL", []),
        ("domain=d1.example.org&reseller_id=99", []),
    ],
)
def test_filters(api: Api, domains: list[int], query: str, found: list[str]) -> None:
    content = api.get(f"/api/domains/?{query}")
    assert [one["domain"] for one in content["_embedded"]["ngcp:domains"]] == found
    assert content["total_count"] == len(found)


def test_created_is_located(api: Api) -> None:
    response = api.ask("POST", "/api/domains/", json={"domain": "example.org"})
    assert response.status_code == 201
    assert response.content == b""
    assert response.headers["Preference-Applied"] == "return=minimal"
    assert api.get(response.headers["Location"])["domain"] == "example.org"


def test_an_item_links_to_what_it_belongs_to(api: Api, domains: list[int]) -> None:
    item = api.get(f"/api/domains/{domains[0]}")
    assert item["_links"]["self"] == {"href": f"/api/domains/{domains[0]}"}
    assert item["_links"]["collection"] == {"href": "/api/domains/"}
    assert api.get(item["_links"]["ngcp:resellers"]["href"])["name"] == "default"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("wanted", ["minimal", "representation"])
def test_changes_are_shown_if_preferred(api: Api, method: str, wanted: str) -> None:
    contact = api.make("systemcontacts", email="a@example.org")
    change = {"email": "b@example.org"}
    content = change if method == "PUT" else [{"op": "replace", "path": "/email", "value": "b@example.org"}]
    response = api.ask(
        method,
        f"/api/systemcontacts/{contact['id']}",
        content=json.dumps(content),
        headers={
            "Content-Type": "application/json" if method == "PUT" else PATCH,
            "Prefer": f"respond-async, return={wanted}",
        },
    )
    assert response.status_code == (200 if wanted == "representation" else 204)
    assert response.headers["Preference-Applied"] == f"return={wanted}"
    assert (response.json()["email"] if response.content else "") in ("b@example.org", "")
    assert api.get(f"/api/systemcontacts/{contact['id']}")["email"] == "b@example.org"


def test_an_unknown_preference_is_refused_before_anything_is_done(api: Api) -> None:
    response = api.ask("POST", "/api/domains/", json={"domain": "a.org"}, headers={"Prefer": "return=all"})
    assert response.status_code == 400
    assert response.json()["message"] == (
        "Header 'Prefer' must be either 'return=minimal' or 'return=representation'."
    )
    assert api.database.run("SELECT * FROM billing.domains") == []


def test_what_was_read_can_be_put_back(api: Api, customer: int) -> None:
    alice = api.subscriber("alice", customer, primary_number={"cc": "43", "sn": "1"}, webusername="ali")
    response = api.ask("PUT", f"/api/subscribers/{alice['id']}", json=alice, headers=SHOW)
    assert response.status_code == 200
    assert response.json() == alice


def test_put_resets_what_is_not_given(api: Api) -> None:
    contact = api.make("systemcontacts", email="a@example.org", company="Old")
    api.ask("PUT", f"/api/systemcontacts/{contact['id']}", json={"email": "a@example.org"})
    assert api.get(f"/api/systemcontacts/{contact['id']}")["company"] is None


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/domains/", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/api/domains/1", "GET, HEAD, OPTIONS, DELETE"),
        ("POST", "/api/soundgroups/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/customers/1", "GET, HEAD, OPTIONS, PUT, PATCH"),
        ("POST", "/api/subscribers/1", "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"),
        ("DELETE", "/api/", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_405(api: Api, method: str, path: str, allowed: str) -> None:
    response = api.ask(method, path, headers={"Content-Type": "application/json"})
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed
    assert response.json()["code"] == 405


def test_options_say_what_can_be_posted(api: Api) -> None:
    response = api.ask("OPTIONS", "/api/domains/")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert response.headers["Accept-Post"] == (
        'application/hal+json; profile="http://purl.org/sipwise/ngcp-api/#rel-domains"'
    )
    assert response.json() == {"methods": ["GET", "HEAD", "OPTIONS", "POST"]}
    assert "Accept-Post" not in api.ask("OPTIONS", "/api/soundgroups/").headers


def test_head_is_get_without_body(api: Api, domains: list[int]) -> None:
    assert api.ask("HEAD", "/api/domains/").status_code == 200
    assert api.ask("HEAD", f"/api/domains/{domains[0]}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/api/domains/999", 404, "Entity 'domain' not found."),
        ("/api/domains/99999999999999999999999999", 404, "Entity 'domain' not found."),
        ("/api/domains/abc", 400, "Invalid id in request URI"),
        ("/api/domains/1 OR 1=1", 400, "Invalid id in request URI"),
        ("/api/nothing/", 404, "Not Found"),
        ("/", 404, "Not Found"),
    ],
)
def test_what_is_not_there(api: Api, path: str, status: int, message: str) -> None:
    response = api.ask("GET", path)
    assert (response.status_code, response.json()) == (status, {"code": status, "message": message})


@pytest.mark.parametrize(
    ("method", "sent", "accepted"),
    [
        ("POST", "text/plain", "application/json"),
        ("POST", None, "application/json"),
        ("PUT", "application/xml", "application/json"),
        ("PATCH", "application/json", "application/json-patch+json"),
    ],
)
def test_other_media_types_are_415(api: Api, method: str, sent: str | None, accepted: str) -> None:
    headers = {"Content-Type": sent} if sent else {}
    response = api.ask(method, "/api/domains/", content=b"{}", headers=headers)
    assert response.status_code == 415
    assert response.json()["message"] == (
        f"Unsupported media type '{sent or 'undefined'}', accepting {accepted} only."
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "This request is missing a message body."),
        (b"{", "The entity is not a well-formed JSON document."),
        (b'{"domain": "\xff"}', "parsing the body"),
        (b"[" * 100_000, "parsing the body"),
    ],
    ids=["empty", "cut", "not-utf8", "deep"],
)
def test_what_is_no_json_is_400(api: Api, body: bytes, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.ask("POST", "/api/domains/", content=body, headers=headers)
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_a_body_of_more_than_a_mebibyte_is_413(api: Api) -> None:
    content: Any = {"domain": "x" * MAXIMUM_BODY}
    assert api.ask("POST", "/api/domains/", json=content).status_code == 413


def test_an_unannounced_body_is_bounded_too(api: Api) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536
        pytest.fail("read to the end")

    headers = {"Content-Type": "application/json"}
    assert api.ask("POST", "/api/domains/", content=endless(), headers=headers).status_code == 413


def test_the_api_describes_itself(api: Api) -> None:
    document = api.get("/api/")
    assert document["openapi"].startswith("3.")
    for name in RESOURCES:
        assert f"/api/{name}/" in document["paths"]
    post = document["paths"]["/api/subscribers/"]["post"]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert "primary_number" in document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    assert document["components"]["securitySchemes"] == {"basic": {"type": "http", "scheme": "basic"}}
    assert set(document["paths"]["/api/domains/{number}"]) == {"get", "delete"}
    query = {one["name"] for one in document["paths"]["/api/subscribers/"]["get"]["parameters"]}
    assert {"page", "rows", "username", "alias_number"} <= query
    assert "password" not in query


def test_a_lost_database_is_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.database.run("RENAME TABLE billing.domains TO billing.gone")
    try:
        response = api.ask("GET", "/api/domains/")
    finally:
        api.database.run("RENAME TABLE billing.gone TO billing.domains")
    assert response.status_code == 503
    assert response.json() == {"code": 503, "message": "Database is unavailable."}


def test_a_mistake_of_ours_is_500_and_says_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngcp.api.hal.collection", lambda *_: 1 / 0)
    response = api.ask("GET", "/api/domains/")
    assert response.status_code == 500
    assert response.json() == {"code": 500, "message": "Internal Server Error"}
