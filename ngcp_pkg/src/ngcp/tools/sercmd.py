"""`ngcp-sercmd lb|proxy METHOD [ARGUMENT…]`: any control command of a daemon, from the command line."""

import json
import re
from typing import Annotated, Final

import typer
import yaml

from ngcp.service.commands import Json
from ngcp.tools import completion
from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.trace import Wish, follow

#: The command that is a stream, which only this tool can show.
TRACE: Final = completion.TRACE
EXPLANATION: Final = "PATTERN …: show messages as they pass; PATTERN is explained in ngcp-sercmd(8)"

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]+")

app = typer.Typer(add_completion=False)


@app.command(epilog=STATUSES)
def sercmd(
    daemon: Annotated[Name, typer.Argument(help="which daemon")],
    method: Annotated[
        str, typer.Argument(help="command; help lists them all", autocompletion=completion.methods)
    ] = "help",
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="its arguments; s:7 is a text", autocompletion=completion.arguments),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    pcap: Annotated[str | None, typer.Option(help=f"{TRACE}: write a capture FILE, - is stdout")] = None,
    summary: Annotated[bool, typer.Option("--summary", help=f"{TRACE}: one line a message")] = False,
) -> None:
    """Execute a control command of a daemon and print its result.

    help lists the commands of the daemon, help METHOD explains one.

    core.trace PATTERN shows messages as they pass.
    """
    given = arguments or []
    if method == TRACE:
        follow(daemon, " ".join(given), Wish(pcap, summary, as_json))
    elif method == "help":
        print("\n".join(_explain(daemon, name) for name in given) if given else _list_commands(daemon))
    else:
        result = ask(daemon, method, *map(read_argument, given))
        print(json.dumps(result) if as_json else format_result(result))


def read_argument(text: str) -> Json:
    """Read an argument as Kamailio's tools do: `7` and `i:7` are a number, `s:7` is a text, `f:7` is 7.0."""
    kind, colon, value = text.partition(":")
    if colon and kind == "s":
        return value
    try:
        if colon and kind == "i":
            return int(value)
        if colon and kind in ("f", "d"):
            return float(value)
    except ValueError:
        raise typer.BadParameter(f"{text}: {value!r} is no number; s:{text} would be this text") from None
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def format_result(result: Json) -> str:
    """Write a result for people: one value a line, nested ones indented."""
    if isinstance(result, list) and not any(isinstance(item, list | dict) for item in result):
        return "\n".join(map(str, result))
    if isinstance(result, dict | list) and result:
        return yaml.safe_dump(result, sort_keys=False, allow_unicode=True, width=1000).rstrip()
    return "" if result is None or isinstance(result, dict | list) else str(result)


def _list_commands(daemon: Name) -> str:
    names = ask(daemon, "system.listMethods")
    assert isinstance(names, list), "what system.listMethods returns"
    commands = {TRACE: EXPLANATION} if daemon is Name.LB else {}
    commands |= {str(name): str(ask(daemon, "system.methodHelp", name)) for name in names}
    width = max(map(len, commands))
    return "\n".join(f"{name:{width}}  {meaning}" for name, meaning in sorted(commands.items()))


def _explain(daemon: Name, method: str) -> str:
    if method == TRACE:
        return EXPLANATION
    meaning, signatures = (ask(daemon, f"system.method{what}", method) for what in ("Help", "Signature"))
    assert isinstance(signatures, list), "what system.methodSignature returns"
    lines = [str(meaning)]
    for signature in signatures:
        result, *arguments = map(str, signature if isinstance(signature, list) else ())
        lines.append(f"types: {' '.join(arguments) or 'no arguments'} -> {result}")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    completion.run(app, "ngcp-sercmd")
