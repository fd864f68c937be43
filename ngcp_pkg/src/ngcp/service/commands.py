"""The table of control commands of one daemon, served over XMLRPC to operators and to the OSSBSS.

Commands take and return what XMLRPC can carry: None, bool, int, float, str, and lists and dicts of them.
"""

import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
Function: TypeAlias = Callable[..., Json | Awaitable[Json]]


class CommandError(Exception):
    """A command cannot be executed; `code` follows SIP: 4xx the asker's fault, 5xx ours."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: str
    function: Function
    help: str


class CommandTable:
    """What an operator may ask a running daemon; `uptime` and introspection are always there."""

    def __init__(self, daemon: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._daemon = daemon
        self._clock = clock
        self._started = clock()
        self._commands: dict[str, Command] = {}
        self.add("uptime", self._uptime, "seconds since the daemon started")
        self.add("core.uptime", self._uptime, "seconds since the daemon started")
        self.add("core.version", self._version, "name and version of the daemon")
        self.add("system.listMethods", self._list_methods, "names of all commands")
        self.add("system.methodHelp", self._method_help, "METHOD: what the command does")

    def add(self, name: str, function: Function, help: str) -> None:
        """Offer `function`, plain or coroutine, under `name`."""
        if name in self._commands:
            raise ValueError(f"command {name} is already in the table")
        self._commands[name] = Command(name, function, help)

    async def call(self, name: str, *arguments: Json) -> Json:
        """Execute a command; whatever is wrong with the request is a `CommandError`."""
        function = self._find(name).function
        signature = inspect.signature(function)
        try:
            signature.bind(*arguments)
        except TypeError as error:
            raise CommandError(
                400, f"{name}{signature.replace(return_annotation=signature.empty)}: {error}"
            ) from error
        result = function(*arguments)
        return await result if inspect.isawaitable(result) else result

    def _find(self, name: str) -> Command:
        command = self._commands.get(name)
        if command is None:
            raise CommandError(
                404, f"{self._daemon} has no command {name}; system.listMethods names them all"
            )
        return command

    def _uptime(self) -> dict[str, Json]:
        return {"daemon": self._daemon, "uptime": round(self._clock() - self._started, 3)}

    def _version(self) -> str:
        try:
            return f"{self._daemon} {version('ngcp')}"
        except PackageNotFoundError:
            return f"{self._daemon} (not installed)"

    def _list_methods(self) -> list[Json]:
        return list(sorted(self._commands))

    def _method_help(self, name: str) -> str:
        return self._find(name).help
