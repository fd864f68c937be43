"""What is to be told of mailboxes: written with the change itself, taken once, kept until it was told."""

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning import voicemail, voicemail_news
from ngcp.provisioning.voicemail import Folder
from ngcp.provisioning.voicemail_news import Mail, Waiting
from private_mariadb import Server
from provisioning.test_voicemail import ALICE, BOB, SPOKEN, Spool

NOW = 4_000_000_000.0  # later than all clocks
LEASE = 900.0


class News(Spool):
    """The same, and what is told of them."""

    def notices(self, most: int = 100) -> set[str]:
        return set(self(lambda it: voicemail_news.take_notices(it, most)))

    def waiting(self, *uuids: str) -> dict[str, Waiting]:
        return dict(self(lambda it: voicemail_news.what_waits(it, uuids)))

    def mails(self, now: float = NOW, most: int = 10) -> list[Mail]:
        return list(self(lambda it: voicemail_news.take_mails(it, now, LEASE, most)))

    def wants(self, **values: str) -> None:
        self(lambda it: voicemail.change_mailbox(it, ALICE, {"email": "alice@example.com", **values}))

    def left(self) -> list[tuple[object, ...]]:
        return self.server.run("SELECT message, attempts FROM kamailio.voicemail_mails ORDER BY id")


@pytest.fixture
def news(database: Server) -> News:
    return News(database)


def test_deposit_hearing_and_deletion_are_noticed(news: News) -> None:
    assert news.notices() == set()
    number = news.deposit()
    assert news.notices() == {ALICE}
    assert news.notices() == set()
    assert news(lambda it: voicemail.move_message(it, ALICE, number, Folder.OLD))
    assert news.notices() == {ALICE}
    assert news(lambda it: voicemail.delete_message(it, ALICE, number))
    assert news.notices() == {ALICE}


def test_what_changes_nothing_is_not_noticed(news: News) -> None:
    assert not news(lambda it: voicemail.delete_message(it, ALICE, 99))
    assert not news(lambda it: voicemail.move_message(it, ALICE, 99, Folder.OLD))
    assert news.notices() == set()


def test_many_changes_are_one_notice(news: News) -> None:
    for key in ("k1", "k2", "k3"):
        news.deposit(replace(SPOKEN, key=key))
    assert news.server.run("SELECT COUNT(*) FROM kamailio.voicemail_notices") == [(1,)]


def test_change_that_fails_is_not_noticed(news: News) -> None:
    async def deposit_and_die(it: AsyncConnection) -> None:
        await voicemail.deposit(it, SPOKEN)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        news(deposit_and_die)
    assert (news.notices(), news.left()) == (set(), [])


def test_what_waits_is_counted_by_new_and_old(news: News) -> None:
    numbers = [news.deposit(replace(SPOKEN, key=f"k{number}")) for number in range(4)]
    news(lambda it: voicemail.move_message(it, ALICE, numbers[0], Folder.OLD))
    news(lambda it: voicemail.move_message(it, ALICE, numbers[1], Folder.FRIENDS))
    news(lambda it: voicemail.keep_greeting(it, ALICE, voicemail.Greeting.BUSY, b"RIFF", 0.0))

    assert news.waiting(ALICE, BOB, "nobody") == {
        ALICE: Waiting("alice", "example.org", 2, 2),
        BOB: Waiting("bob", "example.org", 0, 0),
    }


def test_no_letter_without_address(news: News) -> None:
    news.deposit()
    assert news.mails() == []


def test_letter_is_taken_once_and_again_when_its_time_has_come(news: News) -> None:
    news.wants(fullname="Alice A.")
    number = news.deposit()

    (mail,) = news.mails()
    assert news.mails() == []
    assert (mail.mailbox, mail.message, mail.attempts, mail.number) == (ALICE, number, 1, 1)
    assert (mail.key, mail.caller, mail.time, mail.duration) == ("k1", '"Bob" <4312002>', 1_700_000_000, 7)
    assert (mail.email, mail.attach, mail.delete) == ("alice@example.com", True, False)
    assert (mail.owner, mail.own_number, mail.timezone) == ("Alice A.", "alice", "Europe/Vienna")

    (again,) = news.mails(NOW + LEASE)  # whoever had it died
    assert again.attempts == 2
    news(lambda it: voicemail_news.mail_waits(it, again, NOW + 5000))
    assert news.mails(NOW + 4999) == []
    assert [one.attempts for one in news.mails(NOW + 5000)] == [3]


def test_letter_that_was_sent_is_gone_and_its_message_is_not(news: News) -> None:
    news.wants()
    number = news.deposit()
    (mail,) = news.mails()
    news.notices()

    news(lambda it: voicemail_news.mail_was_sent(it, mail))

    assert news.left() == []
    assert news.folder() == [number]
    assert news.notices() == set()


@pytest.mark.parametrize(("attach", "kept"), [("yes", 0), ("no", 1)])
def test_message_is_removed_once_it_was_mailed(news: News, attach: str, kept: int) -> None:
    """But not where the letter did not have it: it would be lost."""
    news.wants(delete="yes", attach=attach)
    news.deposit()
    (mail,) = news.mails()
    news.notices()

    news(lambda it: voicemail_news.mail_was_sent(it, mail))

    assert len(news.folder()) == kept
    assert news.notices() == ({ALICE} if not kept else set())


def test_letter_that_is_given_up_leaves_its_message(news: News) -> None:
    news.wants(delete="yes")
    number = news.deposit()
    (mail,) = news.mails()
    news(lambda it: voicemail_news.mail_waits(it, mail, None))
    assert (news.left(), news.folder()) == ([], [number])


@pytest.mark.parametrize("gone", ["message", "address", "subscriber"])
def test_letter_that_nobody_wants_is_forgotten(news: News, gone: str) -> None:
    news.wants()
    number = news.deposit()
    if gone == "message":
        news(lambda it: voicemail.delete_message(it, ALICE, number))
    elif gone == "address":
        news.wants(email="")
    else:
        news.server.run(f"DELETE FROM kamailio.subscriber WHERE uuid = '{ALICE}'")
    assert (news.mails(), news.left()) == ([], [])


def test_letters_are_taken_in_turn(news: News) -> None:
    news.wants()
    for number in range(5):
        news.deposit(replace(SPOKEN, key=f"k{number}"))
    assert [[mail.key for mail in news.mails(most=2)] for _ in range(4)] == [
        ["k0", "k1"],
        ["k2", "k3"],
        ["k4"],
        [],
    ]
