"""One TCP port for SIP and for HTTP: the first bytes of a connection tell which."""

from typing import Final

from ngcp.net.connection import Foreign
from ngcp.sip.transport.framing import StreamFramer

#: How HTTP requests begin that anybody sends here; no SIP method is called so.
METHODS: Final = (b"POST ", b"GET ", b"HEAD ", b"PUT ")


class SniffingFramer(StreamFramer):
    """Cuts SIP messages, or raises `Foreign` as soon as the peer turns out to speak HTTP."""

    __slots__ = ("_head", "_is_decided")

    def __init__(self) -> None:
        super().__init__()
        self._head = b""
        self._is_decided = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the SIP messages they complete."""
        if self._is_decided:
            return super().feed(data)
        head = self._head + data
        if head.startswith(METHODS):
            raise Foreign(head)
        if any(method.startswith(head) for method in METHODS):
            self._head = head
            return []
        self._head = b""
        self._is_decided = True
        return super().feed(head)
