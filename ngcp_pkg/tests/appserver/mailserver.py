"""A mail server on loopback (RFC 5321): it takes letters, or says what a test has it say."""

import asyncio
import base64
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Self

from ngcp.appserver.post import MailServer

USER, PASSWORD = "ngcp", "correct horse"


@dataclass
class Inbox:
    """The server, and what it took."""

    security: str = "none"
    certificate: Path | None = None
    """Of its TLS, the private key behind it."""
    says: dict[str, bytes] = field(default_factory=dict)
    """Answers by command that are not the usual ones; `.` is the end of the text, `""` the greeting."""
    drops: str = ""
    """The command at which it hangs up instead."""
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        tls = self._context() if self.security == "tls" else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def seen_by(self, **values: str) -> MailServer:
        """Return how a client is told of it."""
        ca_file = "" if self.certificate is None else str(self.certificate)
        return MailServer("127.0.0.1", self.port, self.security, ca_file, **values)

    def _context(self) -> ssl.SSLContext:
        assert self.certificate is not None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate)
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, to = "", list[str]()
        writer.write(self.says.get("", b"220 mail.example.com ESMTP\r\n"))
        while line := (await reader.readline()).decode():
            verb, _, rest = line.strip().partition(" ")
            verb = verb.upper()
            self.commands.append(verb)
            if verb == self.drops:
                return
            if verb in self.says:
                writer.write(self.says[verb])
            elif verb == "STARTTLS":
                writer.write(b"220 go on\r\n")
                await writer.drain()
                await writer.start_tls(self._context())
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                text = await reader.readuntil(b"\r\n.\r\n")
                if self.drops == ".":
                    return
                writer.write(self._take(text, sender, to))
            else:
                sender = _address(rest) if verb == "MAIL" else sender
                to = [] if verb == "MAIL" else to
                writer.write(self._answer(verb, rest, to))
                if verb == "QUIT":
                    return

    def _answer(self, verb: str, rest: str, to: list[str]) -> bytes:
        if verb == "EHLO":
            offers = ["SIZE 10000000", "8BITMIME", "AUTH PLAIN"]
            offers += ["STARTTLS"] if self.security == "starttls" else []
            return b"250-mail.example.com\r\n" + _lines(offers)
        if verb == "AUTH":
            self.logins.append(base64.b64decode(rest.split()[1]).decode().replace("\0", " ").strip())
            is_known = self.logins[-1] == f"{USER} {PASSWORD}"
            return b"235 welcome\r\n" if is_known else b"535 5.7.8 who are you\r\n"
        if verb == "RCPT":
            if _address(rest).startswith("nobody"):
                return b"550 5.1.1 nobody of that name\r\n"
            to.append(_address(rest))
        return b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n"

    def _take(self, text: bytes, sender: str, to: list[str]) -> bytes:
        if "." in self.says:
            return self.says["."]
        letter = BytesParser(policy=default).parsebytes(text[:-3].replace(b"\r\n..", b"\r\n."))
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.envelopes.append((sender, to))
        return b"250 ok\r\n"


def _lines(offers: list[str]) -> bytes:
    last = len(offers) - 1
    return "".join(
        f"250{' ' if place == last else '-'}{offer}\r\n" for place, offer in enumerate(offers)
    ).encode()


def _address(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]
