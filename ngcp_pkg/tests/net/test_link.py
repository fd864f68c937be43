"""Packets between two processes: whole, in order, and never more of them than fit."""

import asyncio
import socket

from net.loop import run
from ngcp.net.link import LONGEST, WAITING, Link


async def pair(received: list[bytes]) -> tuple[Link, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    return Link(ours, received.append, lambda: None), theirs


def test_what_the_kernel_does_not_keep_waits_and_stays_in_order() -> None:
    async def test() -> None:
        link, far = await pair([])
        packets = [f"{number} ".encode() + bytes(10_000) for number in range(200)]
        assert all(link.send(packet) for packet in packets)

        arrived: list[bytes] = []
        while len(arrived) < len(packets):
            arrived.append(await asyncio.get_running_loop().sock_recv(far, LONGEST))

        assert arrived == packets
        assert link.lost == 0
        link.close()
        far.close()

    run(test)


def test_what_does_not_fit_is_lost_and_counted() -> None:
    async def test() -> None:
        link, far = await pair([])
        assert not link.send(bytes(LONGEST + 1))
        sent = 0
        while link.send(bytes(LONGEST)):
            sent += 1

        assert sent * LONGEST >= WAITING - LONGEST
        assert link.lost == 2
        link.close()
        far.close()

    run(test)


def test_packets_arrive_whole() -> None:
    async def test() -> None:
        received: list[bytes] = []
        link, far = await pair(received)
        for packet in (b"one", b"two", bytes(LONGEST)):
            await asyncio.get_running_loop().sock_sendall(far, packet)
        while len(received) < 3:
            await asyncio.sleep(0)

        assert received == [b"one", b"two", bytes(LONGEST)]
        link.close()
        far.close()

    run(test)


def test_the_end_of_the_other_process_is_no_error() -> None:
    async def test() -> None:
        link, far = await pair([])
        far.close()

        assert link.send(b"late")
        assert link.lost == 1
        link.close()

    run(test)
