"""`ngcp-dlgcnt-check`, `ngcp-dlgcnt-clean`: whether Redis counts the calls that there are."""

from typing import Final

import typer

from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.kamctl import AsJson
from ngcp.tools.table import print_rows

DIFFERENCE: Final = {"key": "Key", "right": "Calls", "found": "In Redis"}
EPILOG: Final = f"{STATUSES} Also 1 if something is wrong."

check = typer.Typer(add_completion=False)
clean = typer.Typer(add_completion=False)


@check.command(epilog=EPILOG)
def show_differences(as_json: AsJson = False) -> None:
    """Show counters in Redis that differ from the calls there are.

    A key call:ID is a call, and how many counters it moved.
    """
    rows = ask(Name.PROXY, "dlgcnt.check")
    if rows or as_json:
        print_rows(rows, DIFFERENCE, as_json=as_json)
    raise SystemExit(1 if rows else 0)


@clean.command(epilog=STATUSES)
def repair(as_json: AsJson = False) -> None:
    """Put wrong counters right, and show what they were."""
    rows = ask(Name.PROXY, "dlgcnt.clean")
    if rows or as_json:
        print_rows(rows, DIFFERENCE, as_json=as_json)


def run_check() -> None:
    """Run `ngcp-dlgcnt-check`."""
    check(prog_name="ngcp-dlgcnt-check")


def run_clean() -> None:
    """Run `ngcp-dlgcnt-clean`."""
    clean(prog_name="ngcp-dlgcnt-clean")
