"""The table of control commands of one daemon, served over XMLRPC to operators and to the OSSBSS.

Commands take and return what XMLRPC can carry: None, bool, int, float, str, and lists and dicts of them.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, Union, get_origin

from ngcp.service import process

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
Function: TypeAlias = Callable[..., Json | Awaitable[Json]]


class CommandError(Exception):
    """A command cannot be executed; `code` follows SIP: 4xx the asker's fault, 5xx ours."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


#: XMLRPC's names of the types that commands declare; anything else may be of several.
TYPES: Final = {
    bool: "boolean", int: "int", float: "double", str: "string", list: "array", dict: "struct", None: "nil"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: str
    function: Function
    help: str
    signature: inspect.Signature

    def bind(self, arguments: Iterable[Json]) -> list[Json]:
        """Return the arguments as the function declares them, or raise `CommandError`.

        A shell cannot tell the number 7 from the text "7", nor can many XMLRPC clients: each is taken for the
        other where one is declared.
        """
        try:
            bound = self.signature.bind(*arguments)
        except TypeError as error:
            raise self._refusal(str(error)) from error
        for name, value in bound.arguments.items():
            parameter = self.signature.parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                bound.arguments[name] = tuple(self._fit(parameter, item) for item in value)
            else:
                bound.arguments[name] = self._fit(parameter, value)
        return list(bound.args)

    def describe(self) -> list[Json]:
        """Return the types of the result and of each argument, in XMLRPC's names."""
        kinds = [
            self.signature.return_annotation,
            *(parameter.annotation for parameter in self.signature.parameters.values()),
        ]
        return [TYPES.get(get_origin(kind) or kind, "any") for kind in kinds]

    def _fit(self, parameter: inspect.Parameter, value: Json) -> Json:
        kind = parameter.annotation
        if kind not in (int, float, str) or type(value) is kind:
            return value
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                fitting: Json = kind(value)
            except (ValueError, OverflowError):
                pass
            else:
                if fitting == value or isinstance(value, str) or kind is str:  # 7.5 is no whole number
                    return fitting
        raise self._refusal(f"{parameter.name} cannot be {value!r}")

    def _refusal(self, problem: str) -> CommandError:
        usage = self.signature.replace(return_annotation=inspect.Signature.empty)
        return CommandError(400, f"{self.name}{usage}: {problem}")


class CommandTable:
    """What an operator may ask a running daemon; `uptime`, `core.*` and introspection are always there."""

    def __init__(
        self,
        daemon: str,
        clock: Callable[[], float] = time.monotonic,
        unix: Callable[[], float] = time.time,
    ) -> None:
        self._daemon = daemon
        self._clock = clock
        self._unix = unix
        self._started = clock()
        self._commands: dict[str, Command] = {}
        self.add("uptime", self._uptime, "seconds since the daemon started")
        self.add("core.uptime", self._core_uptime, "the time now, when the daemon started, seconds between")
        self.add("core.version", lambda: process.version(daemon), "name and version of the daemon")
        self.add("core.info", self._info, "version, and what the daemon runs on")
        self.add("core.ps", self._processes, "process numbers and what each process does, in turn")
        self.add("core.psx", self._processes_in_detail, "the same, one structure a process")
        self.add("system.listMethods", self._list_methods, "names of all commands")
        self.add("system.methodHelp", self._method_help, "METHOD: what the command does")
        self.add(
            "system.methodSignature", self._method_signature, "METHOD: types of its result and arguments"
        )

    def add(self, name: str, function: Function, help: str) -> None:
        """Offer `function`, plain or coroutine, under `name`; `help` begins with its arguments, if any."""
        if name in self._commands:
            raise ValueError(f"command {name} is already in the table")
        self._commands[name] = Command(name, function, help, inspect.signature(function, eval_str=True))

    def function(self, name: str) -> Function:
        """Return what a command does."""
        return self._find(name).function

    def replace(self, name: str, function: Function) -> None:
        """Let a command do something else, with the same arguments."""
        self._commands[name] = replace(self._find(name), function=function)

    async def call(self, name: str, *arguments: Json) -> Json:
        """Execute a command; whatever is wrong with the request is a `CommandError`."""
        command = self._find(name)
        result = command.function(*command.bind(arguments))
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

    def _core_uptime(self) -> dict[str, Json]:
        now, uptime = self._unix(), int(self._clock() - self._started)
        return {"now": time.ctime(now), "up_since": time.ctime(now - uptime), "uptime": uptime}

    def _info(self) -> dict[str, Json]:
        return {**process.info(self._daemon)}

    def _processes(self) -> list[Json]:
        return [item for number, task in process.processes() for item in (number, task)]

    def _processes_in_detail(self) -> list[Json]:
        return [
            {"IDX": index, "PID": number, "DSC": task}
            for index, (number, task) in enumerate(process.processes())
        ]

    def _list_methods(self) -> list[Json]:
        return list(sorted(self._commands))

    def _method_help(self, method: str) -> str:
        return self._find(method).help

    def _method_signature(self, method: str) -> list[Json]:
        return [self._find(method).describe()]
