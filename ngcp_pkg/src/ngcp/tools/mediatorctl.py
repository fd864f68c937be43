"""`ngcp-mediator-ctl`: what the mediator does, and which call records wait for what."""

from typing import Final

import typer

from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.kamctl import AsJson
from ngcp.tools.table import print_rows

#: Columns: what the daemon calls them, what operators read.
STUCK: Final = {
    "call_id": "Call-ID",
    "method": "Record",
    "branch": "Leg",
    "time": "Time (UTC)",
    "seconds": "Waits (s)",
    "why": "Why",
    "left": "Given up in (s)",
}

app = typer.Typer(no_args_is_help=True, add_completion=False, epilog=STATUSES, help=__doc__)


@app.command(epilog=STATUSES)
def status() -> None:
    """Say in a line what the mediator does."""
    print(ask(Name.MEDIATOR, "status"))


@app.command(epilog=STATUSES)
def stuck(as_json: AsJson = False) -> None:
    """Show the records that wait without a call that goes on, and why."""
    print_rows(ask(Name.MEDIATOR, "stuck"), STUCK, as_json=as_json)


@app.command(epilog=STATUSES)
def stats(as_json: AsJson = False) -> None:
    """Print the counters."""
    print_rows(ask(Name.MEDIATOR, "stats"), None, as_json=as_json)


def main() -> None:
    """Run the command line."""
    app(prog_name="ngcp-mediator-ctl")
