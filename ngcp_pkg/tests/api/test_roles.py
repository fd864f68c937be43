"""Resellers, customers' administrators and subscribers use the API, and nobody meets another's entities."""

from dataclasses import dataclass
from typing import Any

import bcrypt
import httpx
import pytest

from api.conftest import Api
from api.spool import BODIES as SPOKEN
from api.spool import spoken
from ngcp.api.roles import PERMISSIONS

PASSWORD = "reseller's own"
#: What is made of one's own, by resource: fields that refer to others are filled in.
OWN: dict[str, dict[str, object]] = {
    "customercontacts": {"email": "a@example.org", "reseller_id": "resellers"},
    "customers": {"contact_id": "customercontacts"},
    "domains": {"domain": "NAME.example", "reseller_id": "resellers"},
    "subscriberprofilesets": {"name": "NAME", "reseller_id": "resellers"},
    "subscriberprofiles": {"name": "NAME", "set_id": "subscriberprofilesets", "attributes": ["clir", "cli"]},
    "subscribers": {
        "username": "alice",
        "password": "s3cret-pw",
        "webusername": "alice",
        "webpassword": "alice's web",
        "customer_id": "customers",
        "domain_id": "domains",
        "profile_id": "subscriberprofiles",
    },
    "rewriterulesets": {"name": "NAME", "reseller_id": "resellers"},
    "rewriterules": {
        "set_id": "rewriterulesets",
        "match_pattern": "^0",
        "replace_pattern": "43",
        "direction": "in",
        "field": "caller",
    },
    "ncoslevels": {"level": "NAME", "mode": "blacklist", "reseller_id": "resellers"},
    "ncospatterns": {"ncos_level_id": "ncoslevels", "pattern": "^43"},
    "emergencymappingcontainers": {"name": "NAME", "reseller_id": "resellers"},
    "emergencymappings": {"emergency_container_id": "emergencymappingcontainers", "code": "112"},
    "soundsets": {"name": "NAME", "reseller_id": "resellers"},
    "soundfiles": {"set_id": "soundsets", "handle": "block_in", "filename": "a.wav", "use_parent": True},
    "cfdestinationsets": {"name": "NAME", "subscriber_id": "subscribers"},
    "cftimesets": {"name": "NAME", "subscriber_id": "subscribers"},
    "cfsourcesets": {"name": "NAME", "subscriber_id": "subscribers"},
    "cfbnumbersets": {"name": "NAME", "subscriber_id": "subscribers"},
    "reminders": {"subscriber_id": "subscribers", "time": "07:15"},
    "trustedsources": {"subscriber_id": "subscribers", "src_ip": "192.0.2.1", "protocol": "UDP"},
    "subscriberlocationmappings": {
        "subscriber_id": "subscribers",
        "location": "sip:NAME@192.0.2.1",
        "mode": "add",
    },
    "subscriberregistrations": {"subscriber_id": "subscribers", "contact": "sip:NAME@192.0.2.1"},
}
#: What a change of such a thing must say.
CHANGES: dict[str, dict[str, object]] = {"customerbalances": {"cash_balance": 1, "free_time_balance": 1}}
#: What is there with them.
DERIVED = {
    "subscriberpreferences": "subscribers",
    "customerpreferences": "customers",
    "customerbalances": "customers",
    "customerfraudpreferences": "customers",
    "domainpreferences": "domains",
    "profilepreferences": "subscriberprofiles",
    "resellerpreferences": "resellers",
    "callforwards": "subscribers",
    "cfmappings": "subscribers",
    "speeddials": "subscribers",
    "voicemailsettings": "subscribers",
}


@dataclass
class Tenant:
    """A reseller, somebody who works for it, and the numbers of what belongs to it, by resource."""

    api: Api
    login: str
    numbers: dict[str, int]

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        return self.api.ask(method, path, auth=(self.login, PASSWORD), **options)

    def fields(self, resource: str) -> dict[str, object]:
        """Return what one of these is made of."""
        given = OWN[resource].items()
        plain = {k: v.replace("NAME", self.login) if isinstance(v, str) else v for k, v in given}
        return {k: self.numbers.get(v, v) if isinstance(v, str) else v for k, v in plain.items()}


