"""`ngcp-kamctl lb|proxy …`: the questions operators ask most, answered as tables."""

import json
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ngcp.service.commands import Json
from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.sercmd import format_result

#: Columns of `ul show`: what the proxy calls them, what operators do.
COLUMNS: Final = {
    "aor": "Address of record",
    "contact": "Contact",
    "expires": "Expires (s)",
    "q": "q",
    "received": "Received from",
    "user_agent": "User agent",
}
#: Characters a line may have where no terminal wraps it, so that a script finds each registration on one.
UNWRAPPED: Final = 400

app = typer.Typer(add_completion=False, no_args_is_help=True, epilog=STATUSES, help=__doc__)
lb = typer.Typer(no_args_is_help=True, help="the load-balancer")
proxy = typer.Typer(no_args_is_help=True, help="the proxy and registrar")
ul = typer.Typer(no_args_is_help=True, help="user locations: who is registered where")
app.add_typer(lb, name="lb")
app.add_typer(proxy, name="proxy")
proxy.add_typer(ul, name="ul")


@lb.command("uptime")
def lb_uptime() -> None:
    """Print since when the load-balancer runs."""
    print(format_result(ask(Name.LB, "uptime")))


@lb.command("stats")
def lb_stats() -> None:
    """Print the load-balancer's counters."""
    print(format_result(ask(Name.LB, "stats")))


@proxy.command("uptime")
def proxy_uptime() -> None:
    """Print since when the proxy runs."""
    print(format_result(ask(Name.PROXY, "uptime")))


@proxy.command("stats")
def proxy_stats() -> None:
    """Print the proxy's counters."""
    print(format_result(ask(Name.PROXY, "stats")))


@ul.command("show", epilog=STATUSES)
def show(
    aor: Annotated[str | None, typer.Argument(help="only of this USER@DOMAIN")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show registrations."""
    rows = ask(Name.PROXY, "ul.dump") if aor is None else ask(Name.PROXY, "ul.lookup", "location", aor)
    if as_json:
        print(json.dumps(rows))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=UNWRAPPED)
    console.print(table_of(rows))


def table_of(rows: Json) -> Table:
    """Return registrations as a table."""
    table = Table(box=None)
    for title in COLUMNS.values():
        table.add_column(title, overflow="fold")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):  # Text: a contact may look like markup
            table.add_row(*(Text(str(row.get(name, ""))) for name in COLUMNS))
    return table


def main() -> None:
    """Run the command line."""
    app()
