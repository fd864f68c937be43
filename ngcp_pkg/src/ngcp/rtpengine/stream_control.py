"""The ng protocol over TCP: connections of a few clients inside, each a stream of commands."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from ngcp.ng.commands import NgError
from ngcp.ng.framing import Framer
from ngcp.service.listener import Listener

from .flows import Address

MAXIMUM_CONNECTIONS: Final = 64
CHUNK: Final = 65_536

_log = logging.getLogger(__name__)


class StreamControl(Listener):
    """Answers each command on the connection it came by; one that cannot be followed is hung up on."""

    def __init__(self, execute: Callable[[bytes, Address], bytes | None]) -> None:
        super().__init__(self._serve, MAXIMUM_CONNECTIONS)
        self._execute = execute

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        framer = Framer()
        try:
            while data := await reader.read(CHUNK):
                for message in framer.feed(data):
                    writer.write(self._execute(message, (host, port)) or b"")
                await writer.drain()
        except NgError as error:
            _log.warning("connection of %s:%d closed: %s", host, port, error)
        except OSError:
            pass  # it left without waiting for the answer
