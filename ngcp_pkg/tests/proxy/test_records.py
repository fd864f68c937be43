"""What call records say (platform: src_leg, dst_leg)."""

import json

import pytest

from ngcp.provisioning.runtime import Carrier, Platform, Ported
from ngcp.proxy.call import Call, Identity
from ngcp.proxy.legs import legs_of
from ngcp.proxy.records import Ending, LegRecord, describe, start_records, stop_record
from ngcp.sip.syntax import Uri
from proxy import calls

ALICE, BOB = calls.user("alice", 1, gpp3=7), calls.user("bob", 2)
#: The keys that the platform's mediator insists on.
SOURCE = (
    "uuid u d cli s_id c_id a_id pau par clir s ip t gpp lnp_p cli_out lnp_t pai div cid u2u lcr"
    " cc_quota cc_sub cc_cust last_hih ppi"
)
DESTINATION = (
    "plu s_id c_id a_id dialed uuid u d u_in d_in lcr gpp lnp_p u_out lnp_t fci cc_quota cc_sub cc_cust"
    " hg_ext_response"
)


def described(call: Call) -> list[LegRecord]:
    return describe(call, legs_of(call), 1000.1234, {"totaluser:alice": 3, "totalaccount:1": 5})


def legs(call: Call, index: int = 0) -> tuple[dict[str, object], dict[str, object]]:
    record = described(call)[index]
    return json.loads(record.src_leg), json.loads(record.dst_leg)


@pytest.mark.parametrize(
    "given",
    [
        calls.call(ALICE, BOB),
        calls.call(calls.peer(5), BOB),
        calls.call(ALICE, calls.peer(5)),
        calls.call(ALICE, None),
        calls.call(ALICE, None, ("cfu", BOB)),
    ],
)
def test_every_key_is_there(given: Call) -> None:
    for index in range(len(given.diversions) + 1):
        source, destination = legs(given, index)
        assert set(source) == set(SOURCE.split())
        assert set(destination) == set(DESTINATION.split())


def test_fees_are_for_what_our_rules_made_of_the_number() -> None:
    given = calls.call(ALICE, BOB, request=calls.invite(uri="sip:00431002@example.org"))
    given.uri = Uri.parse("sip:+431002@example.org")

    _, destination = legs(given)

    assert (destination["dialed"], destination["u_in"]) == ("00431002", "431002")


def test_who_calls() -> None:
    given = calls.call(ALICE, BOB)
    given.identity = Identity("4311001", "4311009", is_anonymous=True)
    given.request.append("P-Asserted-Identity", "<sip:x@y>")
    source, _ = legs(given)
    named = {
        key: source[key] for key in ("uuid", "u", "d", "a_id", "cli", "cli_out", "clir", "ip", "pai", "t")
    }
    assert named == {
        "uuid": "alice",
        "u": "alice",
        "d": "example.org",
        "a_id": 1,
        "cli": "4311001",
        "cli_out": "4311009",
        "clir": 1,
        "ip": "192.0.2.1",
        "pai": "<sip:x@y>",
        "t": 1000.123,
    }
    assert source["gpp"] == ["", "", "", "7", "", "", "", "", "", ""]
    assert (source["cc_sub"], source["cc_cust"]) == ("3", "5")


def test_call_from_a_peer_to_a_subscriber() -> None:
    source, destination = legs(calls.call(calls.peer(5), BOB))
    assert (source["uuid"], source["lcr"], source["u"], source["cc_sub"]) == ("0", 5, "alice", "")
    assert (destination["uuid"], destination["plu"]) == ("bob", 0)


def test_ported_number_at_a_peer() -> None:
    platform = Platform(carriers={9: Carrier(9, "other", "D009")})
    request = calls.invite(uri="sip:4312345@example.org")
    given = calls.call(ALICE, calls.peer(5), request=request, platform=platform)
    given.ported = Ported(9, None, "mobile")
    _, destination = legs(given)
    told = [destination[key] for key in ("lcr", "plu", "u", "dialed", "lnp_p", "lnp_t")]
    assert told == [5, 1, "4312345", "4312345", "D009", "mobile"]


def test_what_is_no_utf8_becomes_question_marks() -> None:
    request = calls.invite()
    request.append("User-to-User", "\udcff")
    source, _ = legs(calls.call(ALICE, BOB, request=request))
    assert source["u2u"] == "?"


def test_records_of_an_answer() -> None:
    records = described(calls.call(ALICE, calls.user("carol"), ("cfu", BOB)))
    rows = start_records("c1", ("a", "b"), records, Ending(200, "OK", 1_700_000_000.5))
    assert [(row.branch_id, row.src_user, row.dst_user) for row in rows] == [
        ("0", "alice", "bob"),
        ("1", "bob", "carol"),
    ]
    assert {(row.method, row.sip_code, row.time, row.time_hires) for row in rows} == {
        ("INVITE", "200", "2023-11-14 22:13:20", "1700000000.500")
    }
    assert len({row.key for row in rows}) == 2


def test_record_of_an_end() -> None:
    row = stop_record("c\udcff", ("a", "b"), Ending(200, "OK", 1_700_000_000.0))
    assert (row.method, row.callid, row.from_tag, row.to_tag, row.dst_leg) == ("BYE", "c?", "a", "b", "{}")
