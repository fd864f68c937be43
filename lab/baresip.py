"""A real phone: baresip, registered over TLS and controlled by its TCP interface (netstrings of JSON)."""

import contextlib
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from lab import network
from lab.errors import LabError
from lab.process import wait_until
from lab.settings import GATEWAY, LOGS, STATE
from lab.sipp import Phone

CONTROL: Final = ("127.0.0.1", 4444)
#: Seconds in which baresip answers or something happens to its call.
TIMEOUT: Final = 20.0

CONFIGURATION: Final = f"""\
poll_method epoll
sip_listen {GATEWAY}:0
net_interface br0
ctrl_tcp_listen {CONTROL[0]}:{CONTROL[1]}
audio_source ausine,440
ausrc_srate 48000
ausrc_channels 2
audio_player aubridge,nobody
audio_alert aubridge,nobody
rtcp_mux no
module_path /usr/lib/baresip/modules
module g711.so
module ausine.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
"""


class Baresip:
    """A running baresip with one account."""

    def __init__(self, phone: Phone, server: str) -> None:
        self._directory = STATE / "baresip"
        self.log = LOGS / f"baresip-{phone.user}.log"
        self._write_configuration(phone, server)
        self._buffer = b""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                network.entered("baresip", "-f", self._directory),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._control = self._connect()

    def _write_configuration(self, phone: Phone, server: str) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        account = f"<sip:{phone.user}@{phone.domain};transport=tls>;auth_pass={phone.password}"
        account += f';outbound="sip:{server}:5061;transport=tls";regint=600;audio_codecs=PCMA;answermode=auto'
        texts = {"config": CONFIGURATION, "accounts": f"{account}\n", "contacts": ""}
        for name, text in texts.items():
            (self._directory / name).write_text(text)

    def _connect(self) -> socket.socket:
        with network.inside():
            control = socket.socket()
        control.settimeout(TIMEOUT)
        if not wait_until(lambda: control.connect_ex(CONTROL) == 0, TIMEOUT):
            raise LabError(f"baresip does not start, see {self.log}")
        return control

    def command(self, name: str, parameters: str = "") -> None:
        """Give one of baresip's commands."""
        text = json.dumps({"command": name, "params": parameters}).encode()
        self._control.sendall(b"%d:%b," % (len(text), text))

    def wait_for(self, event: str) -> None:
        """Wait until an event of this type happens."""
        deadline = time.monotonic() + TIMEOUT
        seen = []
        while time.monotonic() < deadline:
            message = self._next_message()
            if message.get("type") == event:
                return
            seen.append(message.get("type") or message)
        raise LabError(f"baresip: no {event}, but {seen}; see {self.log}")

    def _next_message(self) -> dict[str, Any]:
        """Read one netstring: length, colon, that many bytes, comma."""
        try:
            while not (match := re.match(rb"(\d+):", self._buffer)) or len(self._buffer) <= match.end() + int(
                match[1]
            ):
                data = self._control.recv(65536)
                if not data:
                    raise LabError(f"baresip ended, see {self.log}")
                self._buffer += data
        except TimeoutError:
            return {"type": "nothing"}
        end = match.end() + int(match[1])
        text, self._buffer = self._buffer[match.end() : end], self._buffer[end + 1 :]
        message: dict[str, Any] = json.loads(text)
        return message

    def wait_registered(self) -> None:
        """Wait until it is registered, which may have happened before it could have told us."""
        if not wait_until(lambda: " 200 OK " in self.log.read_text(errors="replace"), TIMEOUT):
            raise LabError(f"baresip is not registered, see {self.log}")

    def close(self) -> None:
        """End it: it unregisters first, if it can."""
        with contextlib.suppress(OSError):
            self.command("quit")
        with self._control:
            wait_until(lambda: self._process.poll() is not None, timeout=5.0)
        self._process.kill()
        self._process.wait()


@contextmanager
def running(phone: Phone, server: str) -> Iterator[Baresip]:
    """Start baresip as a subscriber's phone, wait until it is registered, and end it with the block."""
    with closing(Baresip(phone, server)) as baresip:
        baresip.wait_registered()
        yield baresip
