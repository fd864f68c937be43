"""Nobody sees or changes what is not his, whatever resource it is of (roles and owners: api/access.py)."""

import io
import zipfile

import pytest

from api.conftest import Api
from api.spool import BODIES as SPOKEN
from api.spool import spoken
from api.tenants import BODIES, PASSWORD, Tenant
from ngcp.api.bans import make_bans
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.ported import NUMBERS
from ngcp.api.preferences import DEFINITIONS
from ngcp.api.proxy import ProxyControl
from ngcp.api.resource import Kind, Resource
from ngcp.api.resources import make_resources, make_tenancy
from ngcp.api.roles import PERMISSIONS, may
from ngcp.api.sounds import FILES
from ngcp.api.voicemail import VOICEMAIL
from ngcp.provisioning.principals import Root

RESOURCES = (*make_resources(ProxyControl("http://127.0.0.1:9/RPC2")), NUMBERS, FILES, *VOICEMAIL)
KINDS: tuple[Kind, ...] = (
    *RESOURCES,
    *DEFINITIONS,
    *make_bans(LoadBalancerControl("http://127.0.0.1:9/RPC2", attempts=3)),
)
#: Entities that come and go with a subscriber, a domain …: their numbers are those of their owners.
WITH_THEIR_OWNER = {
    "callforwards": "subscriber",
    "cfmappings": "subscriber",
    "speeddials": "subscriber",
    "subscriberpreferences": "subscriber",
    "voicemailsettings": "subscriber",
    "domainpreferences": "domain",
    "customerpreferences": "customer",
    "customerbalances": "customer",
    "customerfraudpreferences": "customer",
    "resellerpreferences": "reseller",
}
#: Bodies of what can be changed, and not made.
CHANGES: dict[str, dict[str, object]] = {
    "customerbalances": {"cash_balance": 1, "free_time_balance": 1},
    "customerfraudpreferences": {},
}
#: Roles that see what is their own only, and what that begins with.
HOMES = {"reseller": "resellers", "subscriberadmin": "customers", "subscriber": "subscribers"}
ROLES = tuple(HOMES)
#: The provider's, and the same for everybody.
FOR_ALL = ("soundgroups", "soundhandles", "lnpcarriers")


#: What callers and subscribers have spoken, and where in the spool that is.
KINDS_SPOKEN = {"voicemails": "INBOX", "voicemailgreetings": "busy"}


@pytest.fixture
def tenants(api: Api) -> tuple[Tenant, Tenant]:
    return Tenant(api, "red"), Tenant(api, "green")


def number_of(tenant: Tenant, resource: Resource) -> int:
    """Return the number of an entity of the tenant's, made if need be."""
    if resource.name in WITH_THEIR_OWNER:
        return int(getattr(tenant, WITH_THEIR_OWNER[resource.name]))
    if resource.name == "profilepreferences":
        return tenant.make("subscriberprofiles")
    if resource.name == "peeringserverpreferences":
        return tenant.make("peeringservers")
    if resource.name in ("soundgroups", "soundhandles"):
        return 1
    if resource.name == "customerfraudevents":
        return tenant.exceed_limit()
    if resource.name == "numbers":
        found = tenant.api.get(f"/api/numbers/?subscriber_id={tenant.subscriber}")
        return int(found["_embedded"]["ngcp:numbers"][0]["id"])
    if resource.name in KINDS_SPOKEN:
        return spoken(tenant.api, tenant.subscriber, KINDS_SPOKEN[resource.name])
    return tenant.make(resource.name)


#: What is in no table, or asked for in other ways than the rest.
OF_NO_STORE = {
    *("", "activecalls", "admincerts", "calllists", "calls", "conversations"),
    *("soundfilerecordings", "voicemailrecordings"),
}


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.name)
def test_what_a_role_may_use_leads_to_what_is_its_own(kind: Resource) -> None:
    tenancy = make_tenancy(RESOURCES)
    for role, home in HOMES.items():
        if may(role, "GET", kind.path) and kind.name not in FOR_ALL:
            condition = tenancy.condition(kind.name, Root(home, 1))
            assert str(condition) != "false", (role, kind.name)


def test_what_roles_are_allowed_is_about_resources() -> None:
    named = {name for changed, read in PERMISSIONS.values() for name in (*changed, *read)}
    assert named - {kind.name for kind in KINDS} == OF_NO_STORE


