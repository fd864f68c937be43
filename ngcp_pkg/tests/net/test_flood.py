"""Ten thousand connections that say nothing, while a registered phone still talks."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from net.loop import run, until
from net.test_stream import MESSAGE, serving
from ngcp.net.admission import Limits
from ngcp.sip.transport.flow import Address

FLOOD = 10_000
#: Connections of the flood that are open at a time on its own side.
ABREAST = 500


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Raise the soft limit as far as it is allowed: both ends are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def flood(address: Address, count: int, number: int) -> list[socket.socket]:
    """Open connections from an address of their own, without waiting for any."""
    opened = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.bind((f"127.1.{number // 200}.{number % 200 + 1}", 0))
        with contextlib.suppress(BlockingIOError):
            client.connect(address)
        opened.append(client)
    return opened


def test_a_registered_phone_talks_on() -> None:
    async def test() -> None:
        log, server, address = serving(Limits(connections=300, per_address=ABREAST))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(MESSAGE)
        await until(lambda: len(log.messages) == 1)
        phone = log.messages[0][1]

        for number in range(FLOOD // ABREAST):
            silent = flood(address, ABREAST, number)
            seen = (number + 1) * ABREAST + 1
            await until(lambda seen=seen: len(log.opened) == seen)  # type: ignore[misc] # a bound loop variable
            writer.write(MESSAGE)
            await until(lambda number=number: len(log.messages) == number + 2)  # type: ignore[misc] # likewise
            assert server.send(b"answer", phone.remote)
            assert await reader.readexactly(6) == b"answer"
            for client in silent:
                client.close()

        assert phone not in log.failed
        assert log.counters["connections.evicted"] >= FLOOD // ABREAST * 200
        writer.close()
        server.close()

    run(test)
