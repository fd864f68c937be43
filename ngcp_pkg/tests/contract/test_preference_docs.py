"""docs/preferences.md says truly which preferences do nothing yet."""

import re
from pathlib import Path

import pytest

import ngcp.proxy
from contract.source_tree import SRC
from ngcp.provisioning.preferences.catalogue import CATALOGUE

PAGE = SRC.parent / "docs/preferences.md"
PROXY = Path(ngcp.proxy.__file__).parent


def idle() -> list[str]:
    table = PAGE.read_text().partition("| wait for |")[2]
    return [name for name in re.findall(r"`(\w+)`", table) if not name.endswith("_")]


@pytest.mark.parametrize("name", idle())
def test_a_preference_that_waits_is_known_and_not_looked_at(name: str) -> None:
    assert name in CATALOGUE
    users = [path.name for path in PROXY.rglob("*.py") if f'"{name}"' in path.read_text()]
    assert users == []
