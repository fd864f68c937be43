"""Messages of the ng protocol in a stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.ng.commands import Message, NgError
from ngcp.ng.framing import Framer

MESSAGES = [
    bytes(Message("1", {"command": "ping"})),
    bytes(Message("2_b", {"command": "query", "call-id": "a e:7", "n": -12, "l": [[], {}, ["x"]]})),
    bytes(Message("3", {"command": "ping"}, is_json=True)),
    bytes(Message("4", {"command": 'a"}{\\', "flags": ["[", "]"], "empty": {}}, is_json=True)),
    b"5 " + b'{"a" : "\\\\" , "b": [1, {"c": "\\""}]}',
    bytes(Message("6", {"sdp": "v=0\r\n" + "x" * 3000})),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(MESSAGES), max_size=6), st.lists(st.integers(1, 300), max_size=40))
def test_messages_arrive_however_the_stream_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    stream, framer, found = b"\r\n".join(messages), Framer(), []
    for length in [*cuts, len(stream)]:
        found += framer.feed(stream[:length])
        stream = stream[length:]
    assert found == messages


def test_byte_by_byte() -> None:
    framer = Framer()
    stream = b"".join(MESSAGES)
    assert [message for byte in stream for message in framer.feed(bytes([byte]))] == MESSAGES


@pytest.mark.parametrize(
    "stream",
    [
        b"x" * 256,
        b"1 x",
        b"1 d3:abcx",
        b"1 d99999999:",
        b"1 e",
        b"1 i" + b"1" * 30,
        b"1 " + b"l" * 17,
        b"1 " + b"[" * 17,
        b'1 {"a": "' + b"x" * 70_000,
        b"1 d65535:" + b"x" * 66_000,
    ],
)
def test_stream_that_cannot_be_followed_is_given_up(stream: bytes) -> None:
    framer = Framer()
    with pytest.raises(NgError):
        for start in range(0, len(stream), 1000):
            framer.feed(stream[start : start + 1000])


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_cut_or_refused(data: bytes) -> None:
    framer = Framer()
    try:
        framer.feed(b"1 " + data)
    except NgError:
        return
    assert framer.feed(b"") == []
