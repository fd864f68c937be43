"""Sounds: sets, and files that are uploaded, kept as a telephone takes them, and downloaded."""

import json
import random
from typing import Any

import httpx
import pytest

from api.conftest import PATCH, SHOW, Api
from ngcp.api.forms import read_form
from ngcp.api.gate import UPLOADS
from ngcp.audio.wav import write

BUSY = write(bytes(range(256)) * 32)
MUSIC = write(bytes(1600))
WAV = {"Content-Type": "audio/x-wav", **SHOW}


@pytest.fixture
def sounds(api: Api) -> int:
    """A set of sounds."""
    return int(api.make("soundsets", name="german")["id"])


def upload(api: Api, data: bytes = BUSY, **query: Any) -> httpx.Response:  # noqa: ANN401 - any query
    query = {"filename": "a.wav", "handle": "callee_busy"} | query
    return api.ask("POST", "/api/soundfiles/", content=data, params=query, headers=WAV)


def download(api: Api, number: int) -> bytes:
    response = api.ask("GET", f"/api/soundfilerecordings/{number}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "audio/x-wav"
    return response.content


def test_groups_and_handles_have_the_platforms_names(api: Api) -> None:
    assert api.get("/api/soundgroups/?name=early_rejects")["total_count"] == 1
    handles = api.get("/api/soundhandles/?group=early_rejects&rows=100")["_embedded"]["ngcp:soundhandles"]
    assert {"callee_busy", "block_in", "peering_unavailable"} < {one["handle"] for one in handles}
    assert len(handles) == 23
    assert api.ask("POST", "/api/soundhandles/", json={}).status_code == 405


def test_uploaded_sound_is_shown_without_and_downloaded_with_its_data(api: Api, sounds: int) -> None:
    response = upload(api, set_id=sounds, loopplay="true")
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/soundfiles/{made['id']}"
    shown = {name: made[name] for name in ("set_id", "handle", "filename", "loopplay", "codec", "use_parent")}
    assert shown == {
        "set_id": sounds,
        "handle": "callee_busy",
        "filename": "a.wav",
        "loopplay": True,
        "codec": "WAV",
        "use_parent": False,
    }
    assert api.get("/api/soundfiles/?handle=callee_busy")["_embedded"]["ngcp:soundfiles"] == [made]
    assert download(api, made["id"]) == BUSY


def test_upload_for_the_same_handle_replaces_the_sound(api: Api, sounds: int) -> None:
    first = upload(api, set_id=sounds).json()["id"]
    assert upload(api, MUSIC, set_id=sounds, filename="b.wav").json()["id"] == first
    assert download(api, first) == MUSIC
    assert api.get(f"/api/soundfiles/{first}")["filename"] == "b.wav"


def test_put_and_patch_change_a_sound(api: Api, sounds: int) -> None:
    number = upload(api, set_id=sounds).json()["id"]
    path, query = f"/api/soundfiles/{number}", {"set_id": sounds, "filename": "c.wav", "handle": "block_in"}
    response = api.ask("PUT", path, content=MUSIC, params=query, headers=WAV)
    assert response.status_code == 200, response.text
    assert (response.json()["handle"], download(api, number)) == ("block_in", MUSIC)
    response = api.ask("PUT", path, json=query | {"loopplay": True}, headers=SHOW)
    assert (response.json()["loopplay"], download(api, number)) == (True, MUSIC)
    assert api.change(path, filename="d.wav").json()["filename"] == "d.wav"
    assert download(api, number) == MUSIC
    assert api.ask("DELETE", path).status_code == 204
    assert api.ask("GET", f"/api/soundfilerecordings/{number}").status_code == 404


@pytest.mark.parametrize("in_json", [True, False])
def test_upload_by_form(api: Api, sounds: int, in_json: bool) -> None:
    fields: dict[str, Any] = {"set_id": sounds, "handle": "callee_busy", "loopplay": True}
    data = {"json": json.dumps(fields)} if in_json else {name: str(value) for name, value in fields.items()}
    files = {"soundfile": ("busy.wav", BUSY, "audio/x-wav")}
    response = api.ask("POST", "/api/soundfiles/", data=data, files=files, headers=SHOW)
    assert response.status_code == 201, response.text
    assert (response.json()["filename"], response.json()["loopplay"]) == ("busy.wav", True)
    assert download(api, response.json()["id"]) == BUSY


def form(name: str, content: bytes) -> bytes:
    return b"--y\r\nContent-Disposition: form-data; " + name.encode() + b"\r\n\r\n" + content + b"\r\n--y--"


def test_form_leaves_every_byte_of_a_file_alone() -> None:
    noise = random.Random(4).randbytes(20_000) + b"\r\n\r\n--\n\r\r\n\0\n"
    for file in (noise, b"", b"\n", b"\r\n--x"):
        body = form('name="soundfile"; filename="a"', file)
        assert read_form("multipart/form-data; boundary=y", body).file == file


def test_a_set_may_leave_a_handle_to_its_parent(api: Api, sounds: int) -> None:
    child = api.make("soundsets", name="austrian", parent_id=sounds)["id"]
    given = {"set_id": child, "handle": "callee_busy", "filename": "none"}
    assert "field='use_parent'" in api.refused("soundfiles", 422, **given)
    made = api.make("soundfiles", **given, use_parent=True)
    assert api.ask("GET", f"/api/soundfilerecordings/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("field", "query", "data"),
    [
        ("soundfile", {}, b"no sound"),
        ("soundfile", {}, write(b"")),
        ("handle", {"handle": "nothing"}, BUSY),
        ("handle", {"handle": "office_hours"}, BUSY),  # for customers' sets only
        ("set_id", {"set_id": 999}, BUSY),
        ("set_id", {"set_id": "x"}, BUSY),
        ("filename", {"filename": ""}, BUSY),
        ("loopplay", {"loopplay": "perhaps"}, BUSY),
        ("colour", {"colour": "red"}, BUSY),
    ],
)
def test_a_bad_upload_names_what_is_wrong(
    api: Api, sounds: int, field: str, query: dict[str, Any], data: bytes
) -> None:
    response = upload(api, data, **({"set_id": sounds} | query))
    assert response.status_code == 422
    assert f"field='{field}'" in response.json()["message"]
    assert api.database.run("SELECT * FROM provisioning.voip_sound_files") == []


FORM = "multipart/form-data; boundary=y"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"x", 415),
        ("multipart/form-data", b"x", 400),
        (FORM, form('name="json"', b"["), 400),
        (FORM, form('name="json"', b"[]"), 400),
        ("application/json", b"{", 400),
    ],
)
def test_a_bad_entity_is_refused(api: Api, kind: str, body: bytes, status: int) -> None:
    response = api.ask("POST", "/api/soundfiles/", content=body, headers={"Content-Type": kind})
    assert response.status_code == status


