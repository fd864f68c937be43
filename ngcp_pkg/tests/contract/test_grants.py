"""Each daemon's account at MariaDB may do what its code does: tests run as the server's administrator."""

import re
from pathlib import Path

import pytest

import ngcp.provisioning
from ngcp.provisioning.accounts import ACCOUNTS, WRITE
from ngcp.provisioning.tables import kamailio

PROVISIONING = Path(ngcp.provisioning.__file__).parent
DATABASES = ("billing", "kamailio", "provisioning", "accounting")
_STATEMENT = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE)\s+((?:{'|'.join(DATABASES)})\.\w+)")

#: What the proxy executes: text, since it goes by a line of its own.
PROXY = (
    *sorted((PROVISIONING / "runtime").glob("*.py")),
    PROVISIONING / "acc.py",
    PROVISIONING / "location.py",
)
#: What the mediator executes, likewise.
MEDIATOR = (PROVISIONING / "mediation.py", PROVISIONING / "months.py")
#: What the API executes: tables by their names in Python.
NOT_API = {
    "mediation",
    "months",
    "acc",
    "accounts",
    "cdr_export",
    "cleanup",
    "foreign_accounts",
    "location",
    "seed",
    "upgrade",
}
API = sorted(path for path in PROVISIONING.glob("*.py") if path.stem not in NOT_API)


def granted(account: str, table: str) -> str:
    grants = ACCOUNTS[account]
    return grants.get(table) or grants.get(f"{table.partition('.')[0]}.*") or ""


@pytest.mark.parametrize("path", PROXY, ids=lambda path: path.stem)
def test_the_proxy_may_do_what_its_statements_do(path: Path) -> None:
    lacking = {
        table
        for verb, table in _STATEMENT.findall(path.read_text())
        if ("INSERT" if verb == "INTO" else "UPDATE" if verb == "UPDATE" else "SELECT")
        not in granted("kamailio-proxy", table)
    }
    assert lacking == set()


@pytest.mark.parametrize("path", MEDIATOR, ids=lambda path: path.stem)
def test_the_mediator_may_do_what_its_statements_do(path: Path) -> None:
    lacking = {
        table
        for verb, table in _STATEMENT.findall(path.read_text())
        if ("INSERT" if verb == "INTO" else "UPDATE" if verb == "UPDATE" else "SELECT")
        not in granted("mediator", table)
    }
    assert lacking == set()


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_the_api_may_write_the_proxys_copy(path: Path) -> None:
    used = {f"kamailio.{name}" for name in re.findall(r"\bkamailio\.(\w+)", path.read_text())}
    known = {f"kamailio.{table.name}" for table in kamailio.metadata.tables.values()}
    lacking = {table for table in used & known if granted("ngcp-api", table) != WRITE}
    assert lacking - {"kamailio.location"} == set()


def test_statements_are_seen() -> None:
    assert _STATEMENT.findall("SELECT 1 FROM kamailio.domain d JOIN billing.x") == [
        ("FROM", "kamailio.domain"),
        ("JOIN", "billing.x"),
    ]
