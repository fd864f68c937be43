"""What strangers send is read in linear time: by the shape of every pattern, and by counting steps."""

import gc
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

import ngcp.sdp
import ngcp.sip.syntax
from ngcp.lb import sanity
from ngcp.sdp.description import Description
from ngcp.sdp.errors import SdpError
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri, parse
from ngcp.sip.syntax.fields import parse_auth, split_first, split_list

#: Going back over so few characters costs nothing.
FEW = 10

_parser: Any = importlib.import_module("re._parser")
_constants: Any = importlib.import_module("re._constants")


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Return every compiled pattern of the rooms that read what strangers send."""
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for package in (ngcp.sip.syntax, ngcp.sdp)
        for found in pkgutil.iter_modules(package.__path__)
    ]
    for module in (*modules, sanity):
        for name, value in vars(module).items():
            values = value.values() if isinstance(value, dict) else (value,)
            for number, pattern in enumerate(values):
                if isinstance(pattern, re.Pattern):
                    yield f"{module.__name__}.{name}[{number}]", pattern


def going_back(tree: Iterable[tuple[Any, Any]]) -> Iterator[Any]:
    """Return the repetitions in a parsed pattern that give characters back."""
    for operation, argument in tree:
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT) and argument[1] > FEW:
            yield argument
        for part in argument if isinstance(argument, (tuple, list)) else (argument,):
            for inner in part if isinstance(part, list) else (part,):
                if isinstance(inner, _parser.SubPattern):
                    yield from going_back(inner)


@pytest.mark.parametrize(("name", "pattern"), patterns(), ids=lambda value: str(value)[:60])
def test_no_repetition_gives_characters_back(name: str, pattern: re.Pattern[str]) -> None:
    """A match that never goes back takes as many steps as there are characters."""
    assert list(going_back(_parser.parse(pattern.pattern, pattern.flags))) == []


def test_the_check_finds_what_it_looks_for() -> None:
    assert len(list(patterns())) > FEW
    assert list(going_back(_parser.parse(r"(?:a(b|\s*)c)?")))
    assert not list(going_back(_parser.parse(r"(?:a(b|\s*+)c)*+\d{1,5}")))


@pytest.mark.parametrize("text", ['"' + '\\"' * 1000, "<" * 1000, '"' * 1001, 'a"\\', '<a"'])
def test_an_open_quote_or_bracket_reaches_to_the_end(text: str) -> None:
    """Otherwise each further one would be looked for in all the rest again."""
    assert split_list(text + ",") == [text + ","]
    assert split_first(text + ",") == (text + ",", "")


HEAD = b"INVITE sip:b@h SIP/2.0\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"


def message(*lines: bytes) -> Callable[[], None]:
    """Return work on a message: read it, ask for everything, edit, write."""
    data = HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n"

    def work() -> None:
        with suppress(SipError):
            request = parse(data)
            for name in ("Via", "Contact", "Route", "Subject"):
                request.all(name)
                if name in request:
                    request.pop_first(name)
                    request.prepend(name, "x")
            _ = request.via
            bytes(request)

    return work


def uri(text: str) -> Callable[[], None]:
    def work() -> None:
        with suppress(SipError):
            str(Uri.parse(text))

    return work


def sdp(text: str) -> Callable[[], None]:
    def work() -> None:
        with suppress(SdpError):
            bytes(Description.parse(text.encode()))

    return work


def auth(text: str) -> Callable[[], None]:
    def work() -> None:
        with suppress(SipError):
            parse_auth(text)

    return work


WORST: dict[str, Callable[[int], Callable[[], None]]] = {
    "values": lambda n: message(b"Via: " + b"SIP/2.0/UDP h," * n),
    "empty values": lambda n: message(b"Route: " + b"," * n),
    "parameters": lambda n: message(b"Via: SIP/2.0/UDP h" + b";a=b" * n),
    "quoted parameters": lambda n: message(b"Contact: <sip:a@h>" + b';a="b;"' * n),
    "open brackets": lambda n: message(b"Route: " + b"<," * n),
    "open quotes": lambda n: message(b"Contact: " + b'"\\",' * n),
    "blanks": lambda n: message(b"Via: SIP/2.0/UDP h" + b" " * n + b"x"),
    "blanks before a bracket": lambda n: message(b"Contact: " + b" " * n + b'"<'),
    "folds": lambda n: message(b"Subject:" + b"\r\n x" * min(n, 200)),
    "blanks and folds": lambda n: message(b"Subject: a" + b" " * n + b"b\r\n c"),
    "user": lambda n: uri("sip:" + "a" * n + "@"),
    "host": lambda n: uri("sip:h" + "-a" * n + "-"),
    "URI parameters": lambda n: uri("sip:h" + ";a=b" * n + ";"),
    "credentials": lambda n: auth("Digest " + 'a="\\"b",' * n + "="),
    "description": lambda n: sdp("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n" + "a=x\r\n" * n),
}


@contextmanager
def counting(count: Callable[[], None]) -> Iterator[None]:
    """Call `count` for each instruction of the interpreter meanwhile."""
    if sys.version_info >= (3, 12):  # where tracing leaves out some of what is traced for the first time
        tool, events = sys.monitoring.PROFILER_ID, sys.monitoring.events
        sys.monitoring.use_tool_id(tool, "steps")
        sys.monitoring.register_callback(tool, events.INSTRUCTION, lambda *_: count())
        sys.monitoring.set_events(tool, events.INSTRUCTION)
        try:
            yield
        finally:
            sys.monitoring.set_events(tool, events.NO_EVENTS)
            sys.monitoring.free_tool_id(tool)
        return

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            count()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def steps(work: Callable[[], None]) -> int:
    """Count the instructions of the interpreter that `work` takes."""
    counted: list[None] = []
    work()  # what is looked up once and remembered is no part of it
    gc.disable()  # nor are the last words of what other tests left behind
    try:
        with counting(lambda: counted.append(None)):
            work()
    finally:
        gc.enable()
    return len(counted)


@pytest.mark.parametrize("shape", WORST)
def test_twice_as_much_takes_twice_as_long(shape: str) -> None:
    once, twice = steps(WORST[shape](100)), steps(WORST[shape](200))

    assert 0 < once <= twice * 1.01
    assert twice < 2.2 * once
