"""What operators' scripts rely upon: names of commands and options, texts, exit statuses."""

import pytest

from ngcpcfg import names
from ngcpcfg.command_line import ACCEPTED, COMMANDS, split_jobs
from ngcpcfg.problems import RefusedError
from temporary_node import TemporaryNode


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["--frobnicate"]])
def test_what_is_no_command_gets_the_usage_on_stderr(node: TemporaryNode, words: list[str]) -> None:
    result = node.call("ngcpcfg", *words)

    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("Usage: ngcpcfg ")


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_help_names_every_command(node: TemporaryNode, word: str) -> None:
    result = node.call("ngcpcfg", word)

    assert (result.status, result.err) == (0, "")
    assert [command for command in COMMANDS if f"\n    {command} " not in result.out] == []


@pytest.mark.parametrize("word", ["version", "--version", "-v"])
def test_the_version(node: TemporaryNode, word: str) -> None:
    result = node.call("ngcpcfg", word)

    assert result.status == 0
    assert result.out.startswith("ngcpcfg ")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["set"], "Usage: ngcpcfg set [<options>] <file> <key>"),
        (["set", "config.yml"], "Usage: ngcpcfg set [<options>] <file> <key>"),
        (["del", "config.yml"], "Usage: ngcpcfg del [<options>] <file> <option>"),
        (["set", "--something", "config.yml", "a=1"], "Error: unsupported option '--something'. Exiting.\n"),
        (["del", "--something", "config.yml", "a"], "Error: unsupported option '--something'. Exiting.\n"),
        (["del", "/nowhere.yml", "a"], "Error: missing /nowhere.yml. Exiting.\n"),
        (["check", "nowhere.yml"], "Error: missing nowhere.yml. Exiting.\n"),
        (["--jobs=many", "build"], "Error: 'many' is no number of jobs\n"),
    ],
)
def test_what_is_missing_or_too_much(node: TemporaryNode, words: list[str], complaint: str) -> None:
    result = node.call("ngcpcfg", *words)

    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(complaint)


@pytest.mark.parametrize("option", [*ACCEPTED, "--no-db-sync", "--no-action-failure", "--jobs", "--jobs=2"])
def test_options_of_the_platform_are_taken_before_and_behind_a_command(
    node: TemporaryNode, option: str
) -> None:
    assert node.run(option, "build").last == "Nothing changed."
    assert node.run("build", option).last == "Nothing changed."


@pytest.mark.parametrize(
    ("words", "rest", "jobs"),
    [
        (["--jobs", "build"], ["build"], None),
        (["--jobs=3", "build", "etc"], ["build", "etc"], 3),
        (["build"], ["build"], None),
    ],
)
def test_a_number_of_jobs(words: list[str], rest: list[str], jobs: int | None) -> None:
    assert split_jobs(words) == (rest, jobs)
    with pytest.raises(RefusedError):
        split_jobs(["--jobs=0"])


def test_values_is_the_earlier_name_of_get(node: TemporaryNode) -> None:
    assert node.run("values", "qos.tos_rtp").out == "184\n"


def test_check_of_one_file_passes_over_the_others(node: TemporaryNode) -> None:
    node.edit("config.yml", "tos_rtp: 184", "tos_rtp: 999")

    assert node.run("check", "network.yml").out.endswith("configs were checked successfully\n")
    refused = node.run("check", "config.yml")
    assert refused.status == 1
    assert refused.err.endswith("\nError: Aborted, please fix issue(s) above and repeat.\n")


def test_files_for_this_node_alone_are_merged_in_their_order(
    node: TemporaryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """config.yml, then what node, pair and host say, then config.local.yml: the later wins."""
    monkeypatch.setattr("socket.gethostname", lambda: "edge1.example.org")
    order = [("spce", 1), ("edge1", 2), ("local", 3)]
    for name, value in order:
        node.write(node.main, {f"config.{name}.yml": f"---\nqos:\n  tos_rtp: {value}\n"})
        assert node.run("get", "qos.tos_rtp").out == f"{value}\n"
    node.write(node.main, {"config.elsewhere.yml": "---\nqos:\n  tos_rtp: 9\n"})
    assert node.run("get", "qos.tos_rtp").out == "3\n"


def test_a_node_may_have_a_name_of_its_own(node: TemporaryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "edge1")
    monkeypatch.setenv("OUTPUT_DIRECTORY", str(node.output))
    assert names.variants() == ("edge1", "spce")

    (node.output / "etc/ngcp_nodename").write_text("sp1\n")

    assert names.variants() == ("edge1", "spce", "sp1")


def test_post_build_upgrades_the_databases(node: TemporaryNode) -> None:
    program = node.root / "bin/ngcp-provision"
    program.write_text('#!/bin/sh\necho "$*" >"$NODE/provisioned"\nexit 3\n')
    program.chmod(0o755)

    assert node.run("post-build")[:2] == (3, "Synchronizing MariaDB database and grants\n")
    assert (node.root / "provisioned").read_text() == "upgrade\n"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_post_build_may_leave_the_databases_alone(node: TemporaryNode, how: str) -> None:
    options = ["--no-db-sync"] if how == "option" else []
    node.environment |= {"NO_DB_SYNC": "1"} if how == "environment" else {}

    assert node.run(*options, "post-build")[:2] == (0, "Nothing changed.\n")


def test_post_build_without_databases(node: TemporaryNode) -> None:
    node.environment["PATH"] = str(node.root / "bin")

    assert "ngcp-provision is not there; it is in the package ngcp-ce" in node.run("post-build").err
