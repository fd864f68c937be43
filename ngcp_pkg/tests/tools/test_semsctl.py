"""`ngcp-sems-ctl` beside a daemon that answers what the test has it answer."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ngcp.service.commands import Json
from ngcp.tools import asteriskctl, callctl, semsctl

HOST = "127.0.0.1"


class Daemon:
    """Answers `answers` in turn, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Json]] = []
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            data, remote = self.socket.recvfrom(65_535)
            if not data:
                return
            self.asked.append(data.decode())
            self.socket.sendto(json.dumps(self.answers.pop(0)).encode(), remote)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    running = Daemon()
    path = tmp_path / "sems.yml"
    path.write_text(f"control: {{address: {HOST}, port: {running.socket.getsockname()[1]}}}\n")
    monkeypatch.setattr(semsctl, "DAEMON", replace(semsctl.DAEMON, configuration=path))
    yield running
    running.close()


def _call(number: int) -> Json:
    return {"id": f"t{number}", "application": "sbc", "from": "sip:a@h", "to": "sip:b@h", "seconds": 1}


def test_all_calls_are_shown(daemon: Daemon) -> None:
    rows: list[Json] = [_call(number) for number in range(callctl.PAGE + 1)]
    daemon.answers = [{"result": rows[: callctl.PAGE]}, {"result": rows[callctl.PAGE :]}]

    shown = CliRunner().invoke(semsctl.app, ["calls", "--json"])

    assert json.loads(shown.stdout) == rows
    assert daemon.asked == ["calls 0 100", "calls 100 100"]


def test_calls_are_a_table(daemon: Daemon) -> None:
    daemon.answers = [{"result": [_call(1)]}]

    shown = CliRunner().invoke(semsctl.app, ["calls"])

    assert shown.stdout.splitlines()[1].split() == ["t1", "sbc", "sip:a@h", "sip:b@h", "1"]


def test_a_refusal_is_told(daemon: Daemon) -> None:
    daemon.answers = [{"code": 404, "error": "there is no call x"}]

    shown = CliRunner().invoke(semsctl.app, ["terminate", "x"])

    assert shown.exit_code == 1
    assert daemon.asked == ["terminate x"]


def test_any_command_can_be_asked(daemon: Daemon) -> None:
    daemon.answers = [{"result": ["calls", "terminate"]}]

    shown = CliRunner().invoke(semsctl.app, ["command", "system.listMethods", "two words"])

    assert shown.stdout.split() == ["calls", "terminate"]
    assert daemon.asked == ["system.listMethods 'two words'"]


def test_a_daemon_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sems.yml"
    monkeypatch.setattr(semsctl, "DAEMON", replace(semsctl.DAEMON, configuration=path))
    assert CliRunner().invoke(semsctl.app, ["stats"]).exit_code == 78
    path.write_text("control: {port: 9}\n")

    assert CliRunner().invoke(semsctl.app, ["stats"]).exit_code == 69


def test_two_are_connected(daemon: Daemon) -> None:
    daemon.answers = [{"result": "t1"}]

    shown = CliRunner().invoke(semsctl.app, ["dial", "sip:a@h", "sip:b@g"], input="my secret\n")

    assert shown.stdout.splitlines()[-1] == "t1"
    assert daemon.asked == ["dial_auth_b2b click2dial '' sip:a@h sip:b@g sip:a@h sip:b@g h a 'my secret'"]


def test_the_app_server_is_asked_alike(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asteriskctl, "DAEMON", semsctl.DAEMON)
    daemon.answers = [{"result": {"messages.stored": 7}}]

    shown = CliRunner().invoke(asteriskctl.app, ["stats", "--json"])

    assert json.loads(shown.stdout) == {"messages.stored": 7}
    assert daemon.asked == ["stats"]
