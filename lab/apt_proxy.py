"""An HTTP proxy through which apt in the lab reaches this host's own Debian mirrors, and nothing else.

Its listening socket is in the lab's network, its outgoing connections are in the host's.
Started as `python3 -m lab.apt_proxy` by lab.network.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from typing import Final
from urllib.parse import urlsplit

from lab import network
from lab.settings import APT_PROXY_PORT, GATEWAY

#: Requests are short; a head larger than this is none of apt's.
MAX_HEAD: Final = 65536
#: Headers that concern the connection to us, not the mirror's (RFC 9110 §7.6.1).
HOP_BY_HOP: Final = (b"connection:", b"proxy-connection:", b"proxy-authorization:")


class Refused(Exception):
    """A request that this proxy does not carry; the text is the status line's."""


def mirrors() -> frozenset[str]:
    """List the hosts that this machine's own apt sources name."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], capture_output=True, text=True, check=True
    )
    return frozenset(host for site in listing.stdout.split() if (host := urlsplit(site).hostname))


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until its end."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError, OSError):
        writer.write_eof()


class AptProxy:
    """Answers GET and HEAD of absolute URIs, and CONNECT, for the allowed hosts."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Carry one connection: one request, or one tunnel."""
        try:
            head = await client.readuntil(b"\r\n\r\n")
            server, to_server = await self._forward(head, to_client)
            await asyncio.gather(relay(client, to_server), relay(server, to_client))
            to_server.close()
        except Refused as refusal:
            to_client.write(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as problem:
            print(f"connection lost: {problem}", file=sys.stderr, flush=True)
        finally:
            to_client.close()

    async def _forward(
        self, head: bytes, to_client: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open the connection that a request asks for and pass the request on."""
        start, *lines = head[:-4].split(b"\r\n")
        try:
            method, target, _ = start.decode("ascii").split(" ")
            url = urlsplit(f"//{target}" if method == "CONNECT" else target)
            host, port = url.hostname or "", url.port or 80
        except ValueError:
            raise Refused("400 Bad Request") from None
        if host not in self._allowed:
            print(f"refused: {method} {target}", file=sys.stderr, flush=True)
            raise Refused("403 Not a mirror of this machine")
        reader, writer = await asyncio.open_connection(host, port, limit=MAX_HEAD)
        if method == "CONNECT":
            to_client.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            kept = [line for line in lines if not line.lower().startswith(HOP_BY_HOP)]
            writer.write(
                b"\r\n".join([f"{method} {path} HTTP/1.1".encode(), *kept, b"Connection: close", b"", b""])
            )
        return reader, writer


async def main() -> None:
    """Serve until killed."""
    with network.inside():
        listening = socket.create_server((GATEWAY, APT_PROXY_PORT))
    proxy = AptProxy(mirrors())
    server = await asyncio.start_server(proxy.serve, sock=listening, limit=MAX_HEAD)
    print(f"listening in {os.getpid()}, mirrors: {', '.join(sorted(mirrors()))}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
