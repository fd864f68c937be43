"""`ngcpcfg cat` and `ngcpcfg edit`."""

import io
from pathlib import Path

import pytest

from temporary_node import CONFIG, NETWORK, TemporaryNode


def give_editor(node: TemporaryNode, script: str) -> None:
    editor = node.root / "bin/ed-itor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    node.environment["EDITOR"] = str(editor)
    node.environment.pop("VISUAL", None)


def test_cat_prints_the_files_that_are_named(node: TemporaryNode) -> None:
    assert node.run("cat", "network")[:2] == (0, NETWORK)
    assert node.run("cat", "config", "network").out == CONFIG + NETWORK


def test_cat_prints_all_files(node: TemporaryNode) -> None:
    node.write(node.main, {"config.d/mine.yml": "---\nmine:\n  a: 1\n"})

    assert node.run("cat").out == CONFIG + "---\nmine:\n  a: 1\n" + NETWORK


def test_cat_of_what_is_not_known(node: TemporaryNode) -> None:
    assert node.run("cat", "sights") == (1, "", "Error: unknown config type 'sights'\n")


@pytest.mark.parametrize("choice", ["network", "network.yml", "2"])
def test_edit_opens_the_file_and_checks_it(node: TemporaryNode, choice: str) -> None:
    give_editor(node, 'sed -i "s/192.0.2.10/192.0.2.11/" "$1"')

    result = node.run("edit", choice)

    assert (result.status, result.out) == (0, "configs were checked successfully\n")
    assert "192.0.2.11" in (node.main / "network.yml").read_text()


def test_edit_asks_which_file(node: TemporaryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    give_editor(node, 'echo "$1" > "$NODE/edited"')
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))

    assert node.run("edit").out.startswith("1) config.yml\n2) network.yml\n3) constants.yml\nWhich file? ")
    assert (node.root / "edited").read_text() == f"{node.main}/config.yml\n"


def test_edit_tells_what_the_operator_made_wrong(node: TemporaryNode) -> None:
    give_editor(node, 'sed -i "s/tos_rtp: 184/tos_rtp: 999/" "$1"')

    result = node.run("edit", "config")

    assert result.status == 1
    assert "config.yml:18: qos.tos_rtp: 999 is not allowed" in result.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["7"], "'7' is none of config"), (["constants"], "constants.yml does not exist")],
)
def test_edit_of_what_is_not_there(node: TemporaryNode, words: list[str], complaint: str) -> None:
    result = node.run("edit", *words)

    assert result.status == 1
    assert complaint in result.err


def test_edit_without_an_editor(node: TemporaryNode) -> None:
    node.environment["EDITOR"] = str(Path(node.root, "nowhere"))
    node.environment.pop("VISUAL", None)

    assert "is not there; name another one in EDITOR" in node.run("edit", "config").err
