"""UDP sockets that drain themselves: one wake-up of the loop reads all that has arrived, up to a cap.

asyncio's own datagram protocol costs about 20 µs a message more than `recvfrom` until it would block. With
the compiled module up to 64 datagrams share a system call, in both directions.
"""

import asyncio
import functools
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ngcp.sip.transport.flow import Address

#: Datagrams read in one turn; then timers and other sockets get theirs.
DRAIN: Final = 64
#: Bytes of receive buffer to ask for: bursts wait here while Python is busy (the kernel caps it).
RECEIVE_BUFFER: Final = 4 * 1024 * 1024
MAXIMUM_DATAGRAM: Final = 65_535
#: Socket options of Linux (ip(7), ipv6(7)) that Python does not name.
IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25


@functools.lru_cache(4096)
def family_of(host: str) -> socket.AddressFamily | None:
    """Return the family of an IP address, None for what is no address: nothing here resolves names."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return family
    return None


def receive_datagrams(udp: socket.socket, count: int) -> list[tuple[bytes, Address]]:
    """Return one of the datagrams that wait, as `count` is 1; an error is raised but once."""
    try:
        data, remote = udp.recvfrom(MAXIMUM_DATAGRAM)
    except BlockingIOError:
        return []
    return [(data, remote[:2])]


def send_datagrams(udp: socket.socket, datagrams: list[tuple[bytes, Address]]) -> int:
    """Send datagrams in their order, up to the first with an error, and return how many they were."""
    for gone, (data, remote) in enumerate(datagrams):
        if family_of(remote[0]) is None:
            return gone
        try:
            udp.sendto(data, remote)
        except (OSError, OverflowError):
            return gone
    return len(datagrams)


if TYPE_CHECKING:
    BATCH: int
    receive_batch, send_batch = receive_datagrams, send_datagrams
else:
    try:
        from ngcp_speed import BATCH
        from ngcp_speed import receive_datagrams as receive_batch
        from ngcp_speed import send_datagrams as send_batch
    except ImportError:  # the two above are the specification; those take up to BATCH to a system call
        BATCH, receive_batch, send_batch = 1, receive_datagrams, send_datagrams


class UdpSocket:
    """A bound UDP socket on the running loop."""

    def __init__(
        self,
        local: Address,
        received: Callable[[bytes, Address], None],
        drained: Callable[[], None] = lambda: None,
        tos: int = 0,
        *,
        shared: bool = False,
        turn: int = DRAIN,
    ) -> None:
        """Hand each datagram to `received(data, remote)`, which raises nothing; say `drained()` once a turn.

        A turn is so many datagrams at most.

        Processes may open the same address, all `shared`: the kernel keeps a peer with one of them.
        """
        family = family_of(local[0])
        if family is None:
            raise ValueError(f"{local[0]} is no IP address")
        self._received, self._turn = received, turn
        self._drained = drained
        self._unreachable: Callable[[Address], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._configure(family, tos)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
            self._socket.bind(local)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._drain)

    def _configure(self, family: socket.AddressFamily, tos: int) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if family is socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)

    @property
    def address(self) -> Address:
        """Our own address, with the port that the kernel chose for port 0."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def connect(self, remote: Address) -> None:
        """From now on hear nobody but `remote`."""
        self._socket.connect(remote)

    def watch(self, unreachable: Callable[[Address], None]) -> None:
        """Say `unreachable(remote)` when an ICMP error says so; for networks where nobody forges those."""
        option = (
            (socket.IPPROTO_IP, IP_RECVERR)
            if self._socket.family is socket.AF_INET
            else (socket.IPPROTO_IPV6, IPV6_RECVERR)
        )
        self._socket.setsockopt(*option, 1)
        self._unreachable = unreachable

    def send(self, data: bytes, remote: Address) -> bool:
        """Send one datagram; False if it cannot go there (a full buffer counts as loss on the way)."""
        if family_of(remote[0]) is None:
            return False
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            return True
        except (OSError, OverflowError):  # no route, too large, refused, port out of range …
            return self._unreachable is not None and self._send_again(data, remote)
        return True

    def send_all(self, datagrams: list[tuple[bytes, Address]]) -> list[int]:
        """Send datagrams in their order; return the places of those for which `send` would be False."""
        gone = send_batch(self._socket, datagrams)
        if gone == len(datagrams):
            return []
        if self._unreachable is not None:  # perhaps an earlier datagram's error, which is told but once
            self._loop.call_soon(self._listen_again)
        return [place for place in range(gone, len(datagrams)) if not self.send(*datagrams[place])]

    def _send_again(self, data: bytes, remote: Address) -> bool:
        """Send what failed for an earlier datagram's error, perhaps to another peer."""
        self._loop.call_soon(self._listen_again)
        try:
            self._socket.sendto(data, remote)
        except (OSError, OverflowError):
            return False
        return True

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._received = _ignore  # the rest of a batch

    def _drain(self) -> None:
        left = self._turn
        while left > 0:
            wanted = min(BATCH, left)
            try:
                batch = receive_batch(self._socket, wanted)
            except OSError:  # an ICMP error of an earlier send; there may be datagrams behind it
                self._listen_again()
                left -= 1
                continue
            for data, remote in batch:
                self._received(data, remote)
            if len(batch) < wanted:
                break
            left -= wanted
        self._drained()

    def _listen_again(self) -> None:
        """Go on after an error: uvloop watches a socket that had one no more."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._loop.add_reader(self._socket, self._drain)
        if self._unreachable is not None:
            self._report_errors(self._unreachable)

    def _report_errors(self, unreachable: Callable[[Address], None]) -> None:
        for _ in range(DRAIN):
            try:
                _, _, _, remote = self._socket.recvmsg(0, 0, socket.MSG_ERRQUEUE)
            except OSError:
                return
            unreachable(remote[:2])


def _ignore(data: bytes, remote: Address) -> None:
    pass


class UdpRequester:
    """Asks one server over UDP and matches answers by cookie: `COOKIE SP payload` both ways (ng protocol)."""

    def __init__(self, remote: Address, cookies: Callable[[], str], timeout: float = 1.0) -> None:
        """Give up on an answer after `timeout` seconds; a lost datagram is repeated within that time."""
        self._remote = remote
        self._cookies = cookies
        self._timeout = timeout
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._socket = UdpSocket(("::" if ":" in remote[0] else "0.0.0.0", 0), self._receive)
        self._socket.connect(remote)

    async def request(self, payload: bytes) -> bytes:
        """Return the answer's payload; `TimeoutError` or `ConnectionError` if the server does not answer."""
        cookie, loop = self._cookies().encode(), asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting[cookie] = answer
        try:
            self._ask(cookie + b" " + payload, answer, self._timeout / 8, loop.time() + self._timeout)
            return await answer
        finally:
            del self._waiting[cookie]

    def _ask(self, datagram: bytes, answer: asyncio.Future[bytes], interval: float, deadline: float) -> None:
        """Send, and again after `interval` seconds, then after twice as many, until the deadline."""
        if answer.done():
            return
        loop = answer.get_loop()
        left = deadline - loop.time()
        if left <= 0:
            answer.set_exception(TimeoutError())
        elif not self._socket.send(datagram, self._remote):
            host, port = self._remote[:2]
            answer.set_exception(ConnectionError(f"udp {host}:{port} is unreachable"))
        else:
            loop.call_later(min(interval, left), self._ask, datagram, answer, 2 * interval, deadline)

    def close(self) -> None:
        """Let go of the socket; requests under way run into their time-out."""
        self._socket.close()

    def _receive(self, data: bytes, remote: Address) -> None:
        cookie, _, payload = data.partition(b" ")
        answer = self._waiting.get(cookie)
        if answer is not None and not answer.done():
            answer.set_result(payload)
