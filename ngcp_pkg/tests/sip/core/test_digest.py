"""Digest authentication (RFC 7616): the RFC's own numbers, and what a nonce survives."""

from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.core import digest
from ngcp.sip.core.digest import (
    ALGORITHMS,
    MD5,
    SHA_256,
    Authenticator,
    Credentials,
    Verdict,
    ha1_of,
    response_of,
)
from ngcp.sip.core.nonces import Nonces
from ngcp.sip.errors import InvalidHeader
from ngcp.sip.syntax import Request
from ngcp.sip.syntax.fields import parse_auth

REALM = "example.org"


@dataclass(frozen=True)
class Alice:
    username: str = "alice"
    password: str = "secret"
    ha1: str = ha1_of(MD5, "alice", REALM, "secret")


def make_authenticator(secret: bytes = b"s", *, now: float = 0.0, algorithms: str = "MD5") -> Authenticator:
    ids = count()
    nonces = Nonces(secret, lambda: f"id{next(ids)}", lifetime=300.0, now=now)
    return Authenticator(nonces, algorithms.split())


def challenge(authenticator: Authenticator, realm: str = REALM, now: float = 1000.0) -> str:
    (only,) = authenticator.challenges(realm, now)
    return only


def answer(asked: str, *, password: str = "secret", method: str = "REGISTER", **changes: str) -> Credentials:
    """Answer a challenge as a phone does; `changes` counts before the response is computed."""
    _, params = parse_auth(asked)
    values = {
        "username": "alice",
        "nonce": params["nonce"],
        "uri": "sip:example.org",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "c",
    }
    algorithm = ALGORITHMS[params["algorithm"]]
    credentials = Credentials(realm=params["realm"], response="", algorithm=algorithm, **(values | changes))
    ha1 = ha1_of(algorithm, credentials.username, credentials.realm, password)
    credentials.response = response_of(credentials, method, ha1)
    return credentials


def request(branch: str = "1", method: str = "REGISTER") -> Request:
    return Request(method, "sip:example.org", [f"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}"])


