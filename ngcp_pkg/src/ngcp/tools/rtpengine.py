"""`ngcp-rtpengine-ctl list sessions|totals|interfaces`: what the media relay does right now."""

from typing import Annotated, Final

import typer

from ngcp.tools import completion
from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.kamctl import AsJson
from ngcp.tools.table import print_rows

#: Columns: what the daemon calls them, what operators read.
SESSION: Final = {
    "call-id": "Call-ID",
    "age": "Age (s)",
    "state": "State",
    "forwarded_by": "Forwarded by",
    "caller": "Caller",
    "caller_packets": "Packets",
    "callee": "Callee",
    "callee_packets": "Packets",
}
PORT: Final = {
    "section": "Section",
    "kind": "Kind",
    "tag": "Tag",
    "label": "Label",
    "local": "Port",
    "announced": "Announced",
    "learned": "Learned",
    "crypto": "SRTP",
    "packets": "Packets",
    "bytes": "Bytes",
    "errors": "Errors",
    "forwarded_by": "Forwarded by",
}
INTERFACE: Final = {"name": "Interface", "address": "Address", "free": "Free pairs", "used": "Used pairs"}

app = typer.Typer(no_args_is_help=True, add_completion=False, epilog=STATUSES, help=__doc__)
listing = typer.Typer(no_args_is_help=True, help="calls, counters, addresses")
app.add_typer(listing, name="list", epilog=STATUSES)


@listing.command("sessions", epilog=STATUSES)
def sessions(
    call_id: Annotated[
        str | None, typer.Argument(help="show each port of this call", autocompletion=completion.sessions)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all calls, or one in detail."""
    if call_id is None:
        print_rows(ask(Name.RTPENGINE, "list.sessions"), SESSION, as_json=as_json)
    else:
        print_rows(ask(Name.RTPENGINE, "list.session", call_id), PORT, as_json=as_json)


@listing.command("totals", epilog=STATUSES)
def totals(as_json: AsJson = False) -> None:
    """Print the counters since the start, and what is alive now."""
    print_rows(ask(Name.RTPENGINE, "stats"), None, as_json=as_json)


@listing.command("interfaces", epilog=STATUSES)
def interfaces(as_json: AsJson = False) -> None:
    """Show the addresses of the interfaces and their pairs of ports."""
    print_rows(ask(Name.RTPENGINE, "list.interfaces"), INTERFACE, as_json=as_json)


def main() -> None:
    """Run the command line."""
    completion.run(app, "ngcp-rtpengine-ctl")
