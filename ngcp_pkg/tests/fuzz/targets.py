"""What is fuzzed: each target takes any bytes, and nothing but the errors it expects may come out.

A target fails by raising. `tests/fuzz/test_targets.py` runs all of them over the corpus and some mutations;
`make fuzz` lets a coverage-guided fuzzer look for more.
"""

import importlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from flows.edge import INTERNAL, PROXY, PUBLIC, PUBLIC_TLS, StubProxy, add_load_balancer
from flows.phones import Phone
from flows.wire import Wire
from ngcp.sdp.description import Description
from ngcp.sdp.errors import SdpError
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import CSeq, NameAddr, Request, Response, Uri, Via, parse
from ngcp.sip.syntax.fields import parse_auth, split_first, split_list
from ngcp.sip.syntax.head import Head
from ngcp.sip.syntax.names import KNOWN
from ngcp.sip.syntax.uri import LWS
from ngcp.sip.transport.flow import Flow
from ngcp.sip.transport.framing import StreamFramer

Target = Callable[[bytes], None]

#: Names, as `module:class`, another implementation of `Head`: target `head` compares it with ours.
IMPLEMENTATION: Final = "NGCP_FUZZ_HEAD"
#: Headers that are asked for and edited: a list, a compact form, one that is no list, one nobody knows.
NAMES: Final = ("via", "Route", "m", "Contact", "subject", "Content-Length", "X-Other")
FLOWS: Final = (
    Flow("udp", PUBLIC, ("203.0.113.66", 5060)),
    Flow("udp", PUBLIC, ("203.0.113.67", 5060)),
    Flow("tcp", PUBLIC, ("203.0.113.68", 40000)),
    Flow("tls", PUBLIC_TLS, ("203.0.113.69", 40000)),
    Flow("udp", INTERNAL, PROXY),
)
#: Between the messages of a conversation, and how many of them there are at most.
SEPARATOR: Final = b"\0--\0"
LONGEST_CONVERSATION: Final = 40
#: Seconds after which nothing of a conversation is left, however long it rings.
END: Final = 3600.0


def parser(data: bytes) -> None:
    """Read, ask, write, edit, write, read again."""
    try:
        message = parse(data)
    except SipError as error:
        if error.request is not None:
            answer = parse(bytes(error.request.reply(400, "No", "tag")))
            assert isinstance(answer, Response)
        return
    written = bytes(message)
    assert bytes(parse(written)) == written
    _ask(message)
    assert bytes(message) == written
    for name in NAMES:
        _edit(message, name)
    again = parse(bytes(message))
    assert bytes(again) == bytes(message)
    assert [again.all(name) for name in NAMES] == [message.all(name) for name in NAMES]


def _ask(message: Request | Response) -> None:
    for name in NAMES:
        assert (message.get(name) is None) == (name not in message)
        message.all(name)
    for ask in (
        lambda: message.via,
        lambda: message.cseq,
        lambda: message.from_.uri,
        lambda: message.to.uri,
        lambda: message.call_id,
        lambda: message.content_length,
    ):
        with suppress(SipError):
            ask()


def _edit(message: Any, name: str) -> None:  # noqa: ANN401  a message, or a head of any implementation
    with suppress(SipError):
        message.replace_first(name, "<sip:new@h>")
    message.prepend(name, "<sip:first@h>")
    with suppress(SipError):
        message.drop_first(name, 2)
    with suppress(SipError):
        message.pop_first(name)
    message.append(name, "<sip:last@h>")
    if name == "subject":
        message.remove(name)
    if name == "Content-Length":
        message.set(name, str(len(message.body)))


def head(data: bytes) -> None:
    """Do the same with two implementations: what they say is the same at every step."""
    for ours, theirs in zip(_story(Head(), data), _story(other_head()(), data), strict=True):
        assert ours == theirs


def other_head() -> Any:  # noqa: ANN401  whatever does as `Head` does
    """Return the implementation to compare with ours: the compiled one, where it is, if none is named."""
    module, _, name = os.environ.get(IMPLEMENTATION, "ngcp_speed:Head").partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError:
        if IMPLEMENTATION in os.environ:
            raise
        return Head


