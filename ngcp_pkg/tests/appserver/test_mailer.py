"""Letters that wait: sent once, tried again, given up; through dead servers, dead databases and restarts."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from appserver.mailserver import Inbox
from ngcp.appserver.letters import Style
from ngcp.appserver.mailer import FIRST, LONGEST, SLOWEST, Mailer, Tables
from ngcp.appserver.post import Later, MailServer, Never
from ngcp.provisioning import voicemail
from ngcp.provisioning.engine import DatabaseUnavailable, connect
from ngcp.provisioning.voicemail_news import Mail
from private_mariadb import Server
from provisioning.test_voicemail import ALICE, SPOKEN, Spool

STYLE = Style("v@example.org", "Voicebox", "Message ${VM_MSGNUM}", "From ${VM_CALLERID}, ${VM_DATE}")
START = 1_800_000_000.0
WAV = b"RIFF\0\xff'"


def make_mail(number: int = 1, **changes: object) -> Mail:
    mail = Mail(
        *(number, ALICE, number, START, 0, f"k{number}", '"Bob" <4312002>', 1_700_000_000, 7, 1),
        *("alice@example.com", True, False, "Alice", "4311001", "Europe/Vienna"),
    )
    return mail._replace(**changes)  # type: ignore[arg-type] # fields of it


class Desk:
    """A queue and a mail server in memory, and a clock."""

    def __init__(self, *mails: Mail) -> None:
        self.now = START
        self.waiting = {mail.id: (mail, START) for mail in mails}
        self.sent_away: list[int] = []
        self.given_up: list[int] = []
        self.letters: list[EmailMessage] = []
        self.dead = False
        self.taken: Callable[[], None] = lambda: None
        self.trouble: Callable[[], Exception | None] = lambda: None
        self.recordings: dict[int, bytes] = {mail.id: WAV for mail in mails}
        self.mailer = Mailer(self, self.send, STYLE, lambda: self.now)

    def visit(self, seconds: float = 0.0) -> bool:
        self.now += seconds
        return asyncio.run(self.mailer.visit())

    async def send(self, letter: EmailMessage, sender: str, to: Sequence[str]) -> None:
        error = self.trouble()
        if error is not None:
            raise error
        self.letters.append(letter)
        self.taken()

    async def take(self, now: float, lease: float, most: int) -> Sequence[Mail]:
        self._check()
        due = [mail for mail, when in self.waiting.values() if when <= now][:most]
        taken = [mail._replace(attempts=mail.attempts + 1) for mail in due]
        self.waiting |= {mail.id: (mail, now + lease) for mail in taken}
        return taken

    async def recording(self, mail: Mail) -> bytes | None:
        self._check()
        return self.recordings.get(mail.id)

    async def sent(self, mail: Mail) -> None:
        self._check()
        self.waiting.pop(mail.id, None)
        self.sent_away.append(mail.id)

    async def failed(self, mail: Mail, again: float | None) -> None:
        self._check()
        if again is None:
            self.waiting.pop(mail.id, None)
            self.given_up.append(mail.id)
        else:
            self.waiting[mail.id] = (mail, again)

    def _check(self) -> None:
        if self.dead:
            raise DatabaseUnavailable("gone away")


def test_letter_is_sent_once() -> None:
    desk = Desk(make_mail())
    assert not desk.visit()
    desk.visit(100)
    (letter,) = desk.letters
    assert letter["Subject"] == "Message 1"
    assert [part.get_content() for part in letter.iter_attachments()] == [WAV]
    assert "Tuesday, 14 November 2023 23:13" in str(letter)  # where Alice is
    assert (desk.sent_away, desk.waiting) == ([1], {})


def test_without_attachment() -> None:
    desk = Desk(make_mail(attach=False))
    desk.visit()
    assert not list(desk.letters[0].iter_attachments())


def test_dead_server_is_tried_again_at_growing_intervals() -> None:
    desk = Desk(make_mail())
    desk.trouble = lambda: Later("down")
    pauses = []
    for _ in range(7):
        desk.visit()
        due = desk.waiting[1][1]
        pauses.append(due - desk.now)
        desk.now = due
    assert pauses == [FIRST, 120.0, 240.0, 480.0, SLOWEST, SLOWEST, SLOWEST]

    desk.trouble = lambda: None
    desk.visit()
    assert desk.sent_away == [1]


def test_after_days_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(make_mail())
    desk.trouble = lambda: Later("down")
    desk.visit(LONGEST + 1)
    assert (desk.given_up, desk.waiting) == ([1], {})
    assert "mail 1 to alice@example.com is given up" in caplog.text


@pytest.mark.parametrize(
    "mail",
    [make_mail(email="no address"), make_mail(email="a@"), make_mail()],
    ids=["two", "half", "refused"],
)
def test_what_is_never_taken_is_given_up_at_once(mail: Mail, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(mail)
    desk.trouble = lambda: Never("refused: 550")
    desk.visit()
    assert desk.given_up == [1]
    assert "is not sent" in caplog.text


def test_message_that_is_gone_is_not_written_about() -> None:
    desk = Desk(make_mail())
    desk.recordings.clear()
    desk.visit()
    assert (desk.letters, desk.given_up) == ([], [1])


def test_confirmed_letter_is_not_sent_again_though_the_database_died() -> None:
    """What the queue was not told, it is told before anything else is taken from it."""
    desk = Desk(make_mail(1), make_mail(2))

    def die() -> None:
        """With the first letter that was taken, before the queue is told."""
        desk.dead = True

    desk.taken = die
    desk.visit()
    sent_before = len(desk.letters)
    for _ in range(5):
        desk.visit(1000)
    assert len(desk.letters) == sent_before
    desk.dead, desk.taken = False, lambda: None

    desk.visit(1000)

    assert sorted(letter["Message-ID"] for letter in desk.letters) == ["<k1@example.org>", "<k2@example.org>"]
    assert desk.waiting == {}


def test_one_letter_that_breaks_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(make_mail(1), make_mail(2))
    broken = iter([RuntimeError("broken")])
    desk.trouble = lambda: next(broken, None)
    desk.visit()
    assert len(desk.letters) == 1
    assert "broken" in caplog.text
    desk.visit(FIRST)
    assert len(desk.letters) == 2


def test_many_are_sent_a_few_at_a_time() -> None:
    desk = Desk(*(make_mail(number) for number in range(1, 12)))
    assert [desk.visit(), desk.visit(), desk.visit()] == [True, True, False]
    assert len(desk.letters) == 11


def test_mailer_sleeps_until_something_waits() -> None:
    desk = Desk()

    async def run() -> None:
        keeping = asyncio.create_task(desk.mailer.keep())
        await asyncio.sleep(0.05)
        desk.waiting[1] = (make_mail(), START)
        desk.recordings[1] = WAV
        desk.mailer.poke()
        async with asyncio.timeout(5):
            while not desk.sent_away:
                await asyncio.sleep(0.01)
        keeping.cancel()

    asyncio.run(run())
    assert len(desk.letters) == 1


def test_stop_waits_a_moment_for_what_is_under_way() -> None:
    """Else it might be sent again after the next start."""
    desk = Desk(make_mail(1), make_mail(2))

    async def send(letter: EmailMessage, sender: str, to: Sequence[str]) -> None:
        await asyncio.sleep(0.05)
        desk.letters.append(letter)

    async def run() -> None:
        mailer = Mailer(desk, send, STYLE, lambda: desk.now)
        keeping = asyncio.create_task(mailer.keep())
        await asyncio.sleep(0.01)
        await mailer.close()
        keeping.cancel()
        assert not await mailer.visit()

    asyncio.run(run())
    assert sorted(desk.sent_away) == [1, 2]


def test_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngcp.appserver.mailer.HURRY", 0.05)
    desk = Desk(make_mail())

    async def send(letter: EmailMessage, sender: str, to: Sequence[str]) -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        mailer = Mailer(desk, send, STYLE, lambda: desk.now)
        keeping = asyncio.create_task(mailer.keep())
        await asyncio.sleep(0.01)
        await mailer.close()
        keeping.cancel()

    asyncio.run(run())
    assert list(desk.waiting) == [1]


# With MariaDB and a mail server


class Whole(Spool):
    """Both."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.now = time.time() + 5  # the database has a clock of its own
        self(lambda it: voicemail.change_mailbox(it, ALICE, {"email": "alice@example.com", "delete": "yes"}))

    def run(self, work: Callable[[Mailer], Coroutine[Any, Any, None]], inbox: Inbox | None) -> None:
        """Let a new app server work, with that mail server or none."""

        async def start() -> None:
            engine: AsyncEngine = connect(self.server.socket, self.server.user, 10.0)
            if inbox is None:
                await work(self._mailer(engine, 1))
            else:
                async with inbox:
                    await work(self._mailer(engine, inbox.port))
            await engine.dispose()

        asyncio.run(start())

    def _mailer(self, engine: AsyncEngine, port: int) -> Mailer:
        server = MailServer("127.0.0.1", port)
        return Mailer(Tables(engine), server.hand_in, STYLE, lambda: self.now)


async def visit(mailer: Mailer) -> None:
    await mailer.visit()


def test_letter_survives_a_dead_mail_server_and_a_restart(database: Server) -> None:
    whole, inbox = Whole(database), Inbox()
    number = whole.deposit()

    whole.run(visit, None)
    assert whole.folder() == [number]
    whole.now += FIRST
    whole.run(visit, inbox)
    whole.now += 100_000
    whole.run(visit, inbox)

    (letter,) = inbox.letters
    assert [part.get_content() for part in letter.iter_attachments()] == [SPOKEN.wav]
    assert whole.folder() == []  # as the mailbox wants it
    assert whole.server.run("SELECT COUNT(*) FROM kamailio.voicemail_mails") == [(0,)]


def test_two_app_servers_send_one_letter(database: Server) -> None:
    whole, inbox = Whole(database), Inbox()
    whole.deposit()

    async def start() -> None:
        engines = [connect(database.socket, database.user, 10.0) for _ in range(3)]
        async with inbox:
            await asyncio.gather(*(whole._mailer(engine, inbox.port).visit() for engine in engines))
        for engine in engines:
            await engine.dispose()

    asyncio.run(start())
    assert len(inbox.letters) == 1
