"""The documents name what is there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
PLACES = (PROJECT / "src/ngcp", PROJECT / "src", PROJECT, PROJECT.parent)

every_document = pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)


@every_document
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


@every_document
def test_every_module_that_is_named_exists(path: Path) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", path.read_text())

    assert [name for name in named if not any((place / name).exists() for place in PLACES)] == []


def test_every_decision_is_numbered_once() -> None:
    numbers = [path.name[:4] for path in sorted((DOCS / "decisions").glob("*.md"))]

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