def tenant(api: Api, name: str) -> Tenant:
    contact = api.make("systemcontacts", email=f"{name}@example.org")["id"]
    contract = api.make("contracts", contact_id=contact, type="reseller")["id"]
    number = int(contract)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt()).decode()
    api.database.run(
        f"INSERT INTO billing.resellers (id, contract_id, name) VALUES ({number}, {contract}, '{name}')",
        "INSERT INTO billing.billing_profiles (reseller_id, handle, name, currency)"
        f" VALUES ({number}, 'default', 'default', 'EUR')",
        "INSERT INTO billing.admins (login, saltedpass, role_id, reseller_id)"
        f" SELECT '{name}', '{hashed}', id, {number} FROM billing.acl_roles WHERE role = 'reseller'",
    )
    made = Tenant(api, name, {"resellers": number})
    for resource in OWN:
        made.numbers[resource] = int(api.make(resource, **made.fields(resource))["id"])
    made.numbers |= {name: made.numbers[of] for name, of in DERIVED.items()}
    made.numbers["calls"] = call_of(made)
    made.numbers["voicemails"] = spoken(api, made.numbers["subscribers"], "INBOX")
    made.numbers["voicemailgreetings"] = spoken(api, made.numbers["subscribers"], "busy")
    return made


def call_of(tenant: Tenant) -> int:
    """Return the number of a call that its subscriber made."""
    nobody = {f"destination_{name}": 0 for name in ("user_id", "provider_id", "account_id")}
    uuid = f"SELECT uuid FROM billing.voip_subscribers WHERE id = {tenant.numbers['subscribers']}"
    columns: dict[str, object] = nobody | {
        "source_user_id": f"({uuid})",
        "source_provider_id": tenant.numbers["resellers"],
        "source_account_id": tenant.numbers["customers"],
        **dict.fromkeys(("source_user", "source_domain", "source_cli"), "''"),
        **dict.fromkeys((f"destination_{name}" for name in ("user", "domain", "user_dialed")), "''"),
        **dict.fromkeys((f"destination_{name}_in" for name in ("user", "domain")), "''"),
        **{"call_status": "'ok'", "call_code": 200, "call_id": f"'{tenant.login}'"},
        **dict.fromkeys(("init_time", "start_time", "duration"), 1),
    }
    values = ", ".join(map(str, columns.values()))
    ((number,),) = tenant.api.database.run(
        f"INSERT INTO accounting.cdr ({', '.join(columns)}) VALUES ({values}) RETURNING id"
    )
    assert isinstance(number, int)
    return number


@pytest.fixture
def ours(api: Api) -> Tenant:
    return tenant(api, "ours")


@pytest.fixture
def theirs(api: Api) -> Tenant:
    return tenant(api, "theirs")


def numbers_shown(response: httpx.Response, resource: str) -> list[int]:
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["_embedded"][f"ngcp:{resource}"]]


def test_a_reseller_meets_what_is_its_own_only(api: Api, ours: Tenant, theirs: Tenant) -> None:
    for resource, number in theirs.numbers.items():
        assert numbers_shown(ours.ask("GET", f"/api/{resource}/"), resource) == [ours.numbers[resource]]
        assert numbers_shown(ours.ask("GET", f"/api/{resource}/?id={number}"), resource) == []
        assert ours.ask("GET", f"/api/{resource}/{ours.numbers[resource]}").status_code == 200
        assert ours.ask("GET", f"/api/{resource}/{number}").status_code == 404
    for recordings, of in (("soundfilerecordings", "soundfiles"), ("voicemailrecordings", "voicemails")):
        assert ours.ask("GET", f"/api/{recordings}/{theirs.numbers[of]}").status_code == 404


def test_a_reseller_changes_nothing_of_anothers(api: Api, ours: Tenant, theirs: Tenant) -> None:
    for resource, number in theirs.numbers.items():
        path = f"/api/{resource}/{number}"
        before = api.get(path)
        body = ours.fields(resource) if resource in OWN else (SPOKEN | CHANGES).get(resource, {})
        for method, kind, content in (
            ("PUT", "application/json", body),
            ("PATCH", "application/json-patch+json", []),
            ("DELETE", "application/json", None),
        ):
            response = ours.ask(method, path, json=content, headers={"Content-Type": kind})
            assert response.status_code in (403, 404, 405), (method, path, response.text)
        assert api.get(path) == before


