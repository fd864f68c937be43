"""Messages on their way to MariaDB, which is there, hangs, comes back, or never does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ngcp.appserver.bell import Bell, Change
from ngcp.appserver.drafts import Drafts
from ngcp.appserver.hold import Hold
from ngcp.appserver.keeper import AT_ONCE, Keeper
from ngcp.audio import wav
from ngcp.provisioning.engine import connect
from ngcp.provisioning.voicemail import Recording
from ngcp.rtp.packet import Packet
from ngcp.voice.speech import PCMA
from ngcp.voice.tape import Tape
from private_mariadb import Server

BOX = "a1111111-1111-1111-1111-111111111111"
SPOKEN = Recording("k1", BOX, "<4312002>", 1_700_000_000, 7, b"RIFF" + bytes(range(256)) * 100, "call-1")
SPOOL = "kamailio.voicemail_spool"
WAITING = f"SELECT msg_id, recording FROM {SPOOL} ORDER BY msg_id"
NUMBERS = f"SELECT id FROM {SPOOL}"


class Desk:
    """A keeper, and what it told."""

    def __init__(self, server: Server, directory: Path, timeout: float, megabytes: int) -> None:
        self.engine = connect(server.socket, server.user, timeout)
        bell = Bell()
        self.heard: list[Change] = []
        bell.attach(self.heard.append)
        self.drafts = Drafts(directory, 1 << 20, 1.0)
        self.keeper = Keeper(self.engine, self.engine, Hold(directory), self.drafts, bell, megabytes)

    def take(self, *keys: str) -> None:
        for key in keys:
            recording = replace(SPOKEN, key=key)
            self.keeper.take(key, lambda recording=recording: recording)  # type: ignore[misc] # early bound

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                await asyncio.sleep(0.01)


@pytest.fixture
def box(database: Server) -> Server:
    database.run(
        "INSERT INTO kamailio.voicemail_users (customer_id, mailbox, password)"
        f" VALUES ('{BOX}', '{BOX}', '1234')"
    )
    return database


def run(
    server: Server,
    directory: Path,
    work: Callable[[Desk], Awaitable[None]],
    timeout: float = 0.3,
    megabytes: int = 1,
) -> None:
    async def main() -> None:
        desk = Desk(server, directory, timeout, megabytes)
        await desk.keeper.open()
        try:
            await work(desk)
        finally:
            await desk.engine.dispose()

    asyncio.run(main())


def test_a_message_is_stored_and_told_of_once(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        desk.take("k1")
        await desk.until(lambda: bool(desk.heard))
        await desk.keeper.close()
        ((number,),) = box.run("SELECT id FROM kamailio.voicemail_spool")
        assert desk.heard == [(BOX, number)]
        assert (desk.keeper.stored, desk.keeper.held) == (1, 0)

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]
    assert list(tmp_path.iterdir()) == []


def test_a_hanging_database_loses_nothing(box: Server, tmp_path: Path) -> None:
    keys = [f"k{number}" for number in range(3 * AT_ONCE)]

    async def work(desk: Desk) -> None:
        with box.hanging():
            desk.take(*keys)
            await desk.until(lambda: desk.keeper.held == len(keys))
            assert len(list(tmp_path.glob("*.message"))) == len(keys)
            assert desk.heard == []
        while desk.keeper.held:
            await desk.keeper.retry()
        assert len(desk.heard) == len(keys)

    run(box, tmp_path, work)
    assert box.run(WAITING) == [(key, SPOKEN.wav) for key in sorted(keys)]
    assert list(tmp_path.iterdir()) == []


def test_messages_that_wait_outlive_the_daemon(box: Server, tmp_path: Path) -> None:
    async def before(desk: Desk) -> None:
        with box.hanging():
            desk.take("k1", "k2")
            await desk.keeper.close()

    async def after(desk: Desk) -> None:
        assert desk.keeper.held == 2
        while desk.keeper.held:
            await desk.keeper.retry()

    run(box, tmp_path, before, timeout=30.0)
    assert len(list(tmp_path.glob("*.message"))) == 2
    run(box, tmp_path, after, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav), ("k2", SPOKEN.wav)]


def test_where_no_file_can_be_written_memory_serves(box: Server, tmp_path: Path) -> None:
    nowhere = tmp_path / "gone"

    async def work(desk: Desk) -> None:
        with box.hanging():
            desk.take("k1")
            await desk.until(lambda: desk.keeper.held == 1)
        while desk.keeper.held:
            await desk.keeper.retry()

    run(box, nowhere, work)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]


def test_so_much_waits_and_no_more(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        assert not desk.keeper.is_full
        with box.hanging():
            desk.take("k1")
            await desk.until(lambda: desk.keeper.held == 1)
            assert desk.keeper.is_full
        while desk.keeper.held:
            await desk.keeper.retry()
        assert not desk.keeper.is_full

    run(box, tmp_path, work, megabytes=0)


def test_a_mailbox_that_is_gone_holds_up_nobody(box: Server, tmp_path: Path) -> None:
    Hold(tmp_path).put(replace(SPOKEN, key="k0", mailbox="gone"))
    Hold(tmp_path).put(SPOKEN)

    async def work(desk: Desk) -> None:
        await desk.keeper.retry()
        assert desk.keeper.held == 0

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]
    assert list(tmp_path.iterdir()) == []


def test_what_the_database_never_takes_is_put_aside(box: Server, tmp_path: Path) -> None:
    Hold(tmp_path).put(replace(SPOKEN, call_id="x" * 300))

    async def work(desk: Desk) -> None:
        await desk.keeper.retry()
        assert desk.keeper.held == 0

    run(box, tmp_path, work, timeout=5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["k1.refused"]


@pytest.mark.parametrize("content", [b"", b"no json\nRIFF", b'{"key": "k1"}\nRIFF', b"[]\n"])
def test_a_broken_file_is_put_aside(box: Server, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k0.message").write_bytes(content)
    (tmp_path / "k9.part").write_bytes(b"torn")
    Hold(tmp_path).put(SPOKEN)

    async def work(desk: Desk) -> None:
        await desk.keeper.retry()

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]
    assert [path.name for path in tmp_path.iterdir()] == ["k0.refused"]


def test_a_message_whose_storing_got_no_answer_is_there_once(box: Server, tmp_path: Path) -> None:
    """The server stored it, and then the connection broke."""
    Hold(tmp_path).put(SPOKEN)

    async def work(desk: Desk) -> None:
        desk.take("k1")
        await desk.until(lambda: desk.keeper.stored == 1)
        await desk.keeper.retry()

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]


def test_two_hundred_hang_up_at_once(box: Server, tmp_path: Path) -> None:
    """Each of them with half a minute of speech."""
    keys = [f"k{number}" for number in range(200)]
    wav = bytes(range(256)) * 1900

    async def work(desk: Desk) -> None:
        for key in keys:
            desk.keeper.take(key, partial(replace, SPOKEN, key=key, wav=wav))
        await desk.until(lambda: desk.keeper.stored + desk.keeper.held == len(keys))
        while desk.keeper.held:
            await desk.keeper.retry()
        assert {change.message for change in desk.heard} == {row[0] for row in box.run(NUMBERS)}

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(f"SELECT COUNT(*), MIN(LENGTH(recording)) FROM {SPOOL}") == [(200, len(wav))]


def test_a_message_that_cannot_be_made_holds_up_nobody(box: Server, tmp_path: Path) -> None:
    def fail() -> Recording:
        raise RuntimeError("no sound")

    async def work(desk: Desk) -> None:
        desk.keeper.take("k0", fail)
        desk.take("k1")
        await desk.until(lambda: desk.keeper.stored == 1)
        await desk.keeper.close()

    run(box, tmp_path, work, timeout=5.0)
    assert box.run(WAITING) == [("k1", SPOKEN.wav)]


def speak(desk: Desk, key: str, seconds: float = 3.0) -> Tape:
    """Begin a recording, and say something."""
    tape, payload = Tape(180.0, 100), bytes(range(160))
    desk.keeper.begin(replace(SPOKEN, key=key, duration=0, wav=b""), tape)
    decode = PCMA.new_decoder()
    for number in range(round(seconds * 50)):
        tape.add("PCMA", Packet(8, number, 160 * number, 1, payload, False), decode(payload))
    return tape


async def write(desk: Desk) -> None:
    """Let it be written down."""
    desk.drafts.write(desk.drafts.collect())


def starts_again(box: Server, directory: Path) -> list[Change]:
    """Return what the next daemon tells of, until nothing waits."""
    heard: list[Change] = []

    async def work(desk: Desk) -> None:
        while desk.keeper.held:
            await desk.keeper.retry()
        heard.extend(desk.heard)

    run(box, directory, work, timeout=5.0)
    assert list(directory.iterdir()) == []
    return heard


def test_killed_while_somebody_speaks(box: Server, tmp_path: Path) -> None:
    """His mailbox gets what he said, its telephones and its owner's mail are told, and all that once."""
    box.run(f"UPDATE kamailio.voicemail_users SET email = 'a@example.org' WHERE customer_id = '{BOX}'")
    tapes: list[Tape] = []

    async def work(desk: Desk) -> None:
        tapes.append(speak(desk, "k1"))
        await write(desk)

    run(box, tmp_path, work)
    ((mailbox, number),) = starts_again(box, tmp_path)
    assert box.run(f"SELECT id, recording, duration, callerid, origtime FROM {SPOOL}") == [
        (number, wav.write(tapes[0].samples()), 3, SPOKEN.caller, SPOKEN.time)
    ]
    assert mailbox == BOX
    assert box.run("SELECT COUNT(*) FROM kamailio.voicemail_mails") == [(1,)]
    assert starts_again(box, tmp_path) == []