def test_nobody_sees_what_is_anothers(tenants: tuple[Tenant, Tenant]) -> None:
    mine, other = tenants
    seen: list[tuple[object, ...]] = []
    for resource in RESOURCES:
        if resource.name in FOR_ALL:
            continue
        number = number_of(other, resource)
        path = f"/api/{resource.name}/{number}"
        for role in ROLES:
            login = mine.login(role)
            response = mine.api.ask("GET", path, auth=login)
            if response.status_code not in (403, 404):
                seen.append((role, path, response.status_code))
            listed = mine.api.ask("GET", f"/api/{resource.name}/?rows=1000", auth=login)
            if listed.status_code == 200:
                found = listed.json()["_embedded"][f"ngcp:{resource.name}"]
                if number in [one["id"] for one in found]:
                    seen.append((role, resource.name, "listed"))
            else:
                assert listed.status_code == 403
    assert seen == []


def test_nobody_changes_or_removes_what_is_anothers(tenants: tuple[Tenant, Tenant]) -> None:
    mine, other = tenants
    done = []
    for resource in RESOURCES:
        path = f"/api/{resource.name}/{number_of(other, resource)}"
        body = (SPOKEN | CHANGES).get(resource.name, {"subscriber_id": 1})
        if resource.name in BODIES:
            body = BODIES[resource.name](other)
        for role in ROLES:
            for method in ("PUT", "PATCH", "DELETE"):
                patch = {"Content-Type": "application/json-patch+json"}
                options = {"content": "[]", "headers": patch} if method == "PATCH" else {"json": body}
                response = mine.api.ask(method, path, auth=mine.login(role), **options)
                if response.status_code not in (403, 404, 405):
                    done.append((role, method, path, response.status_code))
    assert done == []


def test_nobody_refers_to_what_is_anothers(tenants: tuple[Tenant, Tenant]) -> None:
    mine, other = tenants
    done = []
    for resource in RESOURCES:
        if resource.name not in BODIES:
            continue
        body = BODIES[resource.name](other)
        for role in ROLES:
            response = mine.api.ask("POST", f"/api/{resource.name}/", json=body, auth=mine.login(role))
            if response.status_code not in (403, 422):
                done.append((role, resource.name, response.status_code, response.text))
    assert done == []


def test_reseller_works_with_what_is_his(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    failed = []
    for resource in RESOURCES:
        if not may("reseller", "GET", resource.path) or resource.name in FOR_ALL:
            continue
        number = mine.reseller if resource.name == "resellers" else number_of(mine, resource)
        response = mine.api.ask("GET", f"/api/{resource.name}/{number}", auth=mine.admin)
        if response.status_code != 200:
            failed.append((resource.name, response.text))
    assert failed == []


def test_new_entities_of_a_reseller_are_his(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    response = mine.api.ask("POST", "/api/domains/", json={"domain": "new.test"}, auth=mine.admin)
    assert response.status_code == 201
    made = mine.api.get(response.headers["Location"])
    assert made["reseller_id"] == mine.reseller


def test_subscriber_manages_his_own_forwards_only(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    login = mine.login("subscriber")
    own = f"/api/callforwards/{mine.subscriber}"
    body = {"cfu": {"destinations": [{"destination": "voicebox"}]}}
    assert mine.api.ask("PUT", own, json=body, auth=login).status_code == 204
    colleague = f"/api/callforwards/{mine.other_subscriber}"
    assert mine.api.ask("PUT", colleague, json=body, auth=login).status_code == 404
    assert mine.api.ask("PUT", colleague, json=body, auth=mine.login("subscriberadmin")).status_code == 204


def test_passwords_are_not_shown_to_subscribers(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    path = f"/api/subscribers/{mine.subscriber}"
    assert mine.api.ask("GET", path, auth=mine.admin).json()["password"] == PASSWORD
    assert "password" not in mine.api.ask("GET", path, auth=mine.login("subscriber")).json()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"role": "admin"}, 403),
        ({"role": "system"}, 403),
        ({"role": "ccare"}, 201),
        ({"reseller_id": 1}, 422),
    ],
)
def test_reseller_gives_no_more_rights_than_he_has(
    tenants: tuple[Tenant, Tenant], fields: dict[str, object], status: int
) -> None:
    mine, _ = tenants
    body = {"login": "new-one", "password": PASSWORD, "role": "reseller"} | fields
    response = mine.api.ask("POST", "/api/admins/", json=body, auth=mine.admin)
    assert response.status_code == status, response.text


