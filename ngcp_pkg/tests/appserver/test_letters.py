"""What a letter about a message says, whatever a caller calls himself."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.appserver.letters import SUBJECT, TEXT, BadAddress, Occasion, Style, read_style, recipients, write
from ngcp.service.config import ConfigError

STYLE = Style(
    "voicebox@example.org",
    "Voicemail server",
    SUBJECT,
    "Dear ${VM_NAME},\n\n${VM_CALLERID} left ${VM_DUR} on ${VM_DATE}; call ${VM_CIDNUM} (${VM_CIDNAME}).\n",
)
NOW = datetime(2026, 1, 10, 6, 30, tzinfo=UTC)
WAV = b"RIFF\x24\0\0\0WAVE\r\n.\r\n\xff"


def occasion(caller: str = '"Bob" <4312002>', owner: str = "Alice") -> Occasion:
    return Occasion("k1", "4311001", owner, caller, 3, datetime(2026, 1, 10, 7, 29), 67)


def sent(letter: EmailMessage) -> EmailMessage:
    """Return a letter as whoever gets it reads it."""
    read = BytesParser(policy=default).parsebytes(bytes(letter))
    assert isinstance(read, EmailMessage)
    return read


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body()
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_variables_are_filled_in() -> None:
    letter = sent(write(STYLE, occasion(), ["alice@example.com"], None, NOW))
    assert letter["From"] == "Voicemail server <voicebox@example.org>"
    assert letter["To"] == "alice@example.com"
    assert letter["Subject"] == "[Voicebox] New message 3 in voicebox 4311001"
    assert letter["Date"] == "Sat, 10 Jan 2026 06:30:00 +0000"
    assert letter["Message-ID"] == "<k1@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert text_of(letter) == (
        'Dear Alice,\n\n"Bob" <4312002> left 1:07 on Saturday, 10 January 2026 07:29; call 4312002 (Bob).\n'
    )
    assert not list(letter.iter_attachments())


def test_what_was_said_goes_with_it_as_it_is() -> None:
    letter = sent(write(STYLE, occasion(), ["alice@example.com"], WAV, NOW))
    (attachment,) = letter.iter_attachments()
    assert attachment.get_content_type() == "audio/x-wav"
    assert attachment.get_filename() == "msg0003.wav"
    assert attachment.get_content() == WAV


@pytest.mark.parametrize(
    ("caller", "name", "number"),
    [
        ('"Bob" <4312002>', "Bob", "4312002"),
        ("Bob <4312002>", "Bob", "4312002"),
        ("<4312002>", "", "4312002"),
        ("", "", ""),
        ('"J. \u00d6sterreicher" <43>', "J. \u00d6sterreicher", "43"),
        ('"<<>>" x', '"<<>>" x', ""),
    ],
)
def test_callers(caller: str, name: str, number: str) -> None:
    style = Style("v@example.org", "", "x", "${VM_CIDNAME}|${VM_CIDNUM}")
    assert text_of(sent(write(style, occasion(caller), ["a@b.example"], None, NOW))) == f"{name}|{number}\n"


def test_caller_without_name_or_number_is_unknown() -> None:
    style = Style("v@example.org", "", "${VM_CALLERID}", "x")
    assert sent(write(style, occasion(""), ["a@b.example"], None, NOW))["Subject"] == "unknown"


@given(st.text(), st.text())
def test_no_name_of_anybody_makes_a_header(caller: str, owner: str) -> None:
    style = Style(
        "v@example.org", "V", "${VM_CALLERID} ${VM_NAME} ${VM_CIDNAME}", "${VM_CALLERID} ${VM_NAME}"
    )
    letter = write(style, occasion(caller, owner), ["a@b.example"], WAV, NOW)
    read = sent(letter)
    assert sorted(read.keys()) == sorted(letter.keys())
    assert read["To"] == "a@b.example"
    assert read["Bcc"] is None
    assert len(list(read.iter_attachments())) == 1


@pytest.mark.parametrize(
    "caller",
    [
        "Bob\r\nBcc: eve@example.net",
        "Bob\nBcc: eve@example.net",
        "Bob\r\n\r\nhello",
        "Bob\x00\x0b\x85\u2028Bcc: x",
    ],
)
def test_line_breaks_in_names_are_none(caller: str) -> None:
    style = Style("v@example.org", "V", "From ${VM_CALLERID}", "x")
    read = sent(write(style, occasion(caller), ["a@b.example"], None, NOW))
    assert read["Bcc"] is None
    assert read["Subject"].startswith("From Bob ")


def test_several_recipients() -> None:
    assert recipients("a@b.example, c@d.example|e@f.example") == ["a@b.example", "c@d.example", "e@f.example"]
    assert recipients("  ") == []


@pytest.mark.parametrize(
    "text", ["alice", "@example.org", "alice@", "a@b@c", "a b@c d", "a\r\n@b", "<a@b>", "a@b\x00"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadAddress):
        if len(recipients(text)) != 1:
            raise BadAddress(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("nobody", "V", "x", "x"), "'nobody' is no mail address"),
        (
            ("v@example.org", "V", "${VM_CALLER}", "x"),
            "subject: unknown variable VM_CALLER; known are VM_CALLERID",
        ),
        (("v@example.org", "V", "x", "100 $"), "text: a \\$ stands before a variable, or twice for itself"),
    ],
)
def test_style_that_cannot_be_followed(values: tuple[str, str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Style(*values)


def test_without_a_file_the_platforms_words_are_written() -> None:
    style = read_style("", "v@example.org", "V")
    assert (style.subject, style.text) == (SUBJECT, TEXT)
    assert text_of(sent(write(style, occasion(), ["a@b.example"], None, NOW))).startswith("You have received")


def test_style_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "voicemail.txt"
    file.write_text("# Who made it\n# $\nSubject: Message ${VM_MSGNUM}\n\nHello ${VM_NAME},\n\nbye\n")
    assert read_style(str(file), "v@example.org", "V") == Style(
        "v@example.org", "V", "Message ${VM_MSGNUM}", "Hello ${VM_NAME},\n\nbye\n"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Hello\n", "voicemail.txt: `Subject: "),
        (b"Subject: x\nno empty line\n", "voicemail.txt: `Subject: "),
        (b"Subject: x\n\n${VM_X}\n", "voicemail.txt: text: unknown variable VM_X"),
        (b"Subject: \xff\n\nx", "voicemail.txt: not UTF-8"),
        (None, "voicemail.txt: No such file"),
    ],
)
def test_file_that_is_no_style(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "voicemail.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_style(str(file), "v@example.org", "V")