def test_killed_before_it_was_a_message(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        speak(desk, "k1", 0.9)
        await write(desk)

    run(box, tmp_path, work)
    assert starts_again(box, tmp_path) == []
    assert box.run(WAITING) == []


def test_killed_when_it_was_said_but_not_stored(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        with box.hanging():
            tape = speak(desk, "k1")
            await write(desk)
            desk.keeper.take("k1", lambda: replace(SPOKEN, wav=wav.write(tape.samples())))
            await asyncio.sleep(0)  # it is on its way

    run(box, tmp_path, work, timeout=30.0)
    assert len(starts_again(box, tmp_path)) == 1
    assert box.run(f"SELECT msg_id FROM {SPOOL}") == [("k1",)]


def test_killed_between_storing_and_removing_the_file(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        tape = speak(desk, "k1")
        await write(desk)
        left = (tmp_path / "k1.draft").read_bytes()
        desk.keeper.take("k1", lambda: replace(SPOKEN, wav=wav.write(tape.samples())))
        await desk.until(lambda: desk.keeper.stored == 1)
        await desk.keeper.close()
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "k1.draft").write_bytes(left)

    run(box, tmp_path, work, timeout=5.0)
    starts_again(box, tmp_path)
    assert box.run(f"SELECT msg_id FROM {SPOOL}") == [("k1",)]


def test_killed_again_while_it_starts(box: Server, tmp_path: Path) -> None:
    """What was recorded is a message that waits already, and is there as it was recorded, too."""

    async def work(desk: Desk) -> None:
        speak(desk, "k1")
        await write(desk)

    run(box, tmp_path, work)
    left = (tmp_path / "k1.draft").read_bytes()

    async def begins(desk: Desk) -> None:
        assert desk.keeper.held == 1
        assert [path.name for path in tmp_path.iterdir()] == ["k1.message"]

    run(box, tmp_path, begins)
    (tmp_path / "k1.draft").write_bytes(left)
    assert len(starts_again(box, tmp_path)) == 1
    assert box.run(f"SELECT msg_id FROM {SPOOL}") == [("k1",)]


def test_what_waits_for_the_database_is_in_one_file(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        with box.hanging():
            tape = speak(desk, "k1")
            await write(desk)
            desk.keeper.take("k1", lambda: replace(SPOKEN, wav=wav.write(tape.samples())))
            await desk.until(lambda: desk.keeper.held == 1)
            await desk.keeper.close()
        assert [path.name for path in tmp_path.iterdir()] == ["k1.message"]

    run(box, tmp_path, work)
    assert len(starts_again(box, tmp_path)) == 1


def test_a_recording_that_was_no_message_leaves_nothing(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        speak(desk, "k1", 0.5)
        await write(desk)
        desk.keeper.drop("k1")
        await desk.keeper.close()
        await write(desk)
        assert list(tmp_path.iterdir()) == []

    run(box, tmp_path, work)


def test_what_is_recorded_is_written_again_and_again(box: Server, tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        speak(desk, "k1")
        writing = asyncio.create_task(desk.keeper.write())
        await desk.until(lambda: bool(list(tmp_path.glob("*.draft"))))
        writing.cancel()

    run(box, tmp_path, work)
    assert len(starts_again(box, tmp_path)) == 1
