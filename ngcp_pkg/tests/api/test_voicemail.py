"""Voicemail over REST: messages, their sounds, settings of mailboxes, greetings."""

from typing import Any

import httpx
import pytest

from api.conftest import SHOW, Api
from api.spool import CALLER, SPOKEN, TIME, spoken, uuid_of
from ngcp.api.gate import UPLOADS
from ngcp.audio.wav import header, write

GREETING = write(bytes(range(256)) * 32)
OTHER = write(bytes(1600))
WAV = {"Content-Type": "audio/x-wav", **SHOW}


@pytest.fixture
def alice(api: Api) -> int:
    api.make("domains", domain="example.org")
    return int(api.subscriber("alice", api.customer())["id"])


@pytest.fixture
def bob(api: Api, alice: int) -> int:
    return int(api.subscriber("bob", api.customer())["id"])


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/api/voicemails/?{query}")["_embedded"]["ngcp:voicemails"]
    return found


# Messages


def test_a_message_is_shown_with_what_is_known_of_it(api: Api, alice: int) -> None:
    number = spoken(api, alice, "INBOX")
    shown = api.get(f"/api/voicemails/{number}")
    links = shown.pop("_links")
    assert shown == {
        "id": number,
        "subscriber_id": alice,
        "folder": "INBOX",
        "caller": CALLER,
        "time": "2023-11-14 22:13:20",
        "duration": 7,
        "call_id": "call-1",
    }
    assert links["ngcp:subscribers"] == {"href": f"/api/subscribers/{alice}"}
    assert links["ngcp:voicemailrecordings"] == {"href": f"/api/voicemailrecordings/{number}"}


def test_messages_are_listed_by_owner_and_folder(api: Api, alice: int, bob: int) -> None:
    first, second = spoken(api, alice, "INBOX"), spoken(api, alice, "Old", time=TIME - 60)
    third = spoken(api, bob, "INBOX")
    spoken(api, bob, "busy")

    assert [one["id"] for one in listed(api)] == [first, second, third]
    assert [one["id"] for one in listed(api, f"subscriber_id={alice}")] == [first, second]
    assert [one["id"] for one in listed(api, f"subscriber_id={alice}&folder=Old")] == [second]
    assert [one["id"] for one in listed(api, "order_by=time")] == [second, first, third]


