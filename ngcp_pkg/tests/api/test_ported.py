"""Ported numbers by the list."""

import httpx
import pytest

from api.conftest import Api

HEAD = "carrier_name,carrier_prefix,number,routing_number,start,end,authoritative,skip_rewrite,type\n"
LINES = (
    'One,D1,4311001,D4399,2021-01-01,2099-12-31 23:59:59,0,1,"mobile, old"\n'
    "One,D1,4311002,,,,0,1,\n"
    "\n"
    "Two,,4311003,,2021-01-01T00:00:00+01:00,,1,0,\n"
)


def load(api: Api, text: str | bytes, query: str = "") -> httpx.Response:
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    return api.ask("POST", f"/api/lnpnumbers/{query}", content=text, headers=headers)


def numbers(api: Api) -> list[str]:
    listed = api.get("/api/lnpnumbers/?order_by=number&rows=100")
    return [one["number"] for one in listed["_embedded"]["ngcp:lnpnumbers"]]


@pytest.mark.parametrize("text", [LINES, HEAD + LINES, "\ufeff" + HEAD + LINES, LINES.replace("\n", "\r\n")])
def test_a_list_makes_numbers_and_their_carriers(api: Api, text: str) -> None:
    response = load(api, text.encode())
    assert response.status_code == 201, response.text
    assert api.registrar.announced == [{"platform"}]
    carriers = api.get("/api/lnpcarriers/?order_by=name")["_embedded"]["ngcp:lnpcarriers"]
    flags = [(one["name"], one["prefix"], one["authoritative"], one["skip_rewrite"]) for one in carriers]
    assert flags == [("One", "D1", False, True), ("Two", "", True, False)]
    first, second, third = api.get("/api/lnpnumbers/?order_by=number")["_embedded"]["ngcp:lnpnumbers"]
    assert (first["routing_number"], first["type"]) == ("D4399", "mobile, old")
    assert (first["start"], first["end"]) == ("2021-01-01 00:00:00", "2099-12-31 23:59:59")
    assert first["carrier_id"] == second["carrier_id"] == carriers[0]["id"]
    assert third["start"] == "2020-12-31 23:00:00"


def test_a_list_adds_to_what_there_is_unless_told_otherwise(api: Api) -> None:
    load(api, "One,D1,1,,,,0,0,\n")
    load(api, "One,D1,2,,,,0,0,\n")
    assert numbers(api) == ["1", "2"]
    assert api.get("/api/lnpcarriers/")["total_count"] == 1
    load(api, "One,D1,3,,,,0,0,\n", "?purge_existing=true")
    assert numbers(api) == ["3"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("One,D1,+43,,,,0,0,", "line 2: field='number'"),
        ("One,D1,1,x y,,,0,0,", "line 2: field='routing_number'"),
        ("One,D 1,1,,,,0,0,", "line 2: field='prefix'"),
        ("One,D1,1,,soon,,0,0,", "line 2: field='start'"),
        ("One,D1,1,,2022-01-01,2021-01-01,0,0,", "field='end'"),
        ("One,D1,1,,,,maybe,0,", "line 2: field='authoritative'"),
        ("One,D1,1", "line 2: 3 columns instead of 9"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_stored(api: Api, line: str, problem: str) -> None:
    response = load(api, f"One,D1,5,,,,0,0,\n{line}\n", "?purge_existing=true")
    assert response.status_code == 422
    assert problem in response.json()["message"]
    assert numbers(api) == []


@pytest.mark.parametrize("body", [b"\xff\xfe", b'One,"D1\n'])
def test_what_is_no_csv_is_refused(api: Api, body: bytes) -> None:
    response = load(api, body)
    assert response.status_code == 400
    assert "well-formed CSV" in response.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert api.ask("POST", "/api/lnpnumbers/", content=body, headers=headers).status_code == 400


def test_many_numbers_are_loaded_at_once(api: Api) -> None:
    text = "".join(f"One,D1,43{number},,,,0,0,\n" for number in range(10_000))
    assert load(api, text).status_code == 201
    assert api.get("/api/lnpnumbers/?rows=1")["total_count"] == 10_000
