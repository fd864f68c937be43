"""The daemon with real sockets on loopback and a real database: a message, and a stop in its midst."""

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import uvloop

from appserver.house import BOX, best_match, make_prompts, speech
from b2bua.test_service import HOST, PATIENCE, Peer
from lb.ports import free_ports
from ngcp.appserver import house
from ngcp.appserver.config import Configuration, Voicemail, load
from ngcp.appserver.service import AppServerService
from ngcp.audio.wav import samples_of
from ngcp.service.config import ConfigError
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.sip.transport.flow import Address
from ngcp.voice.household import Database
from ngcp.voice.media_ports import MediaRange
from ngcp.voice.stream import PACE, Language, Voice, frames_of
from private_mariadb import Server

NAMED = (f"P-App-Param: ;mailbox={BOX};number=43", "P-First-Caller-NPN: 4312002")


class Caller:
    """A phone that speaks PCMA."""

    def __init__(self, at: Address) -> None:
        self.sip = Peer(at)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.setblocking(False)
        self.rtp.bind((HOST, 0))
        self.voice = Voice(Language("PCMA", 8, 101), 7)
        self.numbers = count(2)

    async def call(self) -> None:
        port = self.rtp.getsockname()[1]
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        )
        self.sip.ask("INVITE", "P-App-Name: voicebox", *NAMED, body=body)
        ok = await self.sip.hear("SIP/2.0 200")
        self.to = ok.first("To")
        media = next(line for line in ok.body.decode().splitlines() if line.startswith("m="))
        self.remote = HOST, int(media.split()[1])
        self.sip.ask("ACK", to=self.to)

    async def hear(self, packets: int) -> None:
        async with asyncio.timeout(PATIENCE):
            for _ in range(packets):
                await asyncio.get_running_loop().sock_recv(self.rtp, 2048)

    async def speak(self, samples: bytes) -> None:
        for frame in frames_of(samples):
            self.rtp.sendto(self.voice.say(frame), self.remote)
            await asyncio.sleep(PACE)

    async def hang_up(self) -> None:
        self.sip.ask("BYE", to=self.to, number=next(self.numbers))
        await self.sip.hear("SIP/2.0 200")

    def close(self) -> None:
        self.sip.socket.close()
        self.rtp.close()


@pytest.fixture
def configuration(database: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.setattr(house, "ACCOUNT", database.user)
    database.run(
        "INSERT INTO kamailio.voicemail_users (customer_id, mailbox, password)"
        f" VALUES ('{BOX}', '{BOX}', '1234')"
    )
    (tmp_path / "spool").mkdir()
    first = free_ports(4)
    sip, control, commands = (Endpoint(HOST, first + index) for index in range(3))
    return Configuration(
        sip,
        control,
        commands,
        media=MediaRange(HOST, 42_000, 42_400),
        database=Database(database.socket, 5.0),
        sounds=str(make_prompts(tmp_path / "sounds")),
        spool=str(tmp_path / "spool"),
        voicemail=Voicemail(shortest=0.2),
        metrics=Metrics(first + 3),
        drain=0.1,
    )


def serve(configuration: Configuration, work: Callable[[AppServerService, Caller], Awaitable[None]]) -> None:
    async def main() -> None:
        service = AppServerService(configuration)
        await service.start()
        caller = Caller(configuration.listen.pair)
        try:
            await work(service, caller)
        finally:
            await service.stop()
            caller.close()

    uvloop.run(main())


def stored(database: Server) -> list[tuple[object, ...]]:
    return database.run("SELECT callerid, duration, recording FROM kamailio.voicemail_spool")


def test_a_message(configuration: Configuration, database: Server) -> None:
    spoken = speech(2.0)

    async def leave(service: AppServerService, caller: Caller) -> None:
        await caller.call()
        await caller.hear(30)  # two prompts, two digits, introduction and beep
        await asyncio.sleep(2 * PACE)
        await caller.speak(spoken)
        assert service.status().startswith("1 calls")
        await caller.hang_up()
        async with asyncio.timeout(PATIENCE):
            while not service.house.keeper.stored:
                await asyncio.sleep(0.01)
        assert service.house.statistics() == {"messages.stored": 1, "messages.held": 0, "locked": 0}
        assert "ngcp_asterisk_messages_total 1\n" in service.exposition()

    serve(configuration, leave)

    ((caller, duration, wav),) = stored(database)
    assert isinstance(wav, bytes)
    assert (caller, duration) == ("<4312002>", 2)
    assert best_match(spoken, samples_of(wav, 600.0))[0] > 0.999


def test_a_stop_keeps_what_was_said_so_far(configuration: Configuration, database: Server) -> None:
    spoken = speech(1.0)

    async def leave(service: AppServerService, caller: Caller) -> None:
        await caller.call()
        await caller.hear(30)
        await asyncio.sleep(2 * PACE)
        await caller.speak(spoken)

    serve(configuration, leave)

    ((_, _, wav),) = stored(database)
    assert isinstance(wav, bytes)
    assert best_match(spoken, samples_of(wav, 600.0))[0] > 0.999


def test_nobody_waits_for_a_database_that_is_not_there(configuration: Configuration, tmp_path: Path) -> None:
    """The message waits in a file; the next start stores it."""
    away = replace(configuration, database=Database(str(tmp_path / "nobody"), 5.0))

    async def leave(service: AppServerService, caller: Caller) -> None:
        async with asyncio.timeout(2.0):
            await caller.call()
        await caller.hear(30)
        await asyncio.sleep(2 * PACE)
        await caller.speak(speech(0.5))
        await caller.hang_up()

    serve(away, leave)
    assert len(list((tmp_path / "spool").glob("*.message"))) == 1

    async def store(service: AppServerService, caller: Caller) -> None:
        async with asyncio.timeout(PATIENCE):
            while service.house.keeper.held:
                await asyncio.sleep(0.01)

    serve(configuration, store)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_daemon_that_is_killed_leaves_a_message(
    configuration: Configuration, database: Server, tmp_path: Path
) -> None:
    """What lies on the disk while somebody speaks is a message of the next daemon."""
    spoken, at_the_kill = speech(2.5), tmp_path / "at-the-kill"

    async def leave(service: AppServerService, caller: Caller) -> None:
        await caller.call()
        await caller.hear(30)
        await asyncio.sleep(2 * PACE)
        await caller.speak(spoken)
        shutil.copytree(tmp_path / "spool", at_the_kill)

    serve(configuration, leave)
    assert list((tmp_path / "spool").iterdir()) == []
    database.run("DELETE FROM kamailio.voicemail_spool")

    async def store(service: AppServerService, caller: Caller) -> None:
        async with asyncio.timeout(PATIENCE):
            while not service.house.keeper.stored:
                await asyncio.sleep(0.01)

    serve(replace(configuration, spool=str(at_the_kill)), store)
    ((caller, duration, wav),) = stored(database)
    assert isinstance(wav, bytes)
    samples = samples_of(wav, 600.0)
    assert caller == "<4312002>"
    assert isinstance(duration, int)
    assert duration >= 1
    likeness, place = best_match(spoken[: len(samples)], samples)
    assert likeness > 0.999
    assert place == 0
    assert list(at_the_kill.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drain: 8", "drain is between 0 and 7 seconds"),
        ("voicemail: {messages: 0}", "messages is 1 or more"),
        ("voicemail: {longest: 1000}", "shortest and longest"),
        ("listening: 5070", "listening"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "asterisk.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(path)
