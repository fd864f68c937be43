"""What the daemon does unasked, with real sockets, and a real database where it has its own rights only."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop

from appserver.house import make_prompts
from appserver.mailserver import Inbox
from b2bua.test_service import HOST, PATIENCE, Peer
from lb.ports import free_ports
from ngcp.appserver.config import Configuration, Mail, load
from ngcp.appserver.house import ACCOUNT
from ngcp.appserver.service import AppServerService
from ngcp.provisioning import voicemail
from ngcp.provisioning.voicemail import Recording
from ngcp.service.config import ConfigError
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.sip.syntax import Request
from ngcp.voice.household import Database
from ngcp.voice.media_ports import MediaRange
from private_mariadb import Server
from provisioning.test_voicemail import ALICE, SPOKEN, Spool

LETTER = "Subject: ${VM_CALLERID} called\n\nHello ${VM_NAME}\n"


@pytest.fixture
def account(database: Server) -> Iterator[Server]:
    """The daemon's own account, which tests may use, too."""
    name = f"`{ACCOUNT}`@`localhost`"
    database.run(f"ALTER USER {name} IDENTIFIED BY ''")
    yield database
    database.run(f"ALTER USER {name} IDENTIFIED VIA unix_socket")


@pytest.fixture
def configuration(account: Server, tmp_path: Path) -> Configuration:
    (tmp_path / "spool").mkdir()
    (tmp_path / "voicemail.txt").write_text(LETTER)
    first = free_ports(4)
    sip, control, commands = (Endpoint(HOST, first + index) for index in range(3))
    return Configuration(
        sip,
        control,
        commands,
        media=MediaRange(HOST, 42_400, 42_800),
        database=Database(account.socket, 5.0),
        sounds=str(make_prompts(tmp_path / "sounds")),
        spool=str(tmp_path / "spool"),
        mail=Mail(letter=str(tmp_path / "voicemail.txt")),
        metrics=Metrics(first + 3),
        drain=0.1,
    )


def serve(configuration: Configuration, work: Callable[[Peer], Awaitable[None]]) -> None:
    """Let the daemon run; its proxy is a peer."""

    uvloop.run(run(configuration, work))


async def run(configuration: Configuration, work: Callable[[Peer], Awaitable[None]]) -> None:
    """The same, within a loop."""
    proxy = Peer(configuration.listen.pair)
    service = AppServerService(replace(configuration, proxy=Endpoint(*proxy.address)))
    await service.start()
    try:
        await work(proxy)
    finally:
        await service.stop()
        proxy.socket.close()


def order(server: Server, recur: str = "never") -> None:
    """Let Alice be called: it was time a moment ago."""
    spool, now = Spool(server), time.time()
    due, before = (datetime.fromtimestamp(now - ago, UTC) for ago in (5, 60))
    server.run(
        "INSERT INTO provisioning.voip_domains (id, domain) VALUES (7, 'example.org')",
        "INSERT INTO provisioning.voip_subscribers (id, username, domain_id, uuid, password)"
        f" VALUES (7, 'alice', 7, '{ALICE}', '')",
        "INSERT INTO provisioning.voip_reminder (id, subscriber_id, time, recur)"
        f" VALUES (7, 7, '{due:%H:%M:%S}', '{recur}')",
        "UPDATE kamailio.subscriber SET timezone = 'UTC'",
        f"UPDATE provisioning.voip_reminder_rounds SET checked = '{before:%F %T}'",
    )
    assert spool.folder() == []


def marks(server: Server) -> tuple[object, ...]:
    return server.run(
        "SELECT c.attempts, c.next_attempt IS NULL, r.active FROM provisioning.voip_reminder_calls c"
        " JOIN provisioning.voip_reminder r ON r.id = c.reminder_id"
    )[0]


def test_wakeup_call_that_is_answered(configuration: Configuration, account: Server) -> None:
    order(account)

    async def answer(proxy: Peer) -> None:
        invite = await proxy.hear("INVITE sip:alice@example.org SIP/2.0")
        assert isinstance(invite, Request)
        ok = invite.reply(200, to_tag="b")
        ok.append("Contact", f"<sip:{proxy.address[0]}:{proxy.address[1]}>")
        ok.append("Content-Type", "application/sdp")
        ok.body = invite.body
        proxy.say(bytes(ok))
        await proxy.hear("ACK")
        bye = await proxy.hear("BYE")  # it was said three times
        assert isinstance(bye, Request)
        proxy.say(bytes(bye.reply(200)))

    serve(configuration, answer)
    assert marks(account) == (1, 1, 0)

    async def hear_nothing(proxy: Peer) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await proxy.hear("INVITE")

    serve(configuration, hear_nothing)


