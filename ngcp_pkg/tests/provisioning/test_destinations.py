"""What destinations stand for, as tables."""

import pytest

from ngcp.provisioning.destinations import LONGEST, SERVICES, simple, uri_of, word_of
from ngcp.sip.syntax import Uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("voicebox", "sip:vmu4311001@voicebox.local"),
        ("fax2mail", "sip:fax=4311001@fax2mail.local"),
        ("conference", "sip:conf=4311001@conference.local"),
        ("callingcard", "sip:callingcard@app.local"),
        ("callthrough", "sip:callthrough@app.local"),
        ("autoattendant", "sip:auto-attendant@app.local"),
        ("officehours", "sip:office-hours@app.local"),
        ("customhours", "sip:custom-hours@app.local"),
        ("managersecretary", "sip:4311001@managersecretary.local"),
        ("4312002", "sip:4312002@example.org"),
        ("+4312002", "sip:4312002@example.org"),
        ("*97", "sip:*97@example.org"),
        ("bob", "sip:bob@example.org"),
        ("bob@example.net", "sip:bob@example.net"),
        ("sip:4312002", "sip:4312002@example.org"),
        ("SIP:bob@example.net:5080;transport=tcp", "sip:bob@example.net:5080;transport=tcp"),
        ("sips:bob@example.net", "sips:bob@example.net"),
        ("sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::1]"),
    ],
)
def test_what_a_destination_stands_for(text: str, uri: str) -> None:
    assert uri_of(text, "4311001", "example.org") == uri


def test_who_is_busy_has_a_greeting_of_its_own() -> None:
    assert uri_of("voicebox", "4311001", "example.org", "cfb") == "sip:vmb4311001@voicebox.local"
    assert uri_of("bob", "4311001", "example.org", "cfb") == "sip:bob@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "two words",
        "sip:",
        "sip:@example.org",
        "tel:+431",
        "http://example.org",
        "bob@",
        "a@b@c",
        "bob@example.org>",
        "sip:bob@exa mple.org",
        "bob;x",
        "1\r\nX: y",
        "1" * LONGEST,
    ],
)
def test_what_stands_for_nothing(text: str) -> None:
    with pytest.raises(ValueError):
        uri_of(text, "4311001", "example.org")


@pytest.mark.parametrize("word", SERVICES)
def test_services_are_known_by_their_uris(word: str) -> None:
    uri = uri_of(word, "4311001", "example.org")
    assert Uri.parse(uri).user
    assert word_of(uri) == word
    assert simple(uri, "example.org") is None


@pytest.mark.parametrize(
    ("uri", "short"),
    [
        ("sip:4312002@example.org", "4312002"),
        ("sip:bob@example.net", "bob@example.net"),
        ("sip:bob@app.local", "bob@app.local"),
    ],
)
def test_how_a_subscriber_would_write_it(uri: str, short: str) -> None:
    assert word_of(uri) is None
    assert simple(uri, "example.org") == short
