"""What is wrong is named by file, line and key, and changes nothing."""

import tomllib
from pathlib import Path

import pytest

from ngcpcfg import __version__
from ngcpcfg.__main__ import main
from temporary_node import RELAY_ENV, TemporaryNode


def test_a_wrong_value_changes_nothing(node: TemporaryNode) -> None:
    node.edit("config.yml", "minport: 30000", "minport: 70000")
    before = node.snapshot()

    result = node.run("apply", "wrong")

    assert result.status == 1
    assert result.err.startswith(f"Error: {node.main}/config.yml:14: rtpproxy.minport: 70000 is not allowed")
    assert node.snapshot() == before
    assert node.actions() == []


def test_a_broken_template_changes_nothing(node: TemporaryNode) -> None:
    node.edit(RELAY_ENV, "rtpproxy.minport", "rtpproxy.minprot")
    node.edit("config.yml", "port: 5060", "port: 5070")
    before = node.snapshot()

    result = node.run("apply", "broken")

    template = node.main / RELAY_ENV
    assert result.status == 1
    assert result.err == (
        f"Error: Generating /etc/default/ngcp-rtpengine-daemon based on {template}: FAILED\n"
        f"  {template}:1: rtpproxy.minprot is not defined; did you mean minport?\n"
        "Build errors detected (see the output above)! Aborting.\n"
    )
    assert node.snapshot() == before
    assert node.actions() == []


def test_an_unresolved_merge_is_refused(node: TemporaryNode) -> None:
    node.edit(RELAY_ENV, "TOS=", "<<<<<<< HEAD\nTOS=")

    result = node.run("check")

    assert result.err == f"Error: {node.main / RELAY_ENV}:3: holds both sides of a merge conflict\n"


def test_what_is_right_is_said_to_be(node: TemporaryNode) -> None:
    assert (
        node.run("check").out
        == "yml configs were validated successfully\nconfigs were checked successfully\n"
    )


def test_without_a_repository_there_is_nothing_to_work_on(empty_node: TemporaryNode) -> None:
    complaint = f"Error: {empty_node.main} has not been initialised yet; run ngcpcfg initialise\n"

    for command in (["apply", "x"], ["build"], ["vendor", "x"]):
        assert empty_node.run(*command)[::2] == (1, complaint)


@pytest.mark.parametrize("arguments", [[], ["aply"], ["get"], ["set", "config.yml"], ["vendor"]])
def test_a_wrong_command_line_shows_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 1
    assert capsys.readouterr().err.startswith("Usage: ngcpcfg")


@pytest.mark.parametrize(("word", "answer"), [("help", "let the services follow"), ("version", "ngcpcfg ")])
def test_help_and_version(word: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([word])

    assert left.value.code == 0
    assert answer in capsys.readouterr().out


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())

    assert project["project"]["version"] == __version__


def test_only_root_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NGCP_TESTSUITE", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert main(["status"]) == 1
    assert capsys.readouterr().err == "Error: only root may do this\n"
