"""Digest authentication (RFC 7616): the RFC's own numbers, and what a nonce survives."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.core import digest
from ngcp.sip.core.digest import Authenticator, Credentials, Verdict, md5_ha1, response_of
from ngcp.sip.errors import InvalidHeader
from ngcp.sip.syntax import Request
from ngcp.sip.syntax.fields import parse_auth

HA1 = md5_ha1("alice", "example.org", "secret")


def make_authenticator(secret: bytes = b"s") -> Authenticator:
    ids = count()
    return Authenticator(secret, lifetime=300.0, ids=lambda: f"id{next(ids)}")


def answer(challenge: str, *, ha1: str = HA1, method: str = "REGISTER", **changes: str) -> Credentials:
    _, params = parse_auth(challenge)
    values = {
        "nonce": params["nonce"],
        "uri": "sip:example.org",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "c",
    }
    credentials = Credentials("alice", params["realm"], response="", **(values | changes))
    credentials.response = response_of(credentials, method, ha1)
    return credentials


def test_response_of_rfc_2617_section_3_5() -> None:
    credentials = Credentials(
        "Mufasa",
        "testrealm@host.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "/dir/index.html",
        "",
        "auth",
        "00000001",
        "0a4f113b",
    )
    ha1 = md5_ha1("Mufasa", "testrealm@host.com", "Circle Of Life")
    assert response_of(credentials, "GET", ha1) == "6629fae49393a05397450978507c4ef1"


def test_client_without_qop_is_understood() -> None:
    """RFC 2069's example with its well-known erratum."""
    credentials = Credentials(
        "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", ""
    )
    ha1 = md5_ha1("Mufasa", "testrealm@host.com", "CircleOfLife")
    assert response_of(credentials, "GET", ha1) == "1949323746fe6a43ef61f9606e7febea"


def test_right_password_is_good() -> None:
    authenticator = make_authenticator()
    credentials = answer(authenticator.challenge("example.org", 1000.0))
    assert authenticator.judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.GOOD


def test_wrong_password_is_wrong_even_with_an_old_nonce() -> None:
    authenticator = make_authenticator()
    credentials = answer(
        authenticator.challenge("example.org", 1000.0), ha1=md5_ha1("alice", "example.org", "x")
    )
    assert authenticator.judge(credentials, "REGISTER", HA1, 9999.0) is Verdict.WRONG


def test_answer_to_another_method_is_wrong() -> None:
    authenticator = make_authenticator()
    credentials = answer(authenticator.challenge("example.org", 1000.0), method="INVITE")
    assert authenticator.judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.WRONG


@pytest.mark.parametrize(
    ("now", "verdict"), [(1300.0, Verdict.GOOD), (1301.0, Verdict.STALE), (900.0, Verdict.STALE)]
)
def test_nonce_has_a_lifetime(now: float, verdict: Verdict) -> None:
    authenticator = make_authenticator()
    credentials = answer(authenticator.challenge("example.org", 1000.0))
    assert authenticator.judge(credentials, "REGISTER", HA1, now) is verdict


def test_nonce_survives_a_restart_with_the_same_secret_only() -> None:
    credentials = answer(make_authenticator().challenge("example.org", 1000.0))
    assert make_authenticator().judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.GOOD
    assert make_authenticator(b"other").judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.STALE


@pytest.mark.parametrize("nonce", ["", "abc", "..", "zz.1.2", "3e8.id0."])
def test_forged_nonce_is_stale(nonce: str) -> None:
    authenticator = make_authenticator()
    credentials = answer(authenticator.challenge("example.org", 1000.0), nonce=nonce)
    assert authenticator.judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.STALE


def test_nonce_of_another_realm_is_stale() -> None:
    authenticator = make_authenticator()
    other = parse_auth(authenticator.challenge("example.net", 1000.0))[1]["nonce"]
    credentials = answer(authenticator.challenge("example.org", 1000.0), nonce=other)
    assert authenticator.judge(credentials, "REGISTER", HA1, 1001.0) is Verdict.STALE


def test_stale_flag_is_in_the_challenge() -> None:
    assert parse_auth(make_authenticator().challenge("r", 0.0, stale=True))[1]["stale"] == "true"


DIGEST = 'Digest username="alice", realm="example.org", nonce="n", uri="sip:b", response="r"'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"Proxy-Authorization: {DIGEST}", True),
        (f"Proxy-Authorization: {DIGEST}, algorithm=md5", True),
        (f"Proxy-Authorization: {DIGEST}, algorithm=SHA-256", False),
        (f"Authorization: {DIGEST}", False),
        (f"Proxy-Authorization: {DIGEST.replace('example.org', 'example.net')}", False),
        ("Proxy-Authorization: Basic YTpi", False),
        ('Proxy-Authorization: Digest realm="example.org"', False),
        ("Subject: none", False),
    ],
)
def test_credentials_are_those_of_our_realm_and_algorithm(line: str, found: bool) -> None:
    if line.endswith("Basic YTpi"):
        with pytest.raises(InvalidHeader):
            Credentials.find(Request("INVITE", "sip:b", [line]), "example.org")
        return
    assert (Credentials.find(Request("INVITE", "sip:b", [line]), "example.org") is not None) is found


PARTS = (
    *(
        'username="alice"',
        'realm="a b"',
        "qop=auth",
        "nc=00000001",
        'x="a,b"',
        'y="\\""',
        "z=",
        '=""',
        "k",
        "",
    ),
    *("algorithm=MD5", 'e=""', 'f="', ' g = "h" ', "realm=x", "i='j'", 'l"="m"', 'u="sip:a=b"'),
)


@given(st.lists(st.sampled_from(PARTS), max_size=6))
def test_credentials_are_read_alike_by_the_quick_way_and_the_thorough_one(parts: list[str]) -> None:
    text = "Digest " + ",".join(parts)
    request = Request("REGISTER", "sip:b", [f"Authorization: {DIGEST}, {','.join(parts)}"])
    quick = digest._read_usual(text)
    if quick is not None:
        assert quick == parse_auth(text)
    else:
        try:
            Credentials.find(request, "example.org")
        except InvalidHeader:
            with pytest.raises(InvalidHeader):
                parse_auth(f"{DIGEST}, {','.join(parts)}")
