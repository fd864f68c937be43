"""Metrics for Prometheus: a daemon's statistics in, its text format 0.0.4 out, served on 127.0.0.1.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ngcp.service.commands import CommandError
from ngcp.service.listener import Listener
from ngcp.service.statistics import Statistics

#: Who scrapes is on the node; whoever is not goes through what the operator puts in front.
ADDRESS: Final = "127.0.0.1"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MAXIMUM_CONNECTIONS: Final = 16
MAXIMUM_HEAD: Final = 8192
#: Seconds a scraper may take, to ask and to listen.
PATIENCE: Final = 5.0

_UNNAMEABLE: Final = re.compile(r"[^a-zA-Z0-9_]+")
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a daemon's configuration says of its metrics."""

    port: int | None = None
    """TCP port of 127.0.0.1 where they are at /metrics; without one they are nowhere."""

    def __post_init__(self) -> None:
        if self.port is not None and not 0 < self.port < 65536:
            raise ValueError(f"{self.port} is no port")


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: the statistic of that name, or all of a group with what distinguishes them as a label."""

    source: str
    """`sent` or, with a label, the group of `requests.INVITE`."""
    name: str
    help: str
    """One line."""
    kind: Literal["counter", "gauge"] = "counter"
    label: str = ""

    def samples(self, statistics: Statistics) -> Iterator[str]:
        """Write its lines; a single counter begins at 0, of a group only what has happened is there."""
        if not self.label:
            yield f"{self.name} {_number(statistics.get(self.source, 0))}"
            return
        group = f"{self.source}."
        for name, value in statistics.items():
            if name.startswith(group):
                value_of_label = name[len(group) :].translate(_ESCAPES)
                yield f'{self.name}{{{self.label}="{value_of_label}"}} {_number(value)}'

    def covers(self, name: str) -> bool:
        """Whether a statistic is in this family; the sum of a group is, too: Prometheus sums by itself."""
        return name == self.source or bool(self.label and name.startswith(f"{self.source}."))


#: What every daemon has, under the names that Prometheus gives it.
PROCESS: Final = (
    Family("process.cpu_seconds", "process_cpu_seconds_total", "CPU time used."),
    Family("process.resident_memory_bytes", "process_resident_memory_bytes", "Memory held.", "gauge"),
    Family("process.open_fds", "process_open_fds", "Open file descriptors.", "gauge"),
    Family("process.start_time_seconds", "process_start_time_seconds", "Unix time of the start.", "gauge"),
)


def exposition(prefix: str, families: Sequence[Family], statistics: Statistics) -> str:
    """Write the families; what no family covers follows untyped, named by `prefix` and itself."""
    lines: list[str] = []
    for family in families:
        lines += (f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}")
        lines += family.samples(statistics)
    for name, value in statistics.items():
        if not any(family.covers(name) for family in families):
            lines.append(f"{prefix}_{_UNNAMEABLE.sub('_', name)} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: int | float) -> str:
    return repr(value)


class MetricsServer(Listener):
    """Answers `GET /metrics`, one request a connection."""

    def __init__(self, read: Callable[[], str | Awaitable[str]]) -> None:
        super().__init__(self._answer_one, MAXIMUM_CONNECTIONS, limit=MAXIMUM_HEAD)
        self._read = read

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(await self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # who leaves, sleeps or sends more than a request is hung up on

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        if method != b"GET":
            return _respond("405 Method Not Allowed", "ask by GET\n")
        if rest.partition(b" ")[0].partition(b"?")[0] != b"/metrics":
            return _respond("404 Not Found", "metrics are at /metrics\n")
        try:
            text = self._read()
            return _respond("200 OK", await text if inspect.isawaitable(text) else text)
        except CommandError as error:  # another process of the daemon does not answer
            return _respond("503 Service Unavailable", f"{error.message}\n")


def _respond(status: str, text: str) -> bytes:
    body = text.encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode() + body


async def serve_metrics(read: Callable[[], str | Awaitable[str]], metrics: Metrics) -> MetricsServer:
    """Answer with what `read` returns until the returned server is closed; without a port nobody can ask."""
    server = MetricsServer(read)
    if metrics.port is not None:
        await server.listen(ADDRESS, metrics.port)
    return server
