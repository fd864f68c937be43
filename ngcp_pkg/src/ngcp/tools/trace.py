"""Follows a trace of a daemon and shows each message: whole, on one line, as JSON, or in a capture file."""

import base64
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from ngcp.service.commands import Json
from ngcp.sip.transport.flow import Address, format_address, parse_host
from ngcp.tools.control import Name, ask
from ngcp.tools.pcap import PcapWriter

#: Seconds between two questions for news.
POLL: Final = 0.25
#: What `-` stands for.
STDOUT: Final = "/dev/stdout"
#: Characters of a Call-ID in a summary.
SHORT: Final = 24

#: What would move a terminal's cursor or worse; tabs and line ends are ours to keep.
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
_CALL_ID: Final = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*(\S+)")

Show = Callable[["Message"], None]


class Message(NamedTuple):
    """A message that the daemon received or sent."""

    at: float
    """Unix time."""
    is_outbound: bool
    transport: str
    local: Address
    """The daemon's own address."""
    remote: Address
    data: bytes

    @property
    def source(self) -> Address:
        """Who sent it."""
        return self.local if self.is_outbound else self.remote

    @property
    def destination(self) -> Address:
        """Who gets it."""
        return self.remote if self.is_outbound else self.local

    @property
    def text(self) -> str:
        """What it says, harmless to a terminal."""
        return _harmless(self.data.replace(b"\r\n", b"\n"))


@dataclass(frozen=True, slots=True)
class Wish:
    """How an operator wants a trace shown."""

    pcap: str | None = None
    """A file to write, `-` for the standard output."""
    summary: bool = False
    """One line a message."""
    as_json: bool = False
    """One JSON object a line."""
    count: int = 0
    """Messages after which to end; 0 is never."""


def follow(name: Name, pattern: str, wish: Wish) -> None:
    """Show what matches `pattern` until interrupted, or until as many as wished were shown."""
    with ExitStack() as stack:
        try:
            show = _make_show(wish, stack)
        except OSError as error:
            raise typer.BadParameter(f"{wish.pcap}: {error.strerror}") from error
        number = ask(name, "trace.start", pattern)
        if sys.stderr.isatty():
            print(f"tracing {name.value}; Ctrl-C ends it", file=sys.stderr)
        try:
            for shown, message in enumerate(_messages(name, number), 1):
                show(message)
                if shown == wish.count:
                    break
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:  # `| head` has seen enough; there is nothing to flush for at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ask(name, "trace.stop", number)  # where this is not reached, it ends because nobody reads it


def _messages(name: Name, number: Json) -> Iterator[Message]:
    while True:
        answer = ask(name, "trace.read", number)
        assert isinstance(answer, dict), "what trace.read returns"
        if answer["lost"]:
            print(f"{answer['lost']} messages were lost: too many match", file=sys.stderr)
        messages = answer["messages"]
        assert isinstance(messages, list), "what trace.read returns"
        yield from map(_read, messages)
        if not answer["more"]:
            time.sleep(POLL)


def _read(row: Json) -> Message:
    assert isinstance(row, dict), "what trace.read returns"
    return Message(
        float(str(row["at"])),
        row["direction"] == "out",
        str(row["transport"]),
        _address(str(row["local"])),
        _address(str(row["remote"])),
        base64.b64decode(str(row["data"])),
    )


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return parse_host(host), int(port)


def _make_show(wish: Wish, stack: ExitStack) -> Show:
    if wish.pcap is not None:
        path = Path(STDOUT if wish.pcap == "-" else wish.pcap)
        writer = PcapWriter(stack.enter_context(path.open("wb")))
        return lambda message: writer.write(message.at, message.source, message.destination, message.data)
    if wish.as_json:
        return lambda message: print(json.dumps(_as_json(message)), flush=True)
    console = Console(highlight=False, soft_wrap=True)

    def show(message: Message) -> None:
        console.print(Text(head(message), "cyan" if message.is_outbound else "green"))
        if not wish.summary:
            console.print(Text(f"{message.text.rstrip()}\n"))
        sys.stdout.flush()

    return show


def head(message: Message) -> str:
    """Write when, how and between whom; then what it is, and the beginning of its Call-ID."""
    when = datetime.fromtimestamp(message.at).strftime("%H:%M:%S.%f")
    way = "out" if message.is_outbound else "in "
    parties = f"{format_address(message.source)} > {format_address(message.destination)}"
    call_id = _CALL_ID.search(message.data)
    which = f" [{_harmless(call_id[1])[:SHORT]}]" if call_id else ""
    first = message.text.lstrip("\n").partition("\n")[0].removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")
    return f"{when} {way} {message.transport} {parties} {first[:120] or '(keep-alive)'}{which}"


def _harmless(data: bytes) -> str:
    return data.decode(errors="backslashreplace").translate(_CONTROL)


def _as_json(message: Message) -> dict[str, Json]:
    return {
        "at": message.at,
        "direction": "out" if message.is_outbound else "in",
        "transport": message.transport,
        "source": format_address(message.source),
        "destination": format_address(message.destination),
        "message": message.data.decode(errors="backslashreplace"),
    }
