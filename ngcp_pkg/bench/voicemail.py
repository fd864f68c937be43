"""The app server: 200 callers leave messages while 50 hear theirs, then all 200 hang up at once.

telephones (`voices.py`) ─► app server ─► MariaDB, durable as on a node
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from bench import mariadb, report
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.report import Metric
from bench.voices import Voices
from ngcp.audio.wav import write
from ngcp.provisioning.engine import connect, transaction
from ngcp.provisioning.voicemail import Recording, deposit

SPEAKERS: Final = 200
LISTENERS: Final = 50
#: Seconds that are measured, and those of the message that each listener hears.
SECONDS: Final = 15.0
MESSAGE: Final = 75.0
PIN: Final = "1234"
#: The keys to the first message: one more stands for "listen".
ENTRY: Final = f"{PIN}#1"
#: Packets of a listener in a second, and the least that is good.
PACKETS: Final = 50
ENOUGH: Final = 0.98
#: Seconds in which 200 messages have to be stored.
STORED_WITHIN: Final = 60.0
#: The most that is good: of a core for each channel, and ms behind the schedule for 99 of 100 packets.
PERCENT: Final = 0.4
LATENESS: Final = 5.0

OURS: Final = ("127.62.1.1", 5070)
PHONES: Final = "127.62.0.1"
ACCOUNT: Final = "asterisk"
COUNT: Final = "SELECT COUNT(*), MIN(duration) FROM kamailio.voicemail_spool WHERE msg_id NOT LIKE 'old-%'"


def sound(seconds: float) -> bytes:
    """Return noise as a WAV file."""
    count = int(seconds * 8000)
    return write(np.random.default_rng(1).integers(-8000, 8000, count, np.int16).tobytes())


def furnish(database: mariadb.Database) -> None:
    """Make the mailboxes, those of the listeners with a message that lasts."""
    boxes = [f"box-{number}" for number in range(SPEAKERS + LISTENERS)]
    rows = ", ".join(f"('{box}', '{box}', '{PIN}')" for box in boxes)
    database.run(f"INSERT INTO kamailio.voicemail_users (customer_id, mailbox, password) VALUES {rows}")

    async def leave() -> None:
        engine, wav = connect(str(database.socket), ACCOUNT, 30.0), sound(MESSAGE)
        for box in boxes[SPEAKERS:]:
            message = Recording(f"old-{box}", box, "<4311>", int(time.time()), int(MESSAGE), wav)
            async with transaction(engine) as connection:
                await deposit(connection, message)
        await engine.dispose()

    database.open_to(ACCOUNT)
    asyncio.run(leave())


def configure(directory: Path, database: mariadb.Database) -> Path:
    """Write the configuration, and the only prompt."""
    beep = directory / "sounds/en_US/beep.wav"
    beep.parent.mkdir(parents=True)
    beep.write_bytes(sound(0.2))
    (directory / "spool").mkdir()
    ports = {"listen": OURS[1], "control": 5041, "xmlrpc": 8091, "proxy": 5062}
    places = {name: {"address": OURS[0], "port": port} for name, port in ports.items()}
    path = directory / "asterisk.yml"
    rest = {
        "media": {"address": OURS[0], "port_min": 10_000, "port_max": 20_000},
        "database": {"socket": str(database.socket)},
        "sounds": str(directory / "sounds"),
        "spool": str(directory / "spool"),
    }
    path.write_text(yaml.safe_dump({**places, **rest}))
    return path


def percentile(late: list[float], share: float = 99.0) -> float:
    """Return behind which so many of 100 are not."""
    return float(np.percentile(late, share))


def shown(what: str, late: list[float]) -> None:
    """Tell how late packets were."""
    points = ", ".join(f"p{share:g} {percentile(late, share):.2f}" for share in (50, 90, 99, 99.9))
    print(f"{what}: {len(late)} packets heard, ms late: {points}, max {max(late):.2f}")


def wait_for_messages(database: mariadb.Database) -> float:
    """Return the seconds until all messages are stored."""
    begin = time.monotonic()
    while time.monotonic() < begin + STORED_WITHIN:
        ((count, shortest),) = database.run(COUNT)
        if count == SPEAKERS:
            assert int(str(shortest)) >= SECONDS, "a message is too short"
            return time.monotonic() - begin
        time.sleep(0.1)
    raise AssertionError(f"only {count} messages are stored")


def check_listening(streams: list[int], seconds: float) -> None:
    """Complain unless every listener heard his message all the time."""
    assert len(streams) == LISTENERS, f"{len(streams)} of {LISTENERS} hear something"
    assert min(streams) >= ENOUGH * PACKETS * seconds, f"{min(streams)} packets in {seconds:.1f} s"


def load(voices: Voices, ours: Daemon, database: mariadb.Database) -> list[Metric]:
    """Let all of them call, speak, and hang up."""
    numbers = range(SPEAKERS, SPEAKERS + LISTENERS)
    listeners = [voices.call(number, f";mailbox=box-{number}", "mailbox") for number in numbers]
    time.sleep(1.0)
    voices.press(listeners, ENTRY)
    speakers = [voices.call(number, f";mailbox=box-{number}") for number in range(SPEAKERS)]
    voices.speak(speakers)
    time.sleep(2.0)
    before, waited, begin = ours.cpu_seconds(), ours.seconds_waited(), time.time()
    time.sleep(SECONDS)
    used, end = ours.cpu_seconds() - before, time.time()
    waited = ours.seconds_waited() - waited
    percent = 100 * used / (end - begin) / (SPEAKERS + LISTENERS)
    voices.speak([])
    voices.hang_up(speakers)
    stored = wait_for_messages(database)
    time.sleep(1.0)
    check_listening(voices.streams(begin, end), end - begin)
    quiet, busy = voices.lateness(begin, end), voices.lateness(end, time.time())
    voices.hang_up(listeners)
    print(f"the process waited for a processor {1000 * waited / (end - begin):.1f} ms of each second")
    shown("200 speak, 50 listen", quiet)
    shown("while 200 messages are stored", busy)
    return [
        Metric.within("percent-of-a-core-per-channel", [percent], PERCENT),
        Metric.within("p99-ms-late", [percentile(quiet)], LATENESS),
        Metric("p99-ms-late-while-storing", ((percentile(busy), LATENESS),)),
        Metric("seconds-until-200-are-stored", ((stored, STORED_WITHIN),)),
    ]


def measure(directory: Path) -> list[Metric]:
    """Run all that is needed for the time of a measurement."""
    with mariadb.serving(directory) as database:
        furnish(database)
        path = configure(directory, database)
        command = [sys.executable, "-m", "ngcp.appserver", "--config", str(path)]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        with running(command, directory / "ours.log", lambda: is_bound(OURS), environment) as ours:
            voices = Voices(PHONES, OURS)
            try:
                return load(voices, ours, database)
            finally:
                voices.close()


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-voicemail-") as name:
        metrics = measure(Path(name))
    return report.publish("voicemail", metrics, "bound")
