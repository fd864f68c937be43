"""What a Prometheus server reads: the text format, taken apart by a reader of our own, and the port."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ngcp.service import process
from ngcp.service.metrics import (
    CONTENT_TYPE,
    MAXIMUM_CONNECTIONS,
    MAXIMUM_HEAD,
    PROCESS,
    Family,
    MetricsServer,
    exposition,
)
from ngcp.service.statistics import Statistics
from service.prometheus import read

FAMILIES = (
    Family("requests", "ngcp_lb_requests_total", "Requests.", label="method"),
    Family("sent", "ngcp_lb_sent_messages_total", "Messages sent."),
    Family("connections", "ngcp_lb_connections", "Connections.", "gauge", "transport"),
)


def test_groups_become_labels_and_single_counters_begin_at_0() -> None:
    statistics: Statistics = {
        "requests.INVITE": 3,
        "requests.other": 1,
        "connections": 2,
        "connections.tcp": 2,
    }

    assert read(exposition("ngcp_lb", FAMILIES, statistics)) == {
        ("ngcp_lb_requests_total", "INVITE"): 3,
        ("ngcp_lb_requests_total", "other"): 1,
        ("ngcp_lb_sent_messages_total", ""): 0,
        ("ngcp_lb_connections", "tcp"): 2,
    }


def test_what_nobody_described_is_there_under_its_own_name() -> None:
    assert read(exposition("ngcp_lb", (), {"dispatcher.fail-overs": 2, "bans": 1.5})) == {
        ("ngcp_lb_dispatcher_fail_overs", ""): 2,
        ("ngcp_lb_bans", ""): 1.5,
    }


def test_a_label_can_be_any_text() -> None:
    reason = '400 "Bad"\\\nHeader'

    assert read(exposition("p", FAMILIES, {f"requests.{reason}": 1}))["ngcp_lb_requests_total", reason] == 1


def test_the_process_tells_what_it_costs() -> None:
    samples = read(exposition("p", PROCESS, {**process.usage()}))

    assert samples["process_cpu_seconds_total", ""] > 0
    assert samples["process_resident_memory_bytes", ""] > 1_000_000
    assert samples["process_open_fds", ""] >= 3
    assert 1.6e9 < samples["process_start_time_seconds", ""] < 1e11


def served(work: Callable[[int], Awaitable[None]]) -> None:
    async def run() -> None:
        server = MetricsServer(lambda: "a_total 1\n")
        await server.listen("127.0.0.1", 0)
        try:
            await work(server.port)
        finally:
            server.close()

    asyncio.run(run())


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status", "body"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", b"200 OK", b"a_total 1\n"),
        (b"GET /metrics?name[]=a HTTP/1.0\r\n\r\n", b"200 OK", b"a_total 1\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found", b"metrics are at /metrics\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405 Method Not Allowed", b"ask by GET\n"),
    ],
)
def test_a_scraper_is_answered(request_: bytes, status: bytes, body: bytes) -> None:
    async def work(port: int) -> None:
        head, _, text = (await ask(port, request_)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
        assert text == body
        assert f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n".encode() in head + b"\r\n"

    served(work)


@pytest.mark.parametrize("request_", [b"x" * (2 * MAXIMUM_HEAD), b"\r\n" * 2, b"\x16\x03\x01\r\n\r\n"])
def test_whoever_is_no_scraper_is_answered_shortly_or_hung_up_on(request_: bytes) -> None:
    async def work(port: int) -> None:
        assert (await ask(port, request_))[:12] in (b"", b"HTTP/1.1 405")
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(b"a_total 1\n")

    served(work)


def test_connections_are_bounded() -> None:
    async def work(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAXIMUM_CONNECTIONS)]
        assert await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n") == b""
        idle[0][1].write(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert (await idle[0][0].read()).endswith(b"a_total 1\n")
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(b"a_total 1\n")
        for _, writer in idle:
            writer.close()

    served(work)
