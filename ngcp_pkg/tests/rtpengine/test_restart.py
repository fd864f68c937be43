"""The daemon as a process: killed in the middle of calls, started again, over a real Redis."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.sdp import Description
from ngcp.state.line import WRITER
from ngcp.state.media import DATABASE
from private_redis import RedisServer

HOST = "127.0.0.1"
RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)
SOURCE = Path(__file__).parents[2] / "src"
#: Of CPU time, from the start of the process until media pass: a busy machine is not our fault.
RESUMES_WITHIN = 2.0
PATIENCE = 60.0


def until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Phone:
    """A socket for audio."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.told = 0

    @property
    def body(self) -> str:
        port = self.socket.getsockname()[1]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
        )

    def take(self, reply: dict[str, Value]) -> None:
        self.told = Description.parse(str(reply["sdp"]).encode()).media[0].port

    def hears(self, other: "Phone") -> bool:
        """Whether a packet that `other` sends now comes here at once."""
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(2048):
                pass
        with contextlib.suppress(ConnectionError):
            other.socket.sendto(RTP, (HOST, other.told))
        time.sleep(0.01)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            return self.socket.recv(2048) == RTP
        return False


class Daemon:
    """The process, and a client of its control port."""

    def __init__(self, home: Path, redis: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
            self.remote = HOST, int(probe.getsockname()[1])
        self._path = home / "relay.conf"
        self._path.write_text(
            f"INTERFACES={HOST}\nLISTEN_NG={HOST}:{self.remote[1]}\nPORT_MIN=25000\nPORT_MAX=25400\nREDIS={redis}\n"
        )
        self._cookies = itertools.count()
        self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._client.settimeout(0.5)
        self._client.connect(self.remote)

    def start(self) -> None:
        command = [sys.executable, "-m", "ngcp.rtpengine", "--config", str(self._path)]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SOURCE)})

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        self.kill()
        self._client.close()

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, **fields: Value) -> dict[str, Value]:
        """Ask again and again until there is an answer."""
        named = {key.replace("_", "-"): value for key, value in fields.items()}
        cookie = f"{next(self._cookies)}"
        command = bytes(Message(cookie, named))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self._client.send(command)
                reply = Message.parse(self._client.recv(65536))
                if reply.cookie == cookie:
                    return reply.fields
            time.sleep(0.02)
        raise AssertionError("no answer")

    def connect(self, call: str, alice: Phone, bob: Phone) -> None:
        bob.take(self.ask(command="offer", call_id=call, from_tag="a", sdp=alice.body))
        alice.take(self.ask(command="answer", call_id=call, from_tag="a", to_tag="b", sdp=bob.body))


@pytest.fixture
def daemon(tmp_path: Path, redis_server: RedisServer) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path, redis_server.socket)
    daemon.start()
    yield daemon
    daemon.close()


def kept(server: RedisServer) -> list[str]:
    return sorted(server.texts(DATABASE, "HKEYS", "calls"))


@pytest.mark.parametrize("ending", [Daemon.kill, Daemon.stop])
def test_media_resume_after_a_restart(
    daemon: Daemon, redis_server: RedisServer, ending: Callable[[Daemon], None]
) -> None:
    """SIGKILL or SIGTERM: nobody signals anything, and both go on to hear each other."""
    alice, bob = Phone(), Phone()
    daemon.connect("call", alice, bob)
    until(lambda: bob.hears(alice) and alice.hears(bob))
    until(lambda: kept(redis_server) == ["call"])
    time.sleep(1.0)  # whom we have learned is written with the next turn
    ending(daemon)
    assert not bob.hears(alice)

    daemon.start()
    until(lambda: bob.hears(alice) and alice.hears(bob))

    assert daemon.cpu_seconds < RESUMES_WITHIN
    report = daemon.ask(command="query", call_id="call")
    assert report["result"] == "ok"
    assert daemon.ask(command="delete", call_id="call", from_tag="a")["result"] == "ok"
    until(lambda: redis_server.texts(DATABASE, "KEYS", "*") == [WRITER])


def test_redis_dies_and_comes_back(daemon: Daemon, redis_server: RedisServer) -> None:
    """Calls are set up meanwhile, and then are all there."""
    alice, bob = Phone(), Phone()
    daemon.connect("before", alice, bob)
    until(lambda: kept(redis_server) == ["before"])
    redis_server.kill()
    daemon.connect("meanwhile", alice, bob)
    until(lambda: bob.hears(alice))
    redis_server.start()
    until(lambda: kept(redis_server) == ["before", "meanwhile"])
