"""The app server: 200 callers who leave messages while 50 others listen, then all 200 hang up at once.

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
from bench.voices import Call, Voices
from ngcp.audio.wav import write
from ngcp.provisioning.engine import connect, transaction
from ngcp.provisioning.voicemail import Greeting, keep_greeting

SPEAKERS: Final = 200
LISTENERS: Final = 50
#: Seconds that are measured, and those of what the listeners hear.
SECONDS: Final = 15.0
GREETING: Final = 75.0
#: Seconds in which 200 messages have to be stored.
STORED_WITHIN: Final = 60.0
#: The most that is good: of a core for each channel, and ms behind the schedule for 99 of 100 packets.
PERCENT: Final = 0.4
LATENESS: Final = 5.0

OURS: Final = ("127.62.1.1", 5070)
PHONES: Final = "127.62.0.1"
ACCOUNT: Final = "asterisk"
COUNT: Final = "SELECT COUNT(*), MIN(duration) FROM kamailio.voicemail_spool WHERE dir LIKE '%/INBOX'"


def sound(seconds: float) -> bytes:
    """Return noise as a WAV file."""
    count = int(seconds * 8000)
    return write(np.random.default_rng(1).integers(-8000, 8000, count, np.int16).tobytes())


def furnish(database: mariadb.Database) -> None:
    """Make the mailboxes, those of the listeners with a greeting that lasts."""
    boxes = [f"box-{number}" for number in range(SPEAKERS + LISTENERS)]
    rows = ", ".join(f"('{box}', '{box}', '1234')" for box in boxes)
    database.run(f"INSERT INTO kamailio.voicemail_users (customer_id, mailbox, password) VALUES {rows}")

    async def greet() -> None:
        engine = connect(str(database.socket), ACCOUNT, 30.0)
        for box in boxes[SPEAKERS:]:
            async with transaction(engine) as connection:
                await keep_greeting(connection, box, Greeting.TEMPORARY, sound(GREETING), 0.0)
        await engine.dispose()

    database.open_to(ACCOUNT)
    asyncio.run(greet())


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


def percentile(late: list[float]) -> float:
    """Return behind which 99 of 100 are not."""
    return float(np.percentile(late, 99))


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


def load(voices: Voices, ours: Daemon, database: mariadb.Database) -> list[Metric]:
    """Let all of them call, speak, and hang up."""
    listeners: list[Call] = []
    speakers: list[Call] = []
    for number in range(SPEAKERS, SPEAKERS + LISTENERS):
        listeners.append(voices.call(number, f";mailbox=box-{number}"))
    for number in range(SPEAKERS):
        speakers.append(voices.call(number, f";mailbox=box-{number}"))
    voices.speak(speakers)
    time.sleep(2.0)
    before, begin = ours.cpu_seconds(), time.time()
    time.sleep(SECONDS)
    used, end = ours.cpu_seconds() - before, time.time()
    percent = 100 * used / (end - begin) / (SPEAKERS + LISTENERS)
    voices.speak([])
    voices.hang_up(speakers)
    stored = wait_for_messages(database)
    time.sleep(1.0)
    quiet, busy = voices.lateness(begin, end), voices.lateness(end, time.time())
    voices.hang_up(listeners)
    print(
        f"{len(quiet)} packets heard, {len(busy)} while messages were stored; the latest {max(quiet):.1f} ms"
    )
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