def test_who_is_no_master_changes_his_own_password_only(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    number = mine.make("admins")
    login = (f"{mine.name}-second", PASSWORD)
    patch = [{"op": "add", "path": "/password", "value": "another-one"}]
    others = mine.api.ask("GET", "/api/admins/", auth=login).json()["_embedded"]["ngcp:admins"]
    [master] = [one["id"] for one in others if one["id"] != number]
    for path, operations, status in (
        (f"/api/admins/{master}", patch, 403),
        (f"/api/admins/{number}", [{"op": "replace", "path": "/is_master", "value": True}], 403),
        (f"/api/admins/{number}", patch, 204),
    ):
        headers = {"Content-Type": "application/json-patch+json"}
        response = mine.api.ask("PATCH", path, json=operations, headers=headers, auth=login)
        assert response.status_code == status, response.text
    assert mine.api.ask("GET", "/api/admins/", auth=(login[0], "another-one")).status_code == 200


INJECTIONS = ("' OR 1=1 -- ", "1; DROP TABLE billing.domains", '" UNION SELECT 1 -- ', "\\' OR 'x'='x", "%27")


def test_nothing_that_is_asked_for_is_taken_for_sql(tenants: tuple[Tenant, Tenant]) -> None:
    mine, other = tenants
    number_of(other, RESOURCES[0])
    odd = []
    for kind in KINDS:
        if kind.name.endswith("defs") or kind.name.startswith("banned"):
            continue
        for name in (*kind.filters, "order_by", "order_by_direction", "page", "rows", "nothing"):
            for text in INJECTIONS[:3]:
                response = mine.api.ask("GET", f"/api/{kind.name}/", params={name: text})
                if response.status_code == 200:
                    rows = response.json()["total_count"]
                    if rows:
                        odd.append((kind.name, name, text, rows))
                elif response.status_code != 400:
                    odd.append((kind.name, name, text, response.status_code))
    assert odd == []
    assert mine.api.get("/api/domains/")["total_count"] == 2


def test_number_moves_to_another_subscriber(tenants: tuple[Tenant, Tenant]) -> None:
    mine, other = tenants
    api, subscriber = mine.api, f"/api/subscribers/{mine.subscriber}"
    alias = {"cc": "43", "ac": "1", "sn": "99", "is_devid": False}
    assert api.change(subscriber, alias_numbers=[alias]).status_code == 200
    numbers = api.get(f"/api/numbers/?subscriber_id={mine.subscriber}&sn=99")
    [number] = numbers["_embedded"]["ngcp:numbers"]
    path = f"/api/numbers/{number['id']}"

    def move(to: int) -> int:
        body = {"subscriber_id": to}
        return api.ask("PUT", path, json=body, auth=mine.admin).status_code

    assert move(other.subscriber) == 422
    assert move(mine.other_subscriber) == 204
    assert api.get(subscriber)["alias_numbers"] == []
    moved = api.get(path)
    assert api.owner_seen("43199", "red.test") == ("boss", "red.test")
    primary = api.get(f"/api/numbers/?subscriber_id={mine.subscriber}")["_embedded"]["ngcp:numbers"][0]
    body = {"subscriber_id": mine.other_subscriber}
    assert api.ask("PUT", f"/api/numbers/{primary['id']}", json=body).status_code == 423
    assert moved["is_primary"] is False


@pytest.mark.parametrize(
    ("login", "status"),
    [
        ("red-admin", 200),
        ("red-second", 200),
        ("red-care", 200),
        ("red-boss", 403),
        ("green-admin", 422),
        ("administrator", 422),
        ("nobody", 422),
    ],
)
def test_certificates_are_for_those_whom_one_manages(
    tenants: tuple[Tenant, Tenant], login: str, status: int
) -> None:
    mine, _ = tenants
    mine.make("admins")
    for name, role in (("red-care", "ccare"), ("red-boss", "admin")):
        mine.api.make("admins", login=name, password=PASSWORD, role=role, reseller_id=mine.reseller)
    response = mine.api.ask("POST", "/api/admincerts/", json={"login": login}, auth=mine.admin)
    assert response.status_code == status, response.text
    if status == 200:
        assert zipfile.ZipFile(io.BytesIO(response.content)).namelist()[0].startswith("NGCP-API-client-cert")


def test_who_is_no_master_gets_a_certificate_of_his_own_only(tenants: tuple[Tenant, Tenant]) -> None:
    mine, _ = tenants
    mine.make("admins")
    login = ("red-second", PASSWORD)
    for wanted, status in (("red-second", 200), ("red-admin", 403)):
        response = mine.api.ask("POST", "/api/admincerts/", json={"login": wanted}, auth=login)
        assert response.status_code == status
    assert mine.api.ask("GET", "/api/admincerts/", auth=login).status_code == 405
