"""`ngcpcfg clean`: what was never committed, or never wanted, goes; and nothing else."""

import pytest

from temporary_node import CONFIG, TemporaryNode


@pytest.fixture
def untidy(node: TemporaryNode) -> TemporaryNode:
    """A node with something of each kind."""
    node.git("branch", "trial")
    node.edit("config.yml", "Example", "Stashed")
    node.git("stash")
    node.edit("config.yml", "Example", "Changed")
    node.write(node.main, {"notes.txt": "mine\n", "shared-files/ssl/key.pem": "secret\n"})
    return node


def test_without_a_terminal_nothing_is_done_unless_forced(untidy: TemporaryNode) -> None:
    before = untidy.snapshot()

    result = untidy.run("clean", "--all")

    assert result.status == 1
    assert result.err == "Warning: Cannot request confirmation (no tty). Hint: use option '--force'.\n"
    assert untidy.snapshot() == before


def test_all(untidy: TemporaryNode) -> None:
    result = untidy.run("clean", "--all", "--force")

    assert (result.status, result.last) == (0, "Changed: 4 things.")
    assert (untidy.main / "config.yml").read_text() == CONFIG
    assert not (untidy.main / "notes.txt").exists()
    assert (untidy.main / "shared-files/ssl/key.pem").exists()  # what git ignores stays
    assert untidy.git("branch", "--format=%(refname:short)").split() == ["master", "vendor"]
    assert untidy.git("stash", "list") == ""
    assert untidy.run("clean", "--all", "--force").out == "Nothing changed.\n"


def test_only_what_is_named(untidy: TemporaryNode) -> None:
    assert (
        untidy.run("clean", "--untracked-files", "--force").out
        == "Cleaning notes.txt: OK\nChanged: 1 thing.\n"
    )
    assert "Changed" in (untidy.main / "config.yml").read_text()


def test_reset_master_gives_up_own_commits(node: TemporaryNode) -> None:
    node.edit("config.yml", "Example", "Own")
    node.run("commit", "my own name")

    result = node.run("clean", "--reset-master", "--force")

    assert result.status == 0
    assert "my own name: OK" in result.out
    assert (node.main / "config.yml").read_text() == CONFIG


def test_nothing_named(node: TemporaryNode) -> None:
    assert node.run("clean").err.startswith("Error: say what to clean: --all, --stashes")
