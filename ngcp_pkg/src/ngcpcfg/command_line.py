"""What ngcpcfg understands on its command line: commands, their arguments, what is taken and says nothing."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from ngcpcfg import __version__, clean, shown
from ngcpcfg.problems import RefusedError

#: What each command is for.
COMMANDS: Final = {
    "apply": "build, let the services follow, commit",
    "build": "render the templates",
    "cat": "print the files with values",
    "check": "check files and values",
    "clean": "take away what was never committed",
    "commit": "commit all changes",
    "decrypt": "unlock the configuration",
    "del": "remove keys from a file",
    "edit": "open a file in an editor, then check",
    "encrypt": "lock the configuration with a password",
    "get": "print the value of a key",
    "initialise": "make the git repository",
    "patch": "make templates from patches",
    "post-build": "bring the databases up to date",
    "services": "let the services follow what was built",
    "set": "change values in a file",
    "status": "say what waits to be done",
    "vendor": "merge the new version of the configuration",
}

#: Handed to git with all their arguments.
GIT_COMMANDS: Final = {
    "diff": "show pending changes",
    "log": "show earlier changes",
    "show": "show one change",
}


#: Earlier names of commands, and options that are commands.
OBSOLETE: Final = {"values": "get", "help": "--help", "version": "--version", "-v": "--version"}

#: How the platform's own tool describes these two.
_USAGE: Final = {
    "set": "ngcpcfg set [<options>] <file> <key>=<value> ...",
    "del": "ngcpcfg del [<options>] <file> <option> ...",
}


class _Formatter(argparse.HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Begin with a capital letter, as the platform's own tool."""
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Leaves as the platform's own tools do."""

    def error(self, message: str) -> NoReturn:
        """Leave with the platform's exit status for a wrong command line."""
        self.print_usage(sys.stderr)
        self.exit(1, f"Error: {message}\n")


#: Options of the platform's own tool that say nothing here: there is one node, every value is always checked,
#: and only what differs is ever written.
ACCEPTED: Final = (
    "--ignore-shared-storage-check",
    "--local-only",
    "--modified-only",
    "--no-check-origin",
    "--no-validate",
    "--summary-only",
    "--validate",
    "--without-shared",
)
_HEEDED: Final = {
    "--debug": "say what happens on the way",
    "--no-action-failure": "keep the change although a service fails",
    "--no-db-sync": "leave the databases alone",
}


def split_jobs(words: list[str]) -> tuple[list[str], int | None]:
    """Take `--jobs[=NUMBER]`, whose number argparse could not tell from a command, out of a command line."""
    jobs = None
    rest = []
    for word in words:
        name, _, number = word.partition("=")
        if name != "--jobs":
            rest.append(word)
        elif number and not (number.isdecimal() and int(number)):
            raise RefusedError(f"'{number}' is no number of jobs")
        else:
            jobs = int(number) if number else None
    return rest, jobs


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="ngcpcfg", description="Configure the node from /etc/ngcp-config.", formatter_class=_Formatter
    )
    parser.add_argument("--version", action="version", version=f"ngcpcfg {__version__}")
    _accept(parser, default=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    of = {
        name: commands.add_parser(
            name, help=text, description=text, usage=_USAGE.get(name), formatter_class=_Formatter
        )
        for name, text in COMMANDS.items()
    }
    for name, text in (*GIT_COMMANDS.items(), ("help", "show this list"), ("version", "show the version")):
        commands.add_parser(name, help=text)
    for command in of.values():
        _accept(command, default=argparse.SUPPRESS)  # what stands before the command stays
    _add_building(of)
    _add_setting(of)
    _add_cleaning(of)
    return parser


def _accept(parser: argparse.ArgumentParser, default: bool | str) -> None:
    for option in ACCEPTED:
        parser.add_argument(option, action="store_true", default=default, help=argparse.SUPPRESS)
    for option, text in _HEEDED.items():
        parser.add_argument(option, action="store_true", default=default, help=text)


def _add_building(of: Mapping[str, argparse.ArgumentParser]) -> None:
    for name in ("apply", "build", "services"):
        of[name].add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    for name in ("apply", "build", "check"):
        of[name].add_argument(
            "--ignore-branch-check", action="store_true", help="take another branch than master"
        )
    for name in ("apply", "services"):
        of[name].add_argument(
            "--force-all-services", action="store_true", help="let all services follow, changed or not"
        )
    for name, number in (("apply", "*"), ("commit", "*"), ("vendor", "+")):
        of[name].add_argument("message", nargs=number, help="what the change is for")
    of["check"].add_argument("file", metavar="FILE", nargs="*", help="only what is wrong with these")
    of["services"].add_argument("test", nargs="?", choices=["test"], help="the same as --dry-run")
    of["build"].add_argument("pattern", nargs="*", help="only templates whose path matches")


def _add_setting(of: Mapping[str, argparse.ArgumentParser]) -> None:
    of["get"].add_argument("key", metavar="KEY", help="for example rtpproxy.minport")
    for name in ("set", "del"):
        of[name].add_argument("--diff", action="store_true", help="show what has changed")
        of[name].add_argument("file", metavar="FILE", help="for example config.yml")
    of["set"].add_argument("assignment", metavar="KEY=VALUE", nargs="+")
    of["del"].add_argument("key", metavar="KEY", nargs="+")
    of["cat"].add_argument("name", metavar="NAME", nargs="*", help=" | ".join(shown.NAMES))
    of["edit"].add_argument("file", metavar="FILE", nargs="?", help=" | ".join(shown.EDITABLE))


def _add_cleaning(of: Mapping[str, argparse.ArgumentParser]) -> None:
    for name, (text, _) in clean.PARTS.items():
        of["clean"].add_argument(f"--{name}", action="store_true", help=text)
    of["clean"].add_argument("--all", action="store_true", help="all of these but --reset-master")
    of["clean"].add_argument("--force", action="store_true", help="do not ask")
    of["patch"].add_argument(
        "--from-customtt", action="store_true", help="make patches out of the operator's templates instead"
    )
    of["patch"].add_argument("name", metavar="FILE", nargs="*", help="only files whose path matches")