def test_too_large_a_sound_is_refused(api: Api, sounds: int) -> None:
    assert upload(api, bytes(UPLOADS["soundfiles"][1] + 1), set_id=sounds).status_code == 413


def test_only_sound_files_may_be_sounds(api: Api) -> None:
    response = api.ask("POST", "/api/domains/", content=BUSY, headers={"Content-Type": "audio/x-wav"})
    assert response.status_code == 415
    response = api.ask("PATCH", "/api/soundfiles/1", content=BUSY, headers={"Content-Type": "audio/x-wav"})
    assert response.status_code == 415
    assert PATCH in response.json()["message"]


def test_sets_of_customers(api: Api, customer: int) -> None:
    first = api.make("soundsets", name="a", customer_id=customer, contract_default=True)
    second = api.make("soundsets", name="b", customer_id=customer, contract_default=True)
    assert api.get(f"/api/soundsets/{first['id']}")["contract_default"] is False
    assert api.get(f"/api/soundsets/{second['id']}")["contract_default"] is True
    assert upload(api, set_id=first["id"], handle="music_on_hold").status_code == 201
    assert upload(api, set_id=first["id"], handle="callee_busy").status_code == 422
    assert api.ask("DELETE", f"/api/soundsets/{first['id']}").status_code == 204
    assert api.get("/api/soundfiles/")["total_count"] == 0


def test_a_set_is_not_its_own_ancestor(api: Api, sounds: int) -> None:
    child = api.make("soundsets", name="child", parent_id=sounds)["id"]
    for parent in (child, sounds, 999):
        response = api.change(f"/api/soundsets/{sounds}", parent_id=parent)
        assert response.status_code == 422
        assert "field='parent_id'" in response.json()["message"]
    api.ask("DELETE", f"/api/soundsets/{sounds}")
    assert api.get(f"/api/soundsets/{child}")["parent_id"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reseller_id", 999),
        ("customer_id", 999),
        ("contract_default", True),
        ("parent_id", 999),
        ("name", ""),
    ],
)
def test_a_bad_set_is_refused(api: Api, field: str, value: object) -> None:
    assert f"field='{field}'" in api.refused("soundsets", 422, **({"name": "a"} | {field: value}))


def test_what_can_be_uploaded_is_described(api: Api) -> None:
    paths = api.get("/api/")["paths"]
    content = paths["/api/soundfiles/"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json", "audio/wav", "audio/x-wav", "multipart/form-data"]
    assert content["application/json"]["schema"]["required"] == ["set_id", "handle", "filename"]
    assert "text/csv" in paths["/api/lnpnumbers/"]["post"]["requestBody"]["content"]
    assert "requestBody" in paths["/api/domains/"]["post"]
