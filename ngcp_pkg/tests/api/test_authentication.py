"""Who gets in."""

import asyncio
import base64
import threading
from dataclasses import replace

import bcrypt
import httpx
import pytest

from api.conftest import ADMINISTRATOR, Api
from ngcp.api import authentication, failures
from private_mariadb import ADMINISTRATOR_PASSWORD


def basic(text: bytes) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text).decode()}"}


def hash_of(password: bytes) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt()).decode()


HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer abc"},
    {"Authorization": "Basic"},
    {"Authorization": "Basic !!!"},
    basic(b"administrator"),
    basic(b"administrator:wrong"),
    basic(b"administrator:"),
    basic(b"Administrator:" + ADMINISTRATOR_PASSWORD.encode()),
    basic(b"nobody:" + ADMINISTRATOR_PASSWORD.encode()),
    basic(b"administrator:" + ADMINISTRATOR_PASSWORD.encode() + b"\0"),
    basic(b"administrator:" + b"x" * 100),
    basic(b"' OR '1'='1:" + ADMINISTRATOR_PASSWORD.encode()),
    basic(b"\xff\xfe:x"),
)


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: headers.get("Authorization", "none")[:30])
def test_wrong_password_is_401(api: Api, headers: dict[str, str]) -> None:
    response = api.ask("GET", "/api/domains/", headers=headers, auth=None)
    assert response.status_code == 401
    assert response.json() == {"code": 401, "message": "Authorization required."}
    assert response.headers["WWW-Authenticate"] == 'Basic realm="api_admin_http", charset="UTF-8"'


def test_subscribers_have_a_realm_of_their_own(api: Api) -> None:
    response = api.ask("GET", "/api/domains/", auth=("alice@example.org", "wrong"))
    assert response.headers["WWW-Authenticate"] == 'Basic realm="api_subscriber_http", charset="UTF-8"'


def test_who_guesses_is_kept_waiting(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """From elsewhere, and who was right before, the same login goes on."""
    monkeypatch.setattr(failures, "OF_LOGIN", 3)
    for _ in range(3):
        assert api.ask("GET", "/api/domains/", auth=("administrator", "guess")).status_code == 401
    response = api.ask("GET", "/api/domains/", auth=("administrator", "another guess"))
    assert response.status_code == 403
    assert response.json()["message"] == "Too many failed logins, try again later."
    assert 0 < int(response.headers["Retry-After"]) <= failures.BAN
    assert api.ask("GET", "/api/domains/", auth=("someone", "else")).status_code == 401
    assert replace(api, address="192.0.2.1").ask("GET", "/api/domains/").status_code == 200
    assert api.ask("GET", "/api/domains/").status_code == 200


@pytest.mark.parametrize("path", ["/api/", "/api/nothing/", "/", "/api/domains/1"])
def test_nothing_is_shown_to_strangers(api: Api, path: str) -> None:
    assert api.ask("GET", path, auth=None).status_code == 401
    assert api.ask("OPTIONS", path, auth=None).status_code == 401


def test_the_right_password_is_hashed_once_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[bytes] = []

    def check(password: bytes, hashed: bytes) -> bool:
        checks.append(password)
        return bcrypt.hashpw(password, hashed) == hashed

    monkeypatch.setattr(bcrypt, "checkpw", check)
    api.database.run(f"UPDATE billing.admins SET saltedpass = '{hash_of(b'new one')}'")
    for _ in range(5):
        assert api.ask("GET", "/api/domains/", auth=("administrator", "new one")).status_code == 200
    assert checks == [b"new one"]


def test_a_changed_password_is_asked_for_at_once(api: Api) -> None:
    api.get("/api/domains/")
    api.database.run(f"UPDATE billing.admins SET saltedpass = '{hash_of(b'changed it')}'")
    assert api.ask("GET", "/api/domains/").status_code == 401
    assert api.ask("GET", "/api/domains/", auth=("administrator", "changed it")).status_code == 200


@pytest.mark.parametrize("change", ["is_active = 0", "saltedpass = 'no hash'"])
def test_a_disabled_administrator_stays_out(api: Api, change: str) -> None:
    api.get("/api/domains/")
    api.database.run(f"UPDATE billing.admins SET {change}")
    assert api.ask("GET", "/api/domains/").status_code == 401


def test_a_resellers_administrator_is_not_let_in(api: Api) -> None:
    api.database.run(
        "UPDATE billing.admins SET role_id = (SELECT id FROM billing.acl_roles WHERE role = 'reseller')"
    )
    assert api.ask("GET", "/api/domains/").status_code == 403


def test_a_reading_administrator_changes_nothing(api: Api) -> None:
    api.database.run("UPDATE billing.admins SET read_only = 1")
    assert api.ask("GET", "/api/domains/").status_code == 200
    assert api.ask("POST", "/api/domains/", json={"domain": "example.org"}).status_code == 403
    assert api.database.run("SELECT * FROM billing.domains") == []


def test_passwords_are_shown_to_those_who_may_see_them(api: Api, customer: int) -> None:
    path = f"/api/subscribers/{api.subscriber('alice', customer)['id']}"
    assert api.get(path)["password"] == "s3cret-pw"
    api.database.run("UPDATE billing.admins SET show_passwords = 0")
    assert "s3cret-pw" not in api.ask("GET", path).text
    assert api.change(path, external_id="X").json()["external_id"] == "X"
    assert api.database.run("SELECT password FROM kamailio.subscriber") == [("s3cret-pw",)]


def test_a_flood_of_logins_does_not_pile_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bounded queue logins are turned away; one that was right before still gets in."""
    is_full = threading.Event()
    monkeypatch.setattr(authentication, "QUEUE", 2)
    api.get("/api/domains/")
    monkeypatch.setattr(authentication, "_verify", lambda *_: not is_full.wait(30.0))

    async def flood() -> list[int]:
        transport = httpx.ASGITransport(api.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://node") as client:

            async def ask(auth: tuple[str, str]) -> int:
                answer = await client.get("/api/domains/", auth=auth)
                if answer.status_code == 503:
                    is_full.set()
                return answer.status_code

            guesses = [ask(("administrator", f"guess {n}")) for n in range(6)]
            return await asyncio.gather(*guesses, ask(ADMINISTRATOR))

    *guessed, known = api.runner.run(flood())
    assert set(guessed) == {401, 503}
    assert known == 200
