"""Handing letters to a mail server (RFC 5321, submission RFC 6409), each once.

What the server took is sent: whatever goes wrong behind its answer is nobody's concern. What it refused for
good is not sent again, all else is.
"""

import asyncio
import contextlib
import smtplib
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Final

#: Seconds that each step may take.
TIMEOUT: Final = 30.0
_PORTS: Final = {"none": 25, "starttls": 587, "tls": 465}


class NotSent(Exception):
    """The server did not take it."""


class Later(NotSent):
    """It may do so later: it is down, busy, or does not know us."""


class Never(NotSent):
    """It never will: nobody has that address, or it wants no such letter."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in."""

    host: str = "127.0.0.1"
    """Name or address."""
    port: int = 0
    """TCP port; 0: the usual one, 25, with starttls 587, with tls 465."""
    security: str = "none"
    """`tls` from the first byte on, `starttls` by command, or `none`."""
    ca_file: str = ""
    """Certificates of who may vouch for the server; empty: the system's."""
    user: str = ""
    """Who we are; empty: nobody asks."""
    password_file: str = ""
    """File with the password, in one line."""

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise ValueError(f"port {self.port} is none")
        if self.security not in _PORTS:
            raise ValueError(f"security is one of {', '.join(_PORTS)}, not {self.security}")
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file go together")
        if self.user and self.security == "none" and not _is_here(self.host):
            raise ValueError(f"no password goes to {self.host} without security: tls or starttls")

    async def hand_in(self, letter: EmailMessage, sender: str, to: Sequence[str]) -> None:
        """Hand a letter in, or raise `NotSent`.

        It is done in a thread that nobody waits for when the process ends.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def work() -> None:
            error: Exception | None = None
            try:
                self.send(letter, sender, to)
            except Exception as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(_conclude, done, error)

        threading.Thread(target=work, name="mail", daemon=True).start()
        await done

    def send(self, letter: EmailMessage, sender: str, to: Sequence[str]) -> None:
        """Hand it in while the caller waits."""
        try:
            client = self._connect()
            try:
                client.send_message(letter, sender, list(to))
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    client.quit()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refusal(min(codes), f"refused: {_texts(error)}") from error
        except smtplib.SMTPDataError as error:
            text = f"refused: {error.smtp_code} {_text(error.smtp_error)}"
            raise _refusal(error.smtp_code, text) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Never(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Later(f"{self.host}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        port = self.port or _PORTS[self.security]
        if self.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(self.host, port, timeout=TIMEOUT, context=self._context())
        else:
            client = smtplib.SMTP(self.host, port, timeout=TIMEOUT)
        try:
            if self.security == "starttls":
                client.starttls(context=self._context())
            if self.user:
                client.login(self.user, self._password())
        except BaseException:
            client.close()
            raise
        return client

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file or None)

    def _password(self) -> str:
        return Path(self.password_file).read_text(encoding="utf-8").strip()


def _conclude(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(code: int, text: str) -> NotSent:
    return Never(text) if code >= 500 else Later(text)


def _texts(error: smtplib.SMTPRecipientsRefused) -> str:
    return ", ".join(f"{code} {_text(said)}" for code, said in error.recipients.values())


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