def test_the_recording_is_what_was_spoken(api: Api, alice: int) -> None:
    number = spoken(api, alice, "INBOX")
    response = api.ask("GET", f"/api/voicemailrecordings/{number}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/x-wav"
    assert response.headers["Content-Disposition"] == f'attachment; filename="voicemail-{number}.wav"'
    assert response.content == SPOKEN
    assert api.get(f"/api/voicemails/{number}")["folder"] == "INBOX", "who looks has not heard it"
    refused = api.ask("GET", f"/api/voicemailrecordings/{number}?format=mp3")
    assert refused.status_code == 422
    assert "field='format'" in refused.json()["message"]


@pytest.mark.parametrize("path", ["voicemails/4711", "voicemailrecordings/4711", "voicemailgreetings/4711"])
def test_what_is_not_there(api: Api, path: str) -> None:
    assert api.ask("GET", f"/api/{path}").status_code == 404


def test_recordings_lead_to_messages_only(api: Api, alice: int) -> None:
    number = spoken(api, alice, "busy")
    assert api.ask("GET", f"/api/voicemailrecordings/{number}").status_code == 404
    assert api.ask("GET", f"/api/voicemails/{number}").status_code == 404
    message = spoken(api, alice, "Old")
    assert api.ask("GET", f"/api/voicemailgreetings/{message}").status_code == 404


def test_a_message_is_put_into_another_folder(api: Api, alice: int) -> None:
    kept, number = spoken(api, alice, "Work"), spoken(api, alice, "INBOX")
    response = api.change(f"/api/voicemails/{number}", folder="Work")
    assert response.status_code == 200, response.text
    assert response.json()["folder"] == "Work"
    uuid = uuid_of(api, alice)
    rows = api.database.run("SELECT id, dir, msgnum FROM kamailio.voicemail_spool ORDER BY id")
    directory = f"/var/spool/asterisk/voicemail/default/{uuid}/Work"
    assert rows == [(kept, directory, 0), (number, directory, 1)]

    shown = api.get(f"/api/voicemails/{number}")
    response = api.ask("PUT", f"/api/voicemails/{number}", json=shown | {"folder": "Old"}, headers=SHOW)
    assert response.json() == shown | {"folder": "Old"}


@pytest.mark.parametrize("folder", ["busy", "unavail", "../INBOX", "inbox", "", None, 1])
def test_there_are_no_other_folders(api: Api, alice: int, folder: object) -> None:
    number = spoken(api, alice, "INBOX")
    response = api.change(f"/api/voicemails/{number}", folder=folder)
    assert response.status_code == 422
    assert "folder" in response.json()["message"]


def test_only_the_folder_changes(api: Api, alice: int, bob: int) -> None:
    number = spoken(api, alice, "INBOX")
    body = {"folder": "Old", "subscriber_id": bob, "caller": "nobody", "duration": 1}
    assert api.ask("PUT", f"/api/voicemails/{number}", json=body).status_code == 204
    shown = api.get(f"/api/voicemails/{number}")
    assert (shown["subscriber_id"], shown["caller"], shown["duration"]) == (alice, CALLER, 7)
    assert api.refused("voicemails", 405, folder="INBOX")


def test_a_message_is_removed(api: Api, alice: int) -> None:
    number = spoken(api, alice, "INBOX")
    assert api.ask("DELETE", f"/api/voicemails/{number}").status_code == 204
    assert api.ask("DELETE", f"/api/voicemails/{number}").status_code == 404
    assert listed(api) == []


def test_what_belongs_to_a_subscriber_ends_with_him(api: Api, alice: int) -> None:
    spoken(api, alice, "INBOX")
    spoken(api, alice, "busy")
    assert api.ask("DELETE", f"/api/subscribers/{alice}").status_code == 204
    assert listed(api) == []
    assert api.get("/api/voicemailgreetings/")["total_count"] == 0
    assert api.ask("GET", f"/api/voicemailsettings/{alice}").status_code == 404


# Settings


def test_every_subscriber_has_a_mailbox(api: Api, alice: int) -> None:
    shown = api.get(f"/api/voicemailsettings/{alice}")
    assert {name: shown[name] for name in ("id", "subscriber_id", "email", "attach", "delete")} == {
        "id": alice,
        "subscriber_id": alice,
        "email": None,
        "attach": True,
        "delete": False,
    }
    assert len(shown["pin"]) == 4
    assert shown["pin"].isdigit()


def test_settings_are_changed(api: Api, alice: int) -> None:
    path = f"/api/voicemailsettings/{alice}"
    body = {"pin": "2468", "email": "a@example.org", "attach": True, "delete": True}
    response = api.ask("PUT", path, json=body, headers=SHOW)
    assert response.status_code == 200, response.text
    assert {name: response.json()[name] for name in body} == body
    rows = api.database.run("SELECT password, email, attach, `delete` FROM kamailio.voicemail_users")
    assert rows == [("2468", "a@example.org", "yes", "yes")]

    assert api.change(path, delete=False, attach=False, email="").json()["email"] is None
    assert api.get(path)["pin"] == "2468"
    assert api.ask("PUT", path, json={}).status_code == 204
    assert api.get(path)["pin"] == "2468", "without a PIN the old one stays"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("pin", {"pin": "123"}),
        ("pin", {"pin": "12a4"}),
        ("pin", {"pin": "1" * 32}),
        ("pin", {"pin": "1111"}),
        ("pin", {"pin": "4567"}),
        ("pin", {"pin": "9876"}),
        ("pin", {"pin": ""}),
        ("email", {"email": "nobody"}),
        ("attach", {"attach": False, "delete": True}),
        ("colour", {"colour": "red"}),
    ],
)
def test_bad_settings_name_what_is_wrong(api: Api, alice: int, field: str, values: dict[str, Any]) -> None:
    response = api.ask("PUT", f"/api/voicemailsettings/{alice}", json=values)
    assert response.status_code == 422
    assert field in response.json()["message"]


def test_settings_come_and_go_with_the_subscriber(api: Api, alice: int) -> None:
    assert api.ask("POST", "/api/voicemailsettings/", json={}).status_code == 405
    assert api.ask("DELETE", f"/api/voicemailsettings/{alice}").status_code == 405


def test_a_pin_is_not_shown_to_who_sees_no_passwords(api: Api, alice: int) -> None:
    path = f"/api/voicemailsettings/{alice}"
    pin = api.get(path)["pin"]
    api.database.run("UPDATE billing.admins SET show_passwords = 0")
    assert "pin" not in api.get(path)
    assert api.patch(path, [{"op": "test", "path": "/pin", "value": pin}]).status_code == 403
    assert api.patch(path, [{"op": "copy", "from": "/pin", "path": "/email"}]).status_code == 403
    assert api.change(path, pin="2580").status_code == 200
    assert api.ask("GET", f"/api/voicemailsettings/?pin={pin}").status_code == 400


# Greetings


def upload(api: Api, data: bytes = GREETING, **query: object) -> httpx.Response:
    params = {name: str(value) for name, value in query.items()}
    return api.ask("POST", "/api/voicemailgreetings/", content=data, params=params, headers=WAV)


def heard(api: Api, number: int) -> bytes:
    response = api.ask("GET", f"/api/voicemailgreetings/{number}", headers={"Accept": "audio/x-wav"})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "audio/x-wav"
    return response.content


@pytest.mark.parametrize("kind", ["unavail", "busy", "temp", "greet"])
def test_a_greeting_is_uploaded(api: Api, alice: int, kind: str) -> None:
    response = upload(api, subscriber_id=alice, dir=kind)
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/voicemailgreetings/{made['id']}"
    assert (made["subscriber_id"], made["dir"]) == (alice, kind)
    assert heard(api, made["id"]) == GREETING
    directory = f"/var/spool/asterisk/voicemail/default/{uuid_of(api, alice)}/{kind}"
    assert api.database.run("SELECT dir FROM kamailio.voicemail_spool") == [(directory,)]
    assert api.get(f"/api/voicemailgreetings/?subscriber_id={alice}&dir={kind}")["total_count"] == 1


