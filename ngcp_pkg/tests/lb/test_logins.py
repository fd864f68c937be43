"""Failed attempts to log in, as far as they need no wire."""

import pytest

from ngcp.lb.logins import Logins, TryAgainLater, user_of
from ngcp.lb.security import Security
from ngcp.sip.syntax import Request, Response

DIGEST = 'Digest username="{}", realm="{}", nonce="1", uri="sip:h", response="2"'


def make_request(*credentials: str, method: str = "REGISTER") -> Request:
    header = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    return Request(method, "sip:h", [f"{header}: {value}" for value in credentials])


def failure(user: str, status: int = 401) -> Response:
    return Response(status, None, [f"P-NGCP-Authorization: {user}", "P-NGCP-Authorized: 0"])


@pytest.mark.parametrize(
    ("credentials", "user"),
    [
        ((), None),
        ((DIGEST.format("alice", "Example.ORG"),), "alice@example.org"),
        ((DIGEST.format("Alice", "example.org"),), "Alice@example.org"),
        ((DIGEST.format('a\\"b', "h"),), 'a"b@h'),
        ((DIGEST.format("alice", "h"), DIGEST.format("mallory", "h")), None),
        (("Digest ,,,",), None),
    ],
)
def test_the_user_is_whom_the_proxy_would_judge(credentials: tuple[str, ...], user: str | None) -> None:
    """Domains are the same in any case, user names are not; of several headers we do not know."""
    assert user_of(make_request(*credentials)) == user
    assert user_of(make_request(*credentials, method="INVITE")) == user


def test_attempts_are_counted_and_shown_with_the_time_of_day() -> None:
    logins = Logins(Security(), lambda: 1_700_000_000.9)
    request = make_request(DIGEST.format("alice", "h"))
    for _ in range(2):
        logins.note_answer(request, failure("alice@h"), now=5.0)
        logins.check(request, 5.0)

    assert [(key, entry.value) for key, entry in logins.failures.items(5.0)] == [
        ("alice@h::auth_count", 2),
        ("alice@h::last_auth", 1_700_000_000),
    ]
    logins.note_answer(request, failure("alice@h", 407), now=5.0)
    with pytest.raises(TryAgainLater):
        logins.check(request, 5.0)
    logins.check(make_request(), 5.0)
    logins.check(make_request(DIGEST.format("bob", "h")), 5.0)


@pytest.mark.parametrize(
    "response",
    [
        Response(401),
        Response(401, None, ["P-NGCP-Authorization: alice@h", "P-NGCP-Authorized: 1"]),
        failure("x" * 321),
        failure("\x07@h"),
        failure("\udcff@h"),
        failure(""),
    ],
)
def test_no_attempt_of_a_subscriber(response: Response) -> None:
    """A challenge, a stale nonce, and names that no subscriber has nor an XML document could show."""
    logins = Logins(Security(), lambda: 0.0)
    logins.note_answer(make_request(DIGEST.format("alice", "h")), response, now=5.0)

    assert len(logins.failures) == 0


def test_memory_is_bounded() -> None:
    logins = Logins(Security(), lambda: 0.0)
    for number in range(20_000):
        logins.note_answer(make_request(), failure(f"user{number}@h"), now=5.0)

    assert len(logins.failures) == logins.failures.limit


def test_without_bans_nothing_is_counted() -> None:
    logins = Logins(Security(failed_auth_ban_enable=False), lambda: 0.0)
    for _ in range(5):
        logins.note_answer(make_request(), failure("alice@h"), now=5.0)

    assert len(logins.failures) == 0


def test_an_operators_entry_bans_and_a_text_does_not() -> None:
    logins = Logins(Security(), lambda: 0.0)
    request = make_request(DIGEST.format("alice", "h"))
    logins.failures.set("alice@h::auth_count", "many", 5.0)
    logins.check(request, 5.0)
    logins.failures.set("alice@h::auth_count", 3, 5.0)
    with pytest.raises(TryAgainLater):
        logins.check(request, 5.0)