def test_a_reseller_makes_nothing_with_anothers(api: Api, ours: Tenant, theirs: Tenant) -> None:
    for resource, fields in OWN.items():
        mine, foreign = ours.fields(resource), theirs.fields(resource)
        for field, value in fields.items():
            if isinstance(value, str) and value in theirs.numbers:
                response = ours.ask("POST", f"/api/{resource}/", json=mine | {field: foreign[field]})
                assert response.status_code == 422, (resource, field, response.text)
                assert f"field='{field}'" in response.json()["message"]
                path = f"/api/{resource}/{ours.numbers[resource]}"
                moved = ours.ask("PUT", path, json=mine | {field: foreign[field]})
                assert moved.status_code in (422, 405), (resource, field, moved.text)


def test_a_reseller_works_with_its_own(api: Api, ours: Tenant, theirs: Tenant) -> None:
    made = ours.ask("POST", "/api/domains/", json={"domain": "more.example"})
    assert made.status_code == 201, made.text
    assert api.get(made.headers["Location"])["reseller_id"] == ours.numbers["resellers"]
    path = f"/api/subscriberpreferences/{ours.numbers['subscribers']}"
    assert ours.ask("PUT", path, json={"adm_ncos": "ours", "concurrent_max": 3}).status_code == 204
    assert ours.ask("PUT", path, json={"adm_ncos": "theirs"}).status_code == 422


@pytest.mark.parametrize("role", PERMISSIONS)
def test_what_is_not_for_a_role_is_forbidden(api: Api, ours: Tenant, role: str) -> None:
    login = login_of(api, ours, role)
    changed, read = PERMISSIONS[role]
    offered = {path.split("/")[2] for path in api.get("/api/")["paths"]}
    assert changed | read <= offered | {""}
    for name in offered - changed - read:
        assert api.ask("GET", f"/api/{name}/", auth=login).status_code == 403
    for name in (offered & read) - changed:
        assert api.ask("POST", f"/api/{name}/", auth=login, json={}).status_code == 403


def login_of(api: Api, ours: Tenant, role: str) -> tuple[str, str]:
    if role in ("reseller", "ccare", "ccareadmin"):
        number = f"SELECT id FROM billing.acl_roles WHERE role = '{role}'"
        api.database.run(f"UPDATE billing.admins SET role_id = ({number}) WHERE login = '{ours.login}'")
        return ours.login, PASSWORD
    if role == "subscriberadmin":
        api.database.run("UPDATE provisioning.voip_subscribers SET admin = 1")
    return "alice@ours.example", "alice's web"


def test_nobody_comes_in_of_whom_nothing_is_known(api: Api, ours: Tenant) -> None:
    api.database.run("UPDATE billing.admins SET reseller_id = NULL WHERE login = 'ours'")
    assert ours.ask("GET", "/api/domains/").status_code == 403
    api.database.run(
        "UPDATE billing.admins SET role_id = (SELECT id FROM billing.acl_roles WHERE role = 'lintercept')"
        " WHERE login = 'ours'"
    )
    assert ours.ask("GET", "/api/domains/").status_code == 403


def test_a_subscriber_meets_himself_only(api: Api, ours: Tenant, theirs: Tenant) -> None:
    login = login_of(api, ours, "subscriber")
    own, other = ours.numbers["subscribers"], theirs.numbers["subscribers"]
    shown = api.ask("GET", "/api/subscribers/", auth=login)
    assert numbers_shown(shown, "subscribers") == [own]
    assert "s3cret-pw" not in shown.text
    assert api.ask("GET", f"/api/subscriberpreferences/{other}", auth=login).status_code == 404
    assert api.ask("PUT", f"/api/subscriberpreferences/{other}", auth=login, json={}).status_code == 404


def test_a_subscriber_changes_his_own_call_forwards(api: Api, ours: Tenant, theirs: Tenant) -> None:
    login = login_of(api, ours, "subscriber")
    own, other = ours.numbers["subscribers"], theirs.numbers["subscribers"]
    forward = {"cfu": {"destinations": [{"destination": "voicebox"}]}}
    assert api.ask("PUT", f"/api/callforwards/{own}", auth=login, json=forward).is_success
    assert api.ask("PUT", f"/api/callforwards/{other}", auth=login, json=forward).status_code == 404
    foreign = {"cfu": [{"destinationset_id": theirs.numbers["cfdestinationsets"]}]}
    assert api.ask("PUT", f"/api/cfmappings/{own}", auth=login, json=foreign).status_code == 422
    values = {"name": "x", "subscriber_id": other}
    assert api.ask("POST", "/api/cfdestinationsets/", auth=login, json=values).status_code == 422


