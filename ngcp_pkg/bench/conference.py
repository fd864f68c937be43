"""The back-to-back user agent as a conference: ten telephones that all speak in one room.

telephones (`voices.py`, another process) ─► back-to-back user agent; G.711, 50 packets a second each way
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import yaml

from bench import report
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.report import Metric
from bench.voices import Voices

PARTIES: Final = 10
TURNS: Final = 3
#: Seconds of a turn.
SECONDS: Final = 10.0
#: Packets that each has to hear in a second, and the share of them that is good.
PACKETS: Final = 50
ENOUGH: Final = 0.98
#: Different samples in a packet of noise at least: silence has one or two.
NOISY: Final = 20
#: The most of a core that the room may cost.
PERCENT: Final = 10.0

OURS: Final = ("127.64.1.1", 5080)
PHONES: Final = "127.64.0.1"


def configure(directory: Path) -> Path:
    """Write the configuration; there are no prompts."""
    (directory / "sounds").mkdir()
    ports = {"listen": OURS[1], "control": 5040, "xmlrpc": 8090, "proxy": 5062}
    places = {name: {"address": OURS[0], "port": port} for name, port in ports.items()}
    media = {"address": OURS[0], "port_min": 10_000, "port_max": 20_000}
    path = directory / "sems.yml"
    path.write_text(yaml.safe_dump({**places, "media": media, "sounds": str(directory / "sounds")}))
    return path


def turn(voices: Voices, ours: Daemon) -> float:
    """Return which percentage of a core the room costs; everybody has to hear something all the time."""
    before, begin = ours.cpu_seconds(), time.time()
    time.sleep(SECONDS)
    used, end = ours.cpu_seconds() - before, time.time()
    time.sleep(0.2)
    streams = voices.streams(begin, end)
    assert len(streams) == PARTIES, f"{len(streams)} of {PARTIES} hear something"
    assert min(streams) >= ENOUGH * PACKETS * (end - begin), f"{min(streams)} packets in {end - begin:.1f} s"
    heard = list(voices.latest.values())
    assert min(len(set(sound)) for sound in heard) >= NOISY, "somebody hears silence: there are no prompts"
    assert len(set(heard)) == PARTIES, "two hear the same, and one of them himself"
    return 100 * used / (end - begin)


def load(voices: Voices, ours: Daemon) -> list[Metric]:
    """Let all of them call and speak."""
    parties = [voices.call(number, ";room=1", "conference") for number in range(PARTIES)]
    voices.speak(parties)
    time.sleep(3.0)
    costs = [turn(voices, ours) for _ in range(TURNS)]
    voices.speak([])
    voices.hang_up(parties)
    return [Metric.within("percent-of-a-core", costs, PERCENT)]


def measure(directory: Path) -> list[Metric]:
    """Run the daemon for the time of a measurement."""
    command = [sys.executable, "-m", "ngcp.b2bua", "--config", str(configure(directory))]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with running(command, directory / "ours.log", lambda: is_bound(OURS), environment) as ours:
        voices = Voices(PHONES, OURS)
        try:
            return load(voices, ours)
        finally:
            voices.close()


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-conference-") as name:
        metrics = measure(Path(name))
    return report.publish("conference", metrics, "bound")
