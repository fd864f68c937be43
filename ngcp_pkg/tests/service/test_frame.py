"""A daemon's life under systemd: ready, alive, stopped; refused configuration is one line and exit 78."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

DAEMON = textwrap.dedent(
    """
    import pathlib, sys
    from dataclasses import dataclass
    from ngcp.service.config import load_yaml
    from ngcp.service.frame import run

    @dataclass(frozen=True)
    class Configuration:
        broken: bool = False

    class Daemon:
        def __init__(self, configuration):
            self.configuration = configuration

        async def start(self):
            if self.configuration.broken:
                raise OSError("address already in use")

        async def stop(self):
            print("stopped")

        def reload(self):
            print("read anew", flush=True)

        def status(self):
            return "serving"

    def load(path):
        return load_yaml(path, Configuration)

    sys.exit(run("testd", load=load, build=Daemon, default=pathlib.Path("/nowhere/testd.yml")))
    """
)


class Supervisor:
    """What systemd is to a unit of Type=notify."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(20.0)
        self.socket.bind(str(directory / "notify"))

    def start(self, text: str, *arguments: str) -> subprocess.Popen[str]:
        (self.directory / "testd.yml").write_text(text)
        environment = {**os.environ, "PYTHONPATH": "src", "NOTIFY_SOCKET": str(self.directory / "notify")}
        environment |= {"WATCHDOG_USEC": "100000"}
        return subprocess.Popen(
            [sys.executable, "-c", DAEMON, "--config", str(self.directory / "testd.yml"), *arguments],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    def heard(self) -> list[str]:
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path)


def test_ready_alive_stopping(supervisor: Supervisor) -> None:
    daemon = supervisor.start("broken: no")

    assert supervisor.heard() == ["READY=1", "STATUS=serving"]
    assert supervisor.heard() == ["WATCHDOG=1", "STATUS=serving"]
    daemon.send_signal(signal.SIGTERM)
    output, errors = daemon.communicate(timeout=20)

    assert (daemon.returncode, output, errors) == (0, "stopped\n", "")


def test_a_hangup_signal_reloads(supervisor: Supervisor) -> None:
    daemon = supervisor.start("broken: no")
    supervisor.heard()
    daemon.send_signal(signal.SIGHUP)
    assert daemon.stdout is not None
    assert daemon.stdout.readline() == "read anew\n"
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=20)

    assert daemon.returncode == 0


def test_refused_configuration_is_one_line_and_78(supervisor: Supervisor) -> None:
    daemon = supervisor.start("brken: no")
    _, errors = daemon.communicate(timeout=20)

    assert daemon.returncode == os.EX_CONFIG
    assert errors == f"<3>testd: {supervisor.directory}/testd.yml: brken: unknown key; allowed: broken\n"


def test_an_address_in_use_is_one_line(supervisor: Supervisor) -> None:
    daemon = supervisor.start("broken: yes")
    _, errors = daemon.communicate(timeout=20)

    assert daemon.returncode == os.EX_UNAVAILABLE
    assert errors == "<3>testd: cannot start: address already in use\n"


def test_check_reads_the_configuration_and_starts_nothing(supervisor: Supervisor) -> None:
    daemon = supervisor.start("broken: yes", "--check")
    output, errors = daemon.communicate(timeout=20)

    assert (daemon.returncode, output, errors) == (0, "", "")
