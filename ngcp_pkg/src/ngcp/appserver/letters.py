"""What is written to somebody for whom a message was left: a text with the platform's variables, and the WAV.

Whatever a caller calls himself stays in its header or its line: headers are made by `email.message`, which
lets no line break through, and what is not to be printed is left out before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from string import Template
from typing import Final

from ngcp.service.config import ConfigError

#: Variables of subject and text, as the platform's templates have them.
VARIABLES: Final = frozenset(
    {
        "VM_CALLERID",
        "VM_CIDNAME",
        "VM_CIDNUM",
        "VM_DATE",
        "VM_DUR",
        "VM_MAILBOX",
        "VM_MSGNUM",
        "VM_NAME",
    }
)
#: What is written where nobody says otherwise.
SUBJECT: Final = "[Voicebox] New message ${VM_MSGNUM} in voicebox ${VM_MAILBOX}"
TEXT: Final = "You have received a new message from ${VM_CALLERID} in voicebox ${VM_MAILBOX} on ${VM_DATE}.\n"
#: Characters of a name that are written.
LONGEST: Final = 200
#: `"Name" <number>`, as the spool has callers.
_CALLER: Final = re.compile(r'\s*"?(?P<name>[^"<]*?)"?\s*(?:<(?P<number>[^>]*)>)?\s*')
_SEPARATORS: Final = re.compile(r"[,;|\s]+")


class BadAddress(ValueError):
    """A mail address that nobody can have."""


@dataclass(frozen=True, slots=True)
class Style:
    """How letters are written."""

    sender: str
    """Address that they come from."""
    name: str
    """The name before it."""
    subject: str
    """With variables like `${VM_CALLERID}`."""
    text: str
    """The same."""

    def __post_init__(self) -> None:
        _address(self.sender, self.name)
        for key, text in (("subject", self.subject), ("text", self.text)):
            template = Template(text)
            if not template.is_valid():
                raise ValueError(f"{key}: a $ stands before a variable, or twice for itself")
            unknown = set(template.get_identifiers()) - VARIABLES
            if unknown:
                known = ", ".join(sorted(VARIABLES))
                raise ValueError(f"{key}: unknown variable {unknown.pop()}; known are {known}")


def read_style(file: str, sender: str, name: str) -> Style:
    """Read subject and text from a file, `Subject: …`, an empty line, the text; raises `ConfigError`.

    Lines before that begin with # are comments. Without a file, subject and text are the platform's.
    """
    if not file:
        return Style(sender, name, SUBJECT, TEXT)
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(path, "", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "", f"not UTF-8: {error.reason} at byte {error.start}") from error
    while text.startswith("#"):
        text = text.partition("\n")[2]
    head, _, body = text.partition("\n")
    if not head.startswith("Subject: ") or not body.startswith("\n"):
        raise ConfigError(path, "", "`Subject: …` and an empty line expected")
    try:
        return Style(sender, name, head.removeprefix("Subject: ").strip(), body.lstrip("\n"))
    except ValueError as error:
        raise ConfigError(path, "", str(error)) from error


@dataclass(frozen=True, slots=True)
class Occasion:
    """The message that was left."""

    key: str
    """Unguessable, and the same for each letter about it."""
    mailbox: str
    """Its number, for people."""
    owner: str
    """Name of whom it is for."""
    caller: str
    """As in `"Name" <number>`."""
    number: int
    """The how manieth it is, from 1 on."""
    when: datetime
    """In his time zone."""
    seconds: int


def recipients(text: str) -> list[str]:
    """Return the addresses in what a mailbox says; raises `BadAddress`."""
    return [_address(part).addr_spec for part in _SEPARATORS.split(text.strip()) if part]


def write(style: Style, occasion: Occasion, to: list[str], wav: bytes | None, now: datetime) -> EmailMessage:
    """Write the letter; with `wav`, what was said goes with it. Raises `BadAddress`."""
    variables = _variables(occasion)
    letter = EmailMessage(policy=SMTP)
    letter["From"] = _address(style.sender, style.name)
    letter["To"] = [_address(one) for one in to]
    letter["Subject"] = clean(Template(style.subject).substitute(variables))
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{occasion.key}@{_address(style.sender).domain}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by a machine
    letter.set_content(Template(style.text).substitute(variables))
    if wav is not None:
        name = f"msg{occasion.number:04}.wav"
        letter.add_attachment(wav, maintype="audio", subtype="x-wav", filename=name)
    return letter


def clean(text: str) -> str:
    """Return a text in one line, without what cannot be printed, and not too long."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:LONGEST]


def _variables(occasion: Occasion) -> Mapping[str, str]:
    match = _CALLER.fullmatch(clean(occasion.caller))
    name, number = (match["name"] or "", match["number"] or "") if match else (clean(occasion.caller), "")
    minutes, seconds = divmod(max(occasion.seconds, 0), 60)
    return {
        "VM_CALLERID": clean(occasion.caller) or "unknown",
        "VM_CIDNAME": name,
        "VM_CIDNUM": number,
        "VM_DATE": f"{occasion.when:%A, %d %B %Y %H:%M}",
        "VM_DUR": f"{minutes}:{seconds:02}",
        "VM_MAILBOX": clean(occasion.mailbox),
        "VM_MSGNUM": str(occasion.number),
        "VM_NAME": clean(occasion.owner),
    }


def _address(text: str, name: str = "") -> Address:
    try:
        address = Address(display_name=clean(name), addr_spec=text)
    except (MessageError, ValueError, IndexError) as error:
        raise BadAddress(f"{text!r} is no mail address: {error}") from error
    if not address.username or not address.domain or not text.isprintable():
        raise BadAddress(f"{text!r} is no mail address")
    return address
