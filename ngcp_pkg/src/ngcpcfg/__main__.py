"""The command line of ngcpcfg."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Final, NamedTuple, NoReturn

from ngcpcfg import __version__, apply, build, report, setting, vendor
from ngcpcfg.check import check
from ngcpcfg.lock import exclusive
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.status import status
from ngcpcfg.templates import RenderError


def _initialise(paths: Paths, _: argparse.Namespace) -> int:
    is_new = vendor.initialise(paths)
    print("OK:   has been initialised" if is_new else "OK:   has been initialised already")
    return 0


def _build(paths: Paths, arguments: argparse.Namespace) -> int:
    generated = build.build(paths, arguments.pattern, dry_run=arguments.dry_run)
    say = report.would_change if arguments.dry_run else report.changed
    print(say(report.count(len(generated), "file")))
    return 0


def _apply(paths: Paths, arguments: argparse.Namespace) -> int:
    return apply.preview(paths) if arguments.dry_run else apply.apply(paths, " ".join(arguments.message))


def _services(paths: Paths, _: argparse.Namespace) -> int:
    return apply.run_services(paths)


def _check(paths: Paths, _: argparse.Namespace) -> int:
    check(paths)
    print("configs were checked successfully")
    return 0


def _commit(paths: Paths, arguments: argparse.Namespace) -> int:
    repository = Repository(paths.main)
    repository.require_initialised()
    is_new = repository.commit(" ".join(arguments.message) or "Change the configuration")
    print("OK" if is_new else "OK:   nothing to commit.")
    return 0


def _status(paths: Paths, _: argparse.Namespace) -> int:
    print("\n".join(status(paths)))
    return 0


def _get(paths: Paths, arguments: argparse.Namespace) -> int:
    print(setting.get(paths, arguments.key))
    return 0


def _set(paths: Paths, arguments: argparse.Namespace) -> int:
    return setting.set_values(paths, arguments.file, arguments.assignment, shows_diff=arguments.diff)


def _vendor(paths: Paths, arguments: argparse.Namespace) -> int:
    return vendor.update(paths, " ".join(arguments.message))


class _Command(NamedTuple):
    run: Callable[[Paths, argparse.Namespace], int]
    help: str
    is_exclusive: bool = False


COMMANDS: Final = {
    "apply": _Command(_apply, "build, let the services follow, commit", is_exclusive=True),
    "build": _Command(_build, "render the templates", is_exclusive=True),
    "check": _Command(_check, "check files and values"),
    "commit": _Command(_commit, "commit all changes", is_exclusive=True),
    "get": _Command(_get, "print the value of a key"),
    "initialise": _Command(_initialise, "make the git repository", is_exclusive=True),
    "services": _Command(_services, "let the services follow what was built", is_exclusive=True),
    "set": _Command(_set, "change values in a file", is_exclusive=True),
    "status": _Command(_status, "say what waits to be done"),
    "vendor": _Command(_vendor, "merge the new version of the configuration", is_exclusive=True),
}

#: Handed to git with all their arguments.
GIT_COMMANDS: Final = {
    "diff": "show pending changes",
    "log": "show earlier changes",
    "show": "show one change",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave with the platform's exit status for a wrong command line."""
        self.print_usage(sys.stderr)
        self.exit(1, f"Error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ngcpcfg", description="Configure the node from /etc/ngcp-config.")
    parser.add_argument("--version", action="version", version=f"ngcpcfg {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    of = {
        name: commands.add_parser(name, help=command.help, description=command.help)
        for name, command in COMMANDS.items()
    }
    for name, text in (*GIT_COMMANDS.items(), ("help", "show this list"), ("version", "show the version")):
        commands.add_parser(name, help=text)
    for name in ("apply", "build"):
        of[name].add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    for name, number in (("apply", "*"), ("commit", "*"), ("vendor", "+")):
        of[name].add_argument("message", nargs=number, help="what the change is for")
    of["build"].add_argument("pattern", nargs="*", help="only templates whose path matches")
    of["get"].add_argument("key", metavar="KEY", help="for example rtpproxy.minport")
    of["set"].add_argument("--diff", action="store_true", help="show what has changed")
    of["set"].add_argument("file", metavar="FILE", help="for example config.yml")
    of["set"].add_argument("assignment", metavar="KEY=VALUE", nargs="+")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if it was refused."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    paths = Paths.from_environment(os.environ)
    if words[:1] == ["help"] or words[:1] == ["version"]:
        words = [f"--{words[0]}"]
    if words and words[0] in GIT_COMMANDS:
        os.execvp("git", ["git", "-C", str(paths.main), *words])
    parsed = _parser().parse_args(words)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # scripts print in between
    os.umask(0o022)
    try:
        return _run(COMMANDS[parsed.command], paths, parsed)
    except RenderError as error:
        build.report_failures(error)
    except RefusedError as error:
        for problem in error.problems:
            print(f"Error: {problem}", file=sys.stderr)
    except OSError as error:
        print(f"Error: {error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted. The next 'ngcpcfg apply' does what is left to do.", file=sys.stderr)
    return 1


def _run(command: _Command, paths: Paths, arguments: argparse.Namespace) -> int:
    if os.geteuid() != 0 and "NGCP_TESTSUITE" not in os.environ:
        raise RefusedError("only root may do this")
    with exclusive(paths.run) if command.is_exclusive else nullcontext():
        return command.run(paths, arguments)


if __name__ == "__main__":
    sys.exit(main())