def judge(
    authenticator: Authenticator, credentials: Credentials, now: float = 1001.0, *, branch: str = "1"
) -> Verdict:
    return authenticator.judge(request(branch), credentials, Alice(), now)


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
    ha1 = ha1_of(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life")
    assert response_of(credentials, "GET", ha1) == "6629fae49393a05397450978507c4ef1"


def test_client_without_qop_is_understood() -> None:
    """RFC 2069's example with its well-known erratum."""
    credentials = Credentials(
        "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", ""
    )
    ha1 = ha1_of(MD5, "Mufasa", "testrealm@host.com", "CircleOfLife")
    assert response_of(credentials, "GET", ha1) == "1949323746fe6a43ef61f9606e7febea"


def test_responses_of_rfc_7616_section_3_9_1() -> None:
    for algorithm, expected in (
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        credentials = Credentials(
            "Mufasa",
            "http-auth@example.org",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            "/dir/index.html",
            "",
            "auth",
            "00000001",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            algorithm,
        )
        ha1 = ha1_of(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
        assert response_of(credentials, "GET", ha1) == expected


def test_right_password_is_good() -> None:
    authenticator = make_authenticator()
    assert judge(authenticator, answer(challenge(authenticator))) is Verdict.GOOD


def test_wrong_password_is_wrong_even_with_an_old_nonce() -> None:
    authenticator = make_authenticator()
    credentials = answer(challenge(authenticator), password="guessed")
    assert judge(authenticator, credentials, 9999.0) is Verdict.WRONG


def test_answer_to_another_method_is_wrong() -> None:
    authenticator = make_authenticator()
    assert judge(authenticator, answer(challenge(authenticator), method="INVITE")) is Verdict.WRONG


@pytest.mark.parametrize("username", ["alice", "alice@example.org", "alice@EXAMPLE.org"])
def test_user_may_name_the_domain(username: str) -> None:
    authenticator = make_authenticator()
    credentials = answer(challenge(authenticator), username=username)
    assert (credentials.user, judge(authenticator, credentials)) == ("alice", Verdict.GOOD)


def test_user_of_another_domain_is_somebody_else() -> None:
    assert answer(challenge(make_authenticator()), username="alice@example.net").user == "alice@example.net"


@pytest.mark.parametrize(
    ("now", "verdict"), [(1300.0, Verdict.GOOD), (1301.0, Verdict.STALE), (900.0, Verdict.STALE)]
)
def test_nonce_has_a_lifetime(now: float, verdict: Verdict) -> None:
    authenticator = make_authenticator()
    assert judge(authenticator, answer(challenge(authenticator)), now) is verdict


def test_nonce_of_before_a_restart_is_stale_for_nobody_knows_which_counts_are_used() -> None:
    credentials = answer(challenge(make_authenticator()))
    assert judge(make_authenticator(now=1000.5), credentials) is Verdict.STALE


def test_nonce_of_another_node_is_stale() -> None:
    credentials = answer(challenge(make_authenticator()))
    assert judge(make_authenticator(b"other"), credentials) is Verdict.STALE


@pytest.mark.parametrize("nonce", ["", "abc", "..", "zz.1.2", "f4240.id0.", "f4240.id0.\udcff"])
def test_forged_nonce_is_stale(nonce: str) -> None:
    authenticator = make_authenticator()
    assert judge(authenticator, answer(challenge(authenticator), nonce=nonce)) is Verdict.STALE


def test_nonce_of_another_realm_is_stale() -> None:
    authenticator = make_authenticator()
    other = parse_auth(challenge(authenticator, "example.net"))[1]["nonce"]
    assert judge(authenticator, answer(challenge(authenticator), nonce=other)) is Verdict.STALE


def test_count_of_another_transaction_is_a_replay() -> None:
    """RFC 7616 §3.4: if the same nc value is seen twice, the request is a replay."""
    authenticator = make_authenticator()
    credentials = answer(challenge(authenticator))
    assert judge(authenticator, credentials) is Verdict.GOOD
    assert judge(authenticator, credentials, branch="2") is Verdict.STALE


def test_retransmission_is_no_replay() -> None:
    authenticator = make_authenticator()
    credentials = answer(challenge(authenticator))
    assert [judge(authenticator, credentials) for _ in range(3)] == [Verdict.GOOD] * 3


def test_nonce_is_good_for_many_requests_that_may_overtake_each_other() -> None:
    authenticator = make_authenticator()
    asked = challenge(authenticator)
    for nc in ("00000001", "00000003", "00000002"):
        assert judge(authenticator, answer(asked, nc=nc), branch=nc) is Verdict.GOOD
    assert judge(authenticator, answer(asked, nc="00000003"), branch="9") is Verdict.STALE


def test_nonce_without_count_is_good_for_one_request() -> None:
    """What a client of RFC 2069 sends could be sent by anybody who saw it."""
    authenticator = make_authenticator()
    credentials = answer(challenge(authenticator))
    credentials.qop, credentials.nc = None, ""
    credentials.response = response_of(credentials, "REGISTER", Alice().ha1)
    assert judge(authenticator, credentials) is Verdict.GOOD
    assert judge(authenticator, credentials, branch="2") is Verdict.STALE


def test_wrong_answer_uses_nothing_up() -> None:
    authenticator = make_authenticator()
    asked = challenge(authenticator)
    assert judge(authenticator, answer(asked, password="guessed"), branch="0") is Verdict.WRONG
    assert judge(authenticator, answer(asked)) is Verdict.GOOD


def test_stale_flag_is_in_every_challenge() -> None:
    authenticator = make_authenticator(algorithms="MD5 SHA-256")
    for text in authenticator.challenges("r", 0.0, stale=True):
        assert parse_auth(text)[1]["stale"] == "true"


@pytest.mark.parametrize("algorithms", ["MD5 SHA-256", "SHA-256 MD5"])
def test_strongest_challenge_is_first_and_each_can_be_answered(algorithms: str) -> None:
    """RFC 8760 §2.4."""
    authenticator = make_authenticator(algorithms=algorithms)
    asked = authenticator.challenges(REALM, 1000.0)
    assert [parse_auth(text)[1]["algorithm"] for text in asked] == ["SHA-256", "MD5"]
    for number, text in enumerate(asked):
        credentials = answer(text, nc=f"0000000{number}")
        assert judge(authenticator, credentials, branch=str(number)) is Verdict.GOOD


def test_algorithm_that_is_not_offered_any_more_is_stale() -> None:
    """So the phone takes the new challenge, and asks nobody."""
    before, after = make_authenticator(), make_authenticator(algorithms="SHA-256")
    assert judge(after, answer(challenge(before))) is Verdict.STALE
    assert judge(after, answer(challenge(before), password="guessed")) is Verdict.WRONG


DIGEST = 'Digest username="alice", realm="example.org", nonce="n", uri="sip:b", response="r"'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"Proxy-Authorization: {DIGEST}", True),
        (f"Proxy-Authorization: {DIGEST}, algorithm=md5", True),
        (f"Proxy-Authorization: {DIGEST}, algorithm=sha-256", True),
        (f"Proxy-Authorization: {DIGEST}, algorithm=MD5-sess", False),
        (f'Proxy-Authorization: {DIGEST}, qop=auth, nc=00000001, opaque="x"', True),
        (f"Proxy-Authorization: {DIGEST}, qop=auth-int", False),
        (f"Proxy-Authorization: {DIGEST}, userhash=true", False),
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


@pytest.mark.parametrize(
    ("parameter", "username"),
    [
        ("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe", "Jäsøn Doe"),  # RFC 7616 §3.9.2
        ("username*=utf-8'en'alice", "alice"),
        ("username=\"alice\", username*=UTF-8''bob", "alice"),
    ],
)
def test_username_in_unicode(parameter: str, username: str) -> None:
    line = "Authorization: " + DIGEST.replace('username="alice"', parameter)
    credentials = Credentials.find(Request("REGISTER", "sip:b", [line]), REALM)
    assert credentials is not None
    assert credentials.username == username


@pytest.mark.parametrize("value", ["alice", "latin-1''alice", "UTF-8''%ff"])
def test_username_that_is_no_unicode_is_broken_syntax(value: str) -> None:
    line = "Authorization: " + DIGEST.replace('username="alice"', f"username*={value}")
    with pytest.raises(InvalidHeader):
        Credentials.find(Request("REGISTER", "sip:b", [line]), REALM)