def _story(lines: Any, data: bytes) -> Iterator[object]:  # noqa: ANN401  a head of any implementation
    try:
        start = lines.scan(data)
    except SipError as error:
        yield type(error)
        return
    yield start, lines.shape, lines.lines, lines.body
    yield lines.write(start)
    yield [(lines.get(name), lines.all(name), name in lines) for name in NAMES]
    for name in NAMES:
        twin = lines.twin()
        _edit(lines, name)
        yield lines.write(start), twin.write(start)


def fields(data: bytes) -> None:
    """Read the text as every kind of header field; what can be written is read as the same again."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (Uri.parse, CSeq.parse, Via.parse, NameAddr.parse):
        with suppress(SipError):
            value = read(text)
            str(value)
    with suppress(SipError):
        parse_auth(text)
    with suppress(SipError):
        cseq = CSeq.parse(text)
        assert CSeq.parse(str(cseq)) == cseq
    first, others = split_first(text.strip(LWS))
    left = split_list(others) if others else []
    assert [part for part in (first, *left) if part] == [part for part in split_list(text.strip(LWS)) if part]


def stream(data: bytes) -> None:
    """However a stream is cut, the same messages come out of it."""
    assert _frames(data, len(data) or 1) == _frames(data, 1 + zlib.crc32(data) % 7)


def _frames(data: bytes, size: int) -> tuple[list[bytes], str]:
    framer, messages = StreamFramer(), []
    try:
        for start in range(0, len(data), size):
            messages += framer.feed(data[start : start + size])
    except SipError as error:
        return [], type(error).__name__
    return messages, ""


def description(data: bytes) -> None:
    """Read and write a session description."""
    with suppress(SdpError):
        read = Description.parse(data)
        assert bytes(read) == data


def edge(data: bytes) -> None:
    """Let the load-balancer take it, from outside or inside, and let all its timers run out."""
    _converse([(FLOWS[zlib.crc32(data) % len(FLOWS)], data)])


def conversation(data: bytes) -> None:
    """Let the load-balancer take several messages: the first byte of each says which way it comes."""
    chunks = data.split(SEPARATOR)[:LONGEST_CONVERSATION]
    _converse([(FLOWS[chunk[0] % len(FLOWS)], chunk[1:]) for chunk in chunks if chunk])


def _converse(messages: Iterable[tuple[Flow, bytes]]) -> None:
    wire = Wire()
    balancer = add_load_balancer(wire)
    for flow in FLOWS:
        if flow.is_reliable:
            balancer.connected(flow)
    for flow, data in messages:
        balancer.receive(data, flow, wire.now)
        for sent, way in balancer.messages_to_send():
            parse(sent)
            if flow.local != INTERNAL:
                assert way.remote in (flow.remote, PROXY), "no open relay"
    now = wire.now
    while (due := balancer.next_timer()) is not None and now < wire.now + END:
        now = max(now, due)
        balancer.handle_timer(now)
        balancer.messages_to_send()
    assert balancer.transactions == 0, "nothing is kept"


def record_conversation() -> bytes:
    """Return a call as `conversation` takes it: two phones register, talk, hang up."""
    wire = Wire()
    add_load_balancer(wire)
    StubProxy(wire)
    alice, bob = (Phone(wire, name, flow.remote, PUBLIC) for name, flow in zip("ab", FLOWS[:2], strict=True))
    for attempt in (alice.register(), bob.register()):
        assert wire.run_until(lambda attempt=attempt: attempt.status == 200)  # type: ignore[misc]
    call = alice.call("b")
    assert wire.run_until(lambda: call.is_up and bob.calls[-1].is_acknowledged)
    bye = call.hang_up()
    assert wire.run_until(lambda: bye.status == 200)
    ways = {(flow.local, flow.remote): number for number, flow in enumerate(FLOWS)}
    heard = [packet for packet in wire.packets if (packet.destination, packet.source) in ways]
    return SEPARATOR.join(bytes([ways[packet.destination, packet.source]]) + packet.data for packet in heard)


#: Names that take an input to new code.
HEADERS: Final = tuple(sorted({name.title() for name in KNOWN.values()}))

TARGETS: Final[Mapping[str, Target]] = {
    "parser": parser,
    "head": head,
    "fields": fields,
    "stream": stream,
    "description": description,
    "edge": edge,
    "conversation": conversation,
}
