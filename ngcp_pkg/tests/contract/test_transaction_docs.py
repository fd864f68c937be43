"""The drawn state machines are those that run (style.md: documents that can be generated are)."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ngcp.sip.transaction.tables import INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_transactions", DOCS / "draw_transactions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(script: ModuleType) -> None:
    """Run docs/draw_transactions.py after a change of the tables."""
    assert (DOCS / "transactions.md").read_text() == script.document()


def test_every_transition_is_drawn(script: ModuleType) -> None:
    tables = (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER)

    assert script.document().count(" --> ") == sum(len(table) for table in tables) + len(tables)