def test_wakeup_call_of_somebody_busy_is_tried_again(configuration: Configuration, account: Server) -> None:
    order(account, "always")

    async def refuse(proxy: Peer) -> None:
        proxy.answer(await proxy.hear("INVITE sip:alice@example.org SIP/2.0"), 486)
        await proxy.hear("ACK")
        async with asyncio.timeout(15):
            while marks(account)[1]:
                await asyncio.sleep(0.1)

    serve(configuration, refuse)
    assert marks(account) == (1, 0, 1)
    ((seconds,),) = account.run(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), next_attempt) FROM provisioning.voip_reminder_calls"
    )
    assert isinstance(seconds, int)
    assert 30 < seconds <= 60


def test_message_lights_lamps_and_is_mailed(configuration: Configuration, account: Server) -> None:
    spool, inbox = Spool(account), Inbox()
    spool(lambda it: voicemail.change_mailbox(it, ALICE, {"email": "alice@example.com", "delete": "yes"}))
    spool.deposit(Recording("k1", ALICE, "<4312002>", int(time.time()), 7, SPOKEN.wav, "call-1"))

    async def take(proxy: Peer) -> None:
        notify = await proxy.hear("NOTIFY sip:alice@example.org SIP/2.0")
        assert b"Voice-Message: 1/0 (0/0)" in notify.body
        proxy.answer(notify, 200)
        notify = await proxy.hear("NOTIFY")  # it is removed when it was mailed
        assert b"Voice-Message: 0/0 (0/0)" in notify.body
        proxy.answer(notify, 200)

    async def main() -> None:
        async with inbox:
            mail = replace(configuration.mail, server=inbox.seen_by())
            await run(replace(configuration, mail=mail), take)

    uvloop.run(main())
    (letter,) = inbox.letters
    assert letter["Subject"] == "<4312002> called"
    assert [part.get_content() for part in letter.iter_attachments()] == [SPOKEN.wav]
    assert spool.folder() == []


def test_subscription_is_answered_with_what_waits(configuration: Configuration, account: Server) -> None:
    spool = Spool(account)
    spool.deposit()

    async def subscribe(proxy: Peer) -> None:
        await proxy.hear("NOTIFY")
        proxy.ask("SUBSCRIBE", "Event: message-summary", f"P-Caller-UUID: {ALICE}")
        await proxy.hear("SIP/2.0 200")
        async with asyncio.timeout(PATIENCE):
            while True:
                notify = await proxy.hear("NOTIFY")
                if (notify.get("Subscription-State") or "").startswith("active"):
                    break
        assert b"Messages-Waiting: yes" in notify.body

    serve(configuration, subscribe)


def test_text_of_letters_that_is_missing_is_told(configuration: Configuration) -> None:
    away = replace(configuration, mail=Mail(letter="/nonexistent/voicemail.txt"))
    with pytest.raises(ConfigError, match="voicemail\\.txt: No such file"):
        AppServerService(away)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reminder: {retries: 99}", "reminder: retries is from 0 to 10, not 99"),
        ("reminder: {weekdays: [0]}", "reminder: weekdays are numbers from 1"),
        ("mail: {server: {user: ngcp}}", "mail.server: user and password_file go together"),
        ("mail: {sendr: x}", "mail.sendr: unknown key"),
        ("mail: {sender: nobody}", "mail: 'nobody' is no mail address"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "asterisk.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(path)


def test_a_configuration_of_all_this(tmp_path: Path) -> None:
    path = tmp_path / "asterisk.yml"
    path.write_text("reminder: {retries: 1, weekdays: [2, 3]}\nmail: {server: {host: mx, security: tls}}\n")
    configuration = load(path)
    assert (configuration.reminder.retries, configuration.reminder.weekdays) == (1, (2, 3))
    assert configuration.mail.server.security == "tls"
