"""Where messages go, and where the tool takes its own settings from."""

import os
import re
import socket
from pathlib import Path

import pytest

from ngcpcfg import defaults
from ngcpcfg.problems import RefusedError
from temporary_node import TemporaryNode


def test_every_message_is_in_the_systems_log(node: TemporaryNode) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(node.environment["NGCPCFG_LOG"])
        node.run("check")
        node.run("set", "config.yml", "qos.tos_rpt=1")
        lines = [log.recv(4096).decode() for _ in range(3)]

    assert lines[0] == f"<14>ngcpcfg[{os.getpid()}]: yml configs were validated successfully"
    assert lines[2].startswith("<11>ngcpcfg[")
    assert lines[2].endswith("unknown key; did you mean qos.tos_rtp?")


def test_without_a_log_it_works_as_well(node: TemporaryNode) -> None:
    node.environment["NGCPCFG_LOG"] = "/nowhere"

    assert node.run("check").status == 0


def test_lines_begin_with_time_and_name_if_wanted(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "edge1.example.org")
    node.environment["TIME_FORMAT"] = "+%F %T"
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d edge1: "

    assert re.fullmatch(f"({stamp}.*\n)+", node.run("check").out)
    assert re.match(f"{stamp}Error: missing x", node.run("set", "x", "a=1").err)


def test_on_request_it_says_what_it_does_on_the_way(node: TemporaryNode) -> None:
    assert "DEBUG: git rev-parse" in node.run("--debug", "check").err
    assert node.run("check").err == ""


def load(tmp_path: Path, text: str, **environment: str) -> dict[str, str]:
    file = tmp_path / "ngcpcfg.cfg"
    file.write_text(text)
    known = {"NGCPCFG": str(file), **environment}
    defaults.load(known)
    return known


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("RUN_DIR=/run/x\n", "/run/x"),
        ("# a comment\n\nexport RUN_DIR='/run/x'  # another\n", "/run/x"),
        ('BASE=/etc\nRUN_DIR="${BASE}/x"\n', "/etc/x"),
        ('RUN_DIR="$HOME/x"\n', "/root/x"),
        ("RUN_DIR=${NOTHING:-/run/y}\n", "/run/y"),
        ("RUN_DIR=/one\nRUN_DIR=/two\n", "/one"),
        ("RUN_DIR=\n", ""),
    ],
)
def test_a_setting(tmp_path: Path, text: str, value: str) -> None:
    assert load(tmp_path, text, HOME="/root")["RUN_DIR"] == value


def test_the_environment_wins(tmp_path: Path) -> None:
    assert load(tmp_path, "RUN_DIR=/file\n", RUN_DIR="/environment")["RUN_DIR"] == "/environment"


@pytest.mark.parametrize("line", ["RUN_DIR", "echo x", "A=$(id)", "A=`id`", "A='open", "A=b c"])
def test_what_is_no_setting_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(RefusedError, match=r"ngcpcfg\.cfg:2: is not NAME=VALUE"):
        load(tmp_path, f"\n{line}\n")


def test_a_file_of_settings_that_is_not_there(node: TemporaryNode) -> None:
    node.environment["NGCPCFG"] = "/nowhere.cfg"

    assert node.run("check").err == "Error: Could not read configuration file /nowhere.cfg. Exiting.\n"
