"""Messages of the ng protocol."""

import pytest

from ngcp.ng.commands import MAX_COOKIE, MalformedDictionary, Message, NgError, NoCookie


def test_request_of_the_protocol_description() -> None:
    """The example of rtpengine's own manual."""
    message = Message.parse(b"5323_1 d7:command4:pinge")
    assert message == Message("5323_1", {"command": "ping"})
    assert bytes(Message("5323_1", {"result": "pong"})) == b"5323_1 d6:result4:ponge"


def test_request_in_json() -> None:
    message = Message.parse(b'5323_1 {"command": "ping"}')
    assert message == Message("5323_1", {"command": "ping"}, is_json=True)
    assert bytes(Message("5323_1", {"result": "pong"}, is_json=True)) == b'5323_1 {"result":"pong"}'


@pytest.mark.parametrize("datagram", [b"", b"d7:command4:pinge", b" d7:command4:pinge", b"c" * 256 + b" de"])
def test_without_a_cookie_nobody_can_be_answered(datagram: bytes) -> None:
    with pytest.raises(NoCookie):
        Message.parse(datagram)


@pytest.mark.parametrize("body", [b"", b"d", b"4:ping", b"de ", b"[]", b"{", b'{"a": 1.5}'])
def test_malformed_dictionary_still_has_a_cookie(body: bytes) -> None:
    with pytest.raises(MalformedDictionary) as caught:
        Message.parse(b"1_2 " + body)
    assert caught.value.cookie == "1_2"
    assert isinstance(caught.value, NgError)


def test_longest_and_foreign_cookies_survive() -> None:
    datagram = b"\xff" * MAX_COOKIE + b" de"
    assert bytes(Message.parse(datagram)) == datagram


def test_texts_of_a_message() -> None:
    message = Message("1", {"call-id": "abc", "to-tag": "", "flags": ["a", 1], "replace": "origin"})
    assert message.text("call-id") == "abc"
    assert message.text("to-tag") is None
    assert message.text("flags") is None
    assert message.texts("flags") == ["a"]
    assert message.texts("replace") == ["origin"]
    assert message.texts("direction") == []