def test_a_greeting_is_uploaded_by_form(api: Api, alice: int) -> None:
    files = {"greetingfile": ("hello.wav", GREETING, "audio/x-wav")}
    data = {"json": f'{{"subscriber_id": {alice}, "dir": "busy"}}'}
    response = api.ask("POST", "/api/voicemailgreetings/", data=data, files=files)
    assert response.status_code == 201, response.text
    assert heard(api, int(response.headers["Location"].rpartition("/")[2])) == GREETING


def test_a_greeting_is_kept_as_a_telephone_takes_it(api: Api, alice: int) -> None:
    stereo = header(6400, channels=2) + bytes(6400)
    number = upload(api, stereo, subscriber_id=alice, dir="busy").json()["id"]
    assert heard(api, number) == write(bytes(3200))


def test_a_greeting_is_replaced_and_removed(api: Api, alice: int) -> None:
    number = upload(api, subscriber_id=alice, dir="busy").json()["id"]
    assert "field='dir'" in upload(api, subscriber_id=alice, dir="busy").json()["message"]
    path, query = f"/api/voicemailgreetings/{number}", {"subscriber_id": str(alice), "dir": "busy"}
    response = api.ask("PUT", path, content=OTHER, params=query, headers=WAV)
    assert response.status_code == 200, response.text
    assert heard(api, number) == OTHER
    moved = api.ask("PUT", path, content=OTHER, params=query | {"dir": "temp"}, headers=WAV)
    assert moved.status_code == 422
    assert api.ask("DELETE", path).status_code == 204
    assert api.ask("GET", path).status_code == 404
    assert upload(api, subscriber_id=alice, dir="busy").status_code == 201


@pytest.mark.parametrize(
    ("field", "query", "data"),
    [
        ("greetingfile", {}, b"no sound"),
        ("greetingfile", {}, write(b"")),
        ("greetingfile", {}, header(8000 * 2 * 181) + bytes(8000 * 2 * 181)),
        ("dir", {"dir": "INBOX"}, GREETING),
        ("dir", {"dir": "../busy"}, GREETING),
        ("subscriber_id", {"subscriber_id": 999}, GREETING),
        ("subscriber_id", {"subscriber_id": "x"}, GREETING),
        ("colour", {"colour": "red"}, GREETING),
    ],
)
def test_a_bad_greeting_names_what_is_wrong(
    api: Api, alice: int, field: str, query: dict[str, Any], data: bytes
) -> None:
    response = upload(api, data, **({"subscriber_id": alice, "dir": "busy"} | query))
    assert response.status_code == 422, response.text
    assert field in response.json()["message"]
    assert api.database.run("SELECT * FROM kamailio.voicemail_spool") == []


def test_a_greeting_without_a_sound(api: Api, alice: int) -> None:
    assert "greetingfile" in api.refused("voicemailgreetings", 422, subscriber_id=alice, dir="busy")


def test_too_large_a_greeting(api: Api, alice: int) -> None:
    data = bytes(UPLOADS["voicemailgreetings"][1] + 1)
    assert upload(api, data, subscriber_id=alice, dir="busy").status_code == 413


# Whose they are


def login(api: Api, name: str, subscriber: int) -> tuple[str, str]:
    api.change(f"/api/subscribers/{subscriber}", webusername=name, webpassword="s3cret-web")
    return f"{name}@example.org", "s3cret-web"


def test_a_subscriber_hears_his_own_messages(api: Api, alice: int, bob: int) -> None:
    own, other = spoken(api, alice, "INBOX"), spoken(api, bob, "INBOX")
    auth = login(api, "alice", alice)

    def ask(method: str, path: str, **options: Any) -> int:  # noqa: ANN401 - httpx's own
        return api.ask(method, f"/api/{path}", auth=auth, **options).status_code

    assert ask("GET", f"voicemailrecordings/{own}") == 200
    assert ask("GET", f"voicemailrecordings/{other}") == 404
    assert ask("PUT", f"voicemails/{other}", json={"folder": "Old"}) == 404
    assert ask("DELETE", f"voicemails/{other}") == 404
    assert ask("PUT", f"voicemailsettings/{bob}", json={"pin": "2580"}) == 404
    assert ask("PUT", f"voicemailsettings/{alice}", json={"pin": "2580"}) == 204
    assert ask("DELETE", f"voicemails/{own}") == 204
    given = {"params": {"subscriber_id": str(bob), "dir": "busy"}, "content": GREETING, "headers": WAV}
    assert ask("POST", "voicemailgreetings/", **given) == 422


def test_description_of_greetings_tells_what_can_be_uploaded(api: Api) -> None:
    paths = api.get("/api/")["paths"]
    content = paths["/api/voicemailgreetings/"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "audio/wav", "audio/x-wav", "multipart/form-data"}
    assert set(paths["/api/voicemails/{number}"]) == {"get", "put", "patch", "delete"}
    assert set(paths["/api/voicemailrecordings/{number}"]) == {"get"}
