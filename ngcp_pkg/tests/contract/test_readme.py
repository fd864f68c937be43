"""The front door does not lie: what README.md names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.repository


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_place_in_the_readme_exists() -> None:
    rows = [line.split("|")[1] for line in read("README.md").splitlines() if line.startswith("| `")]
    places = [place for row in rows for place in re.findall(r"`([^`]+)`", row)]
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_room_is_in_the_readme() -> None:
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert sorted(room for room in rooms if f"`{room}/`" not in read("README.md")) == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", read("README.md"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_command_in_the_readme_is_a_target_of_the_makefile() -> None:
    used = set(re.findall(r"\bmake (?:-s )?([a-z-]+)", read("README.md")))
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert used
    assert sorted(used - targets) == []
