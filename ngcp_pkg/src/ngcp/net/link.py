"""One end of a pair of sockets that carry packets between two processes of ours, in order and whole."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

#: Bytes of a packet, at most: a SIP message of the largest size, and what is said about it.
LONGEST: Final = 96 * 1024
#: Bytes that may wait for the other process beyond what the kernel keeps; what comes then is lost.
WAITING: Final = 4 * 1024 * 1024
#: Packets read in one turn; then timers and other sockets get theirs.
DRAIN: Final = 64


class Link:
    """Our end, on the running loop."""

    def __init__(
        self, own: socket.socket, received: Callable[[bytes], None], drained: Callable[[], None]
    ) -> None:
        """Hand each packet to `received` and say `drained` once a turn."""
        self.lost = 0
        """Packets that the other process was too busy for."""
        self._socket = own
        self._received = received
        self._drained = drained
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._loop = asyncio.get_running_loop()
        own.setblocking(False)
        self._loop.add_reader(own, self._drain)

    def send(self, packet: bytes) -> bool:
        """Send one packet, now or soon; False if it is lost: too long, or the other does not keep up."""
        if len(packet) > LONGEST or self._size + len(packet) > WAITING:
            self.lost += 1
            return False
        if self._waiting or not self._write(packet):
            if not self._waiting:
                self._loop.add_writer(self._socket, self._flush)
            self._waiting.append(packet)
            self._size += len(packet)
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()

    def _write(self, packet: bytes) -> bool:
        try:
            self._socket.send(packet)
        except BlockingIOError:
            return False
        except OSError:  # the other process is gone, and we shall be soon
            self.lost += 1
        return True

    def _flush(self) -> None:
        while self._waiting and self._write(self._waiting[0]):
            self._size -= len(self._waiting.popleft())
        if not self._waiting:
            self._loop.remove_writer(self._socket)

    def _drain(self) -> None:
        for _ in range(DRAIN):
            try:
                packet = self._socket.recv(LONGEST)
            except BlockingIOError:
                break
            except OSError:
                packet = b""
            if not packet:  # its process is gone: whoever supervises us does what is to be done
                self._loop.remove_reader(self._socket)
                break
            self._received(packet)
        self._drained()
