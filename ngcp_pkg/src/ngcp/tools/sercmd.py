"""`ngcp-sercmd lb|proxy METHOD [ARGUMENT…]`: any control command of a daemon, from the command line."""

import json
from typing import Annotated

import typer
import yaml

from ngcp.service.commands import Json
from ngcp.tools.control import STATUSES, Name, ask

app = typer.Typer(add_completion=False)


@app.command(epilog=STATUSES)
def sercmd(
    daemon: Annotated[Name, typer.Argument(help="which daemon")],
    method: Annotated[str, typer.Argument(help="command; system.listMethods names them all")],
    arguments: Annotated[list[str] | None, typer.Argument(help="its arguments")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Execute a control command of a daemon and print its result."""
    result = ask(daemon, method, *(arguments or ()))
    print(json.dumps(result) if as_json else format_result(result))


def format_result(result: Json) -> str:
    """Write a result for people: one value a line, nested ones indented."""
    if isinstance(result, dict | list) and result:
        return yaml.safe_dump(result, sort_keys=False, allow_unicode=True, width=1000).rstrip()
    return "" if result is None or isinstance(result, dict | list) else str(result)


def main() -> None:
    """Run the command line."""
    app()
