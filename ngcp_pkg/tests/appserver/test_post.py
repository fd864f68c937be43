"""Letters handed to a mail server, over real sockets: each once, whatever it says."""

import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest

from appserver.mailserver import PASSWORD, USER, Inbox
from net.certificate import write_certificate
from ngcp.appserver.post import Later, MailServer, Never


def letter() -> EmailMessage:
    written = EmailMessage()
    written["From"], written["To"], written["Subject"] = "v@example.org", "alice@example.com", "x"
    written.set_content("Hello\n.\n..\nBye\n")
    return written


def hand_in(inbox: Inbox, *to: str, **values: str) -> None:
    """Start the server and hand a letter in."""

    async def run() -> None:
        async with inbox:
            server = inbox.seen_by(**values)
            await server.hand_in(letter(), "v@example.org", to or ("alice@example.com",))

    asyncio.run(run())


def certified(directory: Path) -> Path:
    """Return a file with a new certificate and its key."""
    directory.mkdir()
    certificate, key = write_certificate(directory)
    file = directory / "both.pem"
    file.write_bytes(certificate.read_bytes() + key.read_bytes())
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certified(tmp_path / "server")


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


def test_a_letter_arrives_as_it_was_written() -> None:
    inbox = Inbox()
    hand_in(inbox, "alice@example.com", "bob@example.com")
    (arrived,) = inbox.letters
    assert (arrived["Subject"], arrived.get_content()) == ("x", "Hello\r\n.\r\n..\r\nBye\r\n")
    assert inbox.envelopes == [("v@example.org", ["alice@example.com", "bob@example.com"])]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_and_logged_in(security: str, certificate: Path, password_file: str) -> None:
    inbox = Inbox(security, certificate)
    hand_in(inbox, user=USER, password_file=password_file)
    assert len(inbox.letters) == 1
    assert inbox.logins == [f"{USER} {PASSWORD}"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_server_that_nobody_vouches_for_gets_nothing(
    security: str, certificate: Path, tmp_path: Path
) -> None:
    inbox = Inbox(security, certificate)

    async def run() -> None:
        async with inbox:
            other = certified(tmp_path / "other")
            server = MailServer("127.0.0.1", inbox.port, inbox.security, str(other))
            await server.hand_in(letter(), "v@example.org", ("alice@example.com",))

    with pytest.raises(Later, match="certificate verify failed"):
        asyncio.run(run())
    assert inbox.letters == []


def test_server_without_starttls_gets_nothing_in_the_clear(certificate: Path) -> None:
    inbox = Inbox("starttls", certificate, says={"STARTTLS": b"454 not now\r\n"})
    with pytest.raises(Later):
        hand_in(inbox)
    assert "MAIL" not in inbox.commands


def test_wrong_password(certificate: Path, tmp_path: Path) -> None:
    """The operator will put it right: the letter waits."""
    file = tmp_path / "wrong"
    file.write_text("battery staple")
    inbox = Inbox("tls", certificate)
    with pytest.raises(Later, match="535"):
        hand_in(inbox, user=USER, password_file=str(file))
    with pytest.raises(Later, match="No such file"):
        hand_in(Inbox("tls", certificate), user=USER, password_file=str(tmp_path / "none"))


@pytest.mark.parametrize(
    "inbox",
    [
        Inbox(says={"": b"421 too busy\r\n"}),
        Inbox(drops="EHLO"),
        Inbox(says={"MAIL": b"451 later\r\n"}),
        Inbox(says={"MAIL": b"550 not from you\r\n"}),
        Inbox(says={"RCPT": b"450 greylisted\r\n"}),
        Inbox(says={"DATA": b"451 no room\r\n"}),
        Inbox(says={".": b"452 no room\r\n"}),
        Inbox(drops="DATA"),
        Inbox(drops="."),
    ],
    ids=["busy", "gone", "later", "sender", "greylisted", "no text", "no room", "gone before", "gone behind"],
)
def test_what_may_be_taken_later(inbox: Inbox) -> None:
    with pytest.raises(Later):
        hand_in(inbox)
    assert inbox.letters == []


@pytest.mark.parametrize(
    ("inbox", "to"),
    [
        (Inbox(), "nobody@example.com"),
        (Inbox(says={"DATA": b"554 no\r\n"}), "alice@example.com"),
        (Inbox(says={".": b"552 too large\r\n"}), "alice@example.com"),
    ],
    ids=["nobody", "no text", "too large"],
)
def test_what_is_never_taken(inbox: Inbox, to: str) -> None:
    with pytest.raises(Never):
        hand_in(inbox, to)


def test_one_of_two_recipients_is_enough() -> None:
    inbox = Inbox()
    hand_in(inbox, "nobody@example.com", "alice@example.com")
    assert inbox.envelopes == [("v@example.org", ["alice@example.com"])]


@pytest.mark.parametrize("inbox", [Inbox(drops="QUIT"), Inbox(says={"QUIT": b"421 bye\r\n"})])
def test_what_was_taken_is_sent_however_the_server_takes_leave(inbox: Inbox) -> None:
    hand_in(inbox)
    assert len(inbox.letters) == 1


def test_nobody_listens() -> None:
    with pytest.raises(Later, match="refused"):
        MailServer("127.0.0.1", 1).send(letter(), "v@example.org", ("alice@example.com",))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": 70000}, "port 70000 is none"),
        ({"security": "ssl"}, "security is one of none, starttls, tls, not ssl"),
        ({"user": "ngcp"}, "user and password_file go together"),
        (
            {"host": "mail.example.com", "user": "u", "password_file": "/x"},
            "no password goes to mail.example.com",
        ),
    ],
)
def test_settings_that_make_no_sense(values: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MailServer(**values)  # type: ignore[arg-type] # that is what is tested


def test_nobody_waits_for_a_server_that_says_nothing() -> None:
    """A daemon that stops does not."""

    async def run() -> None:
        lines: list[asyncio.StreamWriter] = []  # one that nobody holds is closed
        silent = await asyncio.start_server(lambda reader, writer: lines.append(writer), "127.0.0.1", 0)
        server = MailServer("127.0.0.1", silent.sockets[0].getsockname()[1])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await server.hand_in(letter(), "v@example.org", ("alice@example.com",))
        silent.close()
        for line in lines:
            line.close()

    asyncio.run(run())
