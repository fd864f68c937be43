"""What the tools of all daemons that have calls can do: show them, end one, ask for counters, over UDP."""

import json
import os
import shlex
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, NoReturn, cast

import typer

from ngcp.service.commands import Json
from ngcp.tools.control import STATUSES, Daemon, Misconfigured
from ngcp.tools.kamctl import AsJson
from ngcp.tools.sercmd import format_result
from ngcp.tools.table import print_rows

#: Seconds that the daemon may take.
PATIENCE: Final = 3.0
#: Calls that are asked for at a time: the answer is one datagram.
PAGE: Final = 100
CALL: Final = {
    "id": "Id",
    "application": "Application",
    "from": "From",
    "to": "To",
    "state": "State",
    "seconds": "Seconds",
    "call_id": "Call-ID",
}


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one daemon."""

    daemon: Callable[[], Daemon]

    def ask(self, *words: str) -> Json:
        """Return the result of a command; print what is wrong and exit if that fails."""
        daemon = self.daemon()
        try:
            host, port = daemon.address()
        except Misconfigured as error:
            _fail(str(error), os.EX_CONFIG)
        try:
            answer = _exchange((host, port), shlex.join(words).encode())
        except (OSError, ValueError) as error:
            problem = f"{daemon.unit} does not answer at {host}:{port}: {error}"
            _fail(f"{problem}; see `systemctl status {daemon.unit}`", os.EX_UNAVAILABLE)
        if "result" not in answer:
            _fail(f"{daemon.unit}: {answer.get('error')} ({answer.get('code')})", 1)
        return answer["result"]

    def pages(self, name: str) -> list[Json]:
        """Return all rows of a list that is asked for page by page."""
        rows: list[Json] = []
        while True:
            page = self.ask(name, str(len(rows)), str(PAGE))
            found = page if isinstance(page, list) else []
            rows += found
            if len(found) < PAGE:
                return rows


def make_app(line: Line, about: str) -> typer.Typer:
    """Return a tool with the commands that all of them have."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, epilog=STATUSES, help=about)

    @app.command(epilog=STATUSES)
    def calls(as_json: AsJson = False) -> None:
        """Show the calls that are alive."""
        print_rows(line.pages("calls"), CALL, as_json=as_json)

    @app.command(epilog=STATUSES)
    def terminate(call: Annotated[str, typer.Argument(help="its id, as calls shows it")]) -> None:
        """End a call: whoever takes part gets a BYE."""
        line.ask("terminate", call)

    @app.command(epilog=STATUSES)
    def stats(as_json: AsJson = False) -> None:
        """Print the counters."""
        print_rows(line.ask("stats"), None, as_json=as_json)

    @app.command(epilog=STATUSES)
    def command(words: Annotated[list[str], typer.Argument(help="its name and arguments")]) -> None:
        """Execute any command of the daemon; system.listMethods names them."""
        print(format_result(line.ask(*words)))

    return app


def _exchange(address: tuple[str, int], question: bytes) -> dict[str, Json]:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(address)
        asking.send(question)
        return cast(dict[str, Json], json.loads(asking.recv(65_535)))


def _fail(problem: str, status: int) -> NoReturn:
    print(problem, file=sys.stderr)
    raise SystemExit(status)