def test_a_customers_administrator_meets_all_its_subscribers(api: Api, ours: Tenant, theirs: Tenant) -> None:
    colleague = api.subscriber("bob", ours.numbers["customers"], domain="ours.example")["id"]
    login = login_of(api, ours, "subscriberadmin")
    expected = [ours.numbers["subscribers"], colleague]
    assert numbers_shown(api.ask("GET", "/api/subscribers/", auth=login), "subscribers") == expected
    path = f"/api/subscriberpreferences/{colleague}"
    assert api.ask("PUT", path, auth=login, json={"clir": True}).status_code == 204
    assert api.get(path)["clir"] is True


def test_a_subscriber_changes_what_is_exposed_and_in_his_profile(api: Api, ours: Tenant) -> None:
    login = login_of(api, ours, "subscriber")
    path = f"/api/subscriberpreferences/{ours.numbers['subscribers']}"
    api.change(path, concurrent_max=3, cli="431")

    assert api.ask("PUT", path, auth=login, json={"clir": True}).status_code == 204
    assert {name: api.get(path).get(name) for name in ("clir", "concurrent_max", "cli")} == {
        "clir": True,
        "concurrent_max": 3,
        "cli": "431",
    }
    shown = api.ask("GET", path, auth=login).json()
    assert shown["clir"] is True
    assert "concurrent_max" not in shown
    for name, value in (("concurrent_max", 9), ("cli", "432"), ("display_name", "Al"), ("gpp0", "x")):
        response = api.ask("PUT", path, auth=login, json={name: value})
        assert response.status_code == 403, response.text
        assert f"'{name}'" in response.json()["message"]
    assert api.ask("PUT", path, auth=login, json={"account_id": 1}).status_code == 422

    api.change(f"/api/subscriberprofiles/{ours.numbers['subscriberprofiles']}", catchall=True)
    assert api.ask("PUT", path, auth=login, json={"display_name": "Al"}).status_code == 204
    assert api.ask("PUT", path, auth=login, json={"cli": "432"}).status_code == 403


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "copy", "from": "/adm_block_out_override_pin", "path": "/clir"},
        {"op": "move", "from": "/adm_block_out_override_pin", "path": "/clir"},
        {"op": "copy", "from": "", "path": "/clir"},
        {"op": "test", "path": "", "value": "1234"},
        {"op": "test", "path": "/adm_block_out_override_pin", "value": "1234"},
        {"op": "remove", "path": "/adm_block_out_override_pin", "value": "1234"},
    ],
    ids=str,
)
def test_what_is_not_shown_is_not_found_out_by_patches(
    api: Api, ours: Tenant, operation: dict[str, str]
) -> None:
    path = f"/api/subscriberpreferences/{ours.numbers['subscribers']}"
    api.change(path, adm_block_out_override_pin="1234")
    options = {"headers": {"Content-Type": "application/json-patch+json"}, "json": [operation]}

    response = api.ask("PATCH", path, auth=login_of(api, ours, "subscriber"), **options)
    assert response.status_code in (403, 422)
    assert "1234" not in response.text
    assert api.get(path)["adm_block_out_override_pin"] == "1234"


def test_a_password_is_copied_to_no_field_that_is_shown(api: Api, ours: Tenant) -> None:
    path = f"/api/subscribers/{ours.numbers['subscribers']}"
    api.database.run("UPDATE billing.admins SET show_passwords = 0")
    operation = {"op": "copy", "from": "/password", "path": "/external_id"}
    assert api.patch(path, [operation]).status_code == 403
    assert api.change(path, password="another-pw").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing.voip_subscribers SET status = 'locked'",
        "UPDATE billing.contracts SET status = 'locked'",
        "UPDATE provisioning.voip_subscribers SET webpassword = NULL",
    ],
)
def test_a_subscriber_who_is_locked_stays_out(api: Api, ours: Tenant, change: str) -> None:
    login = login_of(api, ours, "subscriber")
    assert api.ask("GET", "/api/subscribers/", auth=login).status_code == 200
    api.database.run(change)
    assert api.ask("GET", "/api/subscribers/", auth=login).status_code == 401


@pytest.mark.parametrize(
    "login",
    ["alice", "alice@", "@ours.example", "alice@theirs", "ALICE@ours.example", "' OR 1=1 -- @ours.example"],
)
def test_a_web_login_needs_its_domain(api: Api, ours: Tenant, login: str) -> None:
    assert api.ask("GET", "/api/subscribers/", auth=(login, "alice's web")).status_code == 401
