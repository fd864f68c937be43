"""Phones made of SIPp scenarios (molecule/shared/sipp/*.xml), a process and an address each."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from lab import network
from lab.errors import LabError
from lab.process import wait_until
from lab.settings import LOGS, ROOT

SCENARIOS: Final = ROOT / "molecule" / "shared" / "sipp"
#: Files that SIPp writes, by what it calls them.
TRACES: Final = {"log": "logs", "error": "err", "message": "msg"}
#: Seconds after which SIPp gives a scenario up.
TIMEOUT: Final = 60
SIP_PORT: Final = 5060
MEDIA_LINE: Final = re.compile(r"media (?P<address>\S+) (?P<port>\d+) (?P<call_id>\S+)")
CLOCK_LINE: Final = re.compile(r"clock (?P<call_id>\S+) (?P<milliseconds>\d+)")
#: What ends a waiting `call` scenario; only its Call-ID counts.
HANG_UP: Final = """\
NOTIFY sip:phone SIP/2.0
Via: SIP/2.0/UDP phone;branch=z9hG4bK-hang-up
From: <sip:test>;tag=1
To: <sip:phone>
Call-ID: {call_id}
CSeq: 1 NOTIFY
Content-Length: 0

"""
_runs: Final = count(1)


@dataclass(frozen=True, slots=True)
class Phone:
    """A subscriber's phone: who it is and where it is plugged in."""

    user: str
    domain: str
    password: str
    address: str
    alias: str = ""
    sip_port: int = 5060
    rtp_port: int = 40000


@dataclass(frozen=True, slots=True)
class Media:
    """Where the other side wants its media, and in which call."""

    address: str
    port: int
    call_id: str

    @property
    def remote(self) -> tuple[str, int]:
        """The same as a socket's address."""
        return self.address, self.port


class Scenario:
    """One SIPp process that plays one scenario once, or with `calls` so many times, `rate` a second."""

    def __init__(self, name: str, phone: Phone, server: str, **keys: object) -> None:
        self.name = name
        self.phone = phone
        LOGS.mkdir(parents=True, exist_ok=True)
        self._stem = LOGS / f"sipp-{next(_runs)}-{name}-{phone.user}"
        self._process = subprocess.Popen(
            network.entered(*self._command(server, keys)),
            stdin=subprocess.DEVNULL,
            stdout=self._file("screen").open("wb"),
            stderr=subprocess.STDOUT,
        )
        if not wait_until(self._is_listening, timeout=5.0, interval=0.02):
            self.stop()
            raise self._failure("does not start")

    def _is_listening(self) -> bool:
        """Tell whether its socket is bound, from the kernel's table of its network namespace (proc(5))."""
        table = Path(f"/proc/{self._process.pid}/net/udp")
        where = f"{_hexadecimal(self.phone.address)}:{self.phone.sip_port:04X}"
        return self._process.poll() is not None or where in table.read_text()

    def _file(self, kind: str) -> Path:
        return self._stem.with_suffix(f".{kind}")

    def _command(self, server: str, keys: dict[str, object]) -> list[str]:
        phone = self.phone
        all_keys = {"user": phone.user, "domain": phone.domain, "rtp_port": phone.rtp_port, **keys}
        command = ["sipp", f"{server}:{SIP_PORT}", "-sf", str(SCENARIOS / f"{self.name}.xml")]
        calls = str(all_keys.pop("calls", 1))
        command += ["-i", phone.address, "-p", str(phone.sip_port), "-nostdin", "-nd"]
        command += ["-m", calls, "-r", str(all_keys.pop("rate", calls)), "-l", calls]
        command += ["-au", phone.user, "-ap", phone.password, "-timeout", str(TIMEOUT), "-timeout_error"]
        for kind, trace in TRACES.items():
            self._file(kind).unlink(missing_ok=True)
            command += [f"-trace_{trace}", f"-{kind}_file", str(self._file(kind))]
        if "service" in all_keys:
            command += ["-s", str(all_keys.pop("service"))]
        for key, value in all_keys.items():
            command += ["-key", key, str(value)]
        return command

    def media(self) -> Media:
        """Wait until the scenario has seen the other side's session description, and say what it says."""
        found: list[Media] = []

        def look() -> bool:
            text = self._file("log").read_text() if self._file("log").exists() else ""
            found.extend(
                Media(match["address"], int(match["port"]), match["call_id"])
                for match in MEDIA_LINE.finditer(text)
            )
            return bool(found) or self._process.poll() is not None

        if not wait_until(look, TIMEOUT, interval=0.02) or not found:
            raise self._failure("saw no session description")
        return found[0]

    def talks(self) -> dict[str, float]:
        """Return how many seconds each call was up by the scenario's own clock, by Call-ID."""
        clocks: dict[str, list[int]] = {}
        for match in CLOCK_LINE.finditer(self._file("log").read_text()):
            clocks.setdefault(match["call_id"], []).append(int(match["milliseconds"]))
        return {call_id: (ended - begun) / 1000 for call_id, (begun, ended) in clocks.items()}

    def hang_up(self, call_id: str) -> None:
        """Tell a waiting `call` scenario to end its call: any request with its Call-ID does."""
        request = HANG_UP.format(call_id=call_id).replace("\n", "\r\n")
        with network.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(request.encode(), (self.phone.address, self.phone.sip_port))

    def finish(self) -> None:
        """Wait until the scenario is through; any step that did not happen as written is a LabError."""
        try:
            status = self._process.wait(TIMEOUT + 10)
        except subprocess.TimeoutExpired:
            raise self._failure("does not end") from None
        if status != 0:
            raise self._failure(f"ended with {status}")

    def stop(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _failure(self, what: str) -> LabError:
        error = self._file("error")
        lines = error.read_text(errors="replace").strip().splitlines() if error.exists() else []
        detail = f": {' '.join(lines[-3:])[:300]}" if lines else ""
        return LabError(f"SIPp {self.name} of {self.phone.user} {what}{detail}; see {self._file('message')}")


def _hexadecimal(address: str) -> str:
    """Write an address as /proc/net/udp does: in the byte order of this machine."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"


@contextmanager
def playing(name: str, phone: Phone, server: str, **keys: object) -> Iterator[Scenario]:
    """Start a scenario; it is stopped when the block ends, however it ends."""
    with ExitStack() as stack:
        scenario = Scenario(name, phone, server, **keys)
        stack.callback(scenario.stop)
        yield scenario


def play(name: str, phone: Phone, server: str, **keys: object) -> None:
    """Play a scenario to its end."""
    with playing(name, phone, server, **keys) as scenario:
        scenario.finish()
