"""What a shell offers behind the tools' names: the running daemon is asked; if it is silent, nothing.

The shell's side is debian/completions; it runs the tool with `_NGCP_SERCMD_COMPLETE=complete_bash`.
"""

from typing import Final

import typer
from typer._completion_classes import completion_init

from ngcp.service.client import Unreachable, call
from ngcp.service.commands import CommandError, Json
from ngcp.tools import control

#: The command of `ngcp-sercmd` that is a stream, which no daemon has.
TRACE: Final = "core.trace"
#: What begins a term of a trace's pattern.
TERMS: Final = ("ip=", "user=", "call-id=", "method=", "status=")


def run(tool: typer.Typer, name: str) -> None:
    """Run a tool's command line, or answer the shell that asks."""
    completion_init()  # left to itself, the library does so only for tools that install their completion
    tool(prog_name=name)


def methods(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the commands that begin so."""
    return _begin(incomplete, ["help", TRACE, *_list(ctx, "system.listMethods")])


def arguments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return what a command's first arguments may be: a table, another command, a term."""
    method = str(ctx.params.get("method") or "")
    if method == TRACE:
        return _begin(incomplete, TERMS)
    if method == "help" or method.startswith("system.method"):
        return methods(ctx, incomplete)
    if method.startswith("htable."):
        return _begin(incomplete, _list(ctx, "htable.listTables"))
    if method.startswith("stats."):
        names = (name.split(".")[0] + ":" for name in _list(ctx, "stats") if "." in name)
        return _begin(incomplete, ["all", *dict.fromkeys(names)])
    return []


def calls(incomplete: str) -> list[str]:
    """Return the Call-IDs of the calls that the proxy has."""
    return _call_ids(control.Name.PROXY, "dlg.list", incomplete)


def sessions(incomplete: str) -> list[str]:
    """Return the Call-IDs of the calls whose media are relayed."""
    return _call_ids(control.Name.RTPENGINE, "list.sessions", incomplete)


def _call_ids(daemon: control.Name, command: str, incomplete: str) -> list[str]:
    try:
        rows = call(control.DAEMONS[daemon].url(), command)
    except (control.Misconfigured, CommandError, Unreachable):
        return []
    found = rows if isinstance(rows, list) else []
    return _begin(incomplete, [str(row.get("call-id")) for row in found if isinstance(row, dict)])


def _begin(incomplete: str, words: list[str] | tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _list(ctx: typer.Context, command: str) -> list[str]:
    """Ask the daemon that stands on the command line; a list of names, or of structures that have one."""
    try:
        daemon = control.DAEMONS[control.Name(str(ctx.params.get("daemon", "")))]
        answer = call(daemon.url(), command)
    except (ValueError, control.Misconfigured, CommandError, Unreachable):
        return []
    return [_name(item) for item in answer] if isinstance(answer, list | dict) else []


def _name(item: Json) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else str(item)
