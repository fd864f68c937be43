"""A TCP server for a few clients inside: whoever comes when there are as many as may be is hung up on."""

import asyncio
from collections.abc import Awaitable, Callable


class Listener:
    """Leads each connection through `converse`, which deals with what it raises; then the connection ends."""

    def __init__(
        self,
        converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        most: int,
        *,
        limit: int = 65536,
    ) -> None:
        """Bound it to `most` connections, each of which keeps some `limit` unread bytes."""
        self._converse = converse
        self._most = most
        self._limit = limit
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Bind and answer from now on."""
        self._server = await asyncio.start_server(self.accept, host, port, limit=self._limit)

    @property
    def port(self) -> int:
        """The bound port."""
        assert self._server is not None, "not listening"
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()

    async def wait_closed(self) -> None:
        """Return once the listening socket is gone."""
        if self._server is not None:
            await self._server.wait_closed()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, wherever it was accepted."""
        if len(self._writers) >= self._most:
            writer.close()
            return
        self._writers.add(writer)
        try:
            await self._converse(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.close()
