"""`ngcp-sems-ctl`: the calls of the back-to-back user agent, asked over its UDP port."""

from pathlib import Path
from typing import Annotated, Final

import typer

from ngcp.tools.callctl import Line, make_app
from ngcp.tools.control import STATUSES, Daemon
from ngcp.tools.kamctl import AsJson
from ngcp.tools.table import print_rows

DAEMON: Final = Daemon("ngcp-sems", Path("/etc/ngcp-sems/sems.yml"), "control", "port", 5040)
LINE: Final = Line(lambda: DAEMON)
REGISTRATION: Final = {
    "kind": "Kind",
    "number": "Number",
    "user": "User",
    "registrar": "Registrar",
    "state": "State",
    "seconds": "Seconds",
    "code": "Code",
    "reason": "Reason",
}

app = make_app(LINE, __doc__)


@app.command(epilog=STATUSES)
def registrations(as_json: AsJson = False) -> None:
    """Show the registrations at peers, and how they stand."""
    print_rows(LINE.pages("registrations"), REGISTRATION, as_json=as_json)


@app.command(epilog=STATUSES)
def dial(
    caller: Annotated[str, typer.Argument(help="URI of a subscriber, sip:USER@DOMAIN")],
    callee: Annotated[str, typer.Argument(help="URI of whom to call, once the subscriber has answered")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="the subscriber's; asked for if not given")
    ],
) -> None:
    """Call a subscriber, then somebody else in its name, and connect them; prints the id of the call."""
    user, _, domain = caller.removeprefix("sip:").partition("@")
    order = "click2dial", "", caller, callee, caller, callee, domain, user, password
    print(LINE.ask("dial_auth_b2b", *order))


def main() -> None:
    """Run the command line."""
    app(prog_name="ngcp-sems-ctl")
