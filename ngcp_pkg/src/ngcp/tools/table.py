"""What the tools print: tables for people, JSON for programs."""

import json
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ngcp.service.commands import Json
from ngcp.tools.sercmd import format_result

#: Characters a line may have where no terminal wraps it, so that a script finds each row on one.
UNWRAPPED: Final = 400


def print_rows(rows: Json, columns: Mapping[str, str] | None, *, as_json: bool) -> None:
    """Print structures as a table with these columns (key → title); without columns, as they are."""
    if as_json:
        print(json.dumps(rows))
    elif columns is None:
        print(format_result(rows))
    else:
        console = Console()
        if not console.is_terminal:
            console = Console(width=UNWRAPPED)
        console.print(_table(rows, columns))


def _table(rows: Json, columns: Mapping[str, str]) -> Table:
    table = Table(box=None)
    for title in columns.values():
        table.add_column(title, overflow="fold")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):  # Text: a contact may look like markup
            table.add_row(*(Text(str(row.get(name, ""))) for name in columns))
    return table
