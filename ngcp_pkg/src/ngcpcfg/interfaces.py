"""ngcp-network: the interfaces of network.yml, shown and changed, each for what it is for.

It changes these lines and no other, and refuses what `ngcpcfg check` would refuse. The node follows at the
next `ngcpcfg apply`: listeners, firewall, and the addresses that phones are told.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from ngcpcfg import defaults, messages, network, setting
from ngcpcfg.command_line import Parser
from ngcpcfg.edit import edit, remove
from ngcpcfg.lock import exclusive
from ngcpcfg.paths import Paths
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.values import Value, parse

FILE: Final = "network.yml"
#: Without an interface for each of these, nothing can be rendered.
NEEDED: Final = ("sip_ext", "rtp_ext", "sip_int", "rtp_int")
#: Says that an interface has no such value, or is for nothing.
NONE: Final = "none"
#: Options that set a key of an interface, and whether it is a list.
OPTIONS: Final = {
    "ip": False,
    "netmask": False,
    "hwaddr": False,
    "v6ip": False,
    "v6netmask": False,
    "shared_ip": True,
    "shared_v6ip": True,
    "type": True,
}


class Draft:
    """The text of network.yml, while it is being changed."""

    def __init__(self, text: str, paths: Paths) -> None:
        self.text = text
        self._file = paths.main / FILE

    @property
    def host(self) -> dict[str, Value]:
        """The group `hosts.self`."""
        hosts = parse(self.text, self._file).values.get("hosts")
        host = hosts.get("self") if isinstance(hosts, dict) else None
        if not isinstance(host, dict):
            raise RefusedError(Problem("is not there", self._file, None, "hosts.self"))
        return host

    @property
    def names(self) -> list[str]:
        """The interfaces, in their order."""
        names = self.host.get("interfaces")
        return [str(name) for name in names] if isinstance(names, list) else []

    def get(self, name: str, key: str) -> Value:
        """Give a value of an interface; None if it has none."""
        interface = self.host.get(name)
        return interface.get(key) if isinstance(interface, dict) else None

    def types(self, name: str) -> list[Value]:
        """List what an interface is for."""
        types = self.get(name, "type")
        return list(types) if isinstance(types, list) else []

    def put(self, value: Value, *path: str) -> None:
        """Set a value below `hosts.self`."""
        self.text = edit(self.text, ("hosts", "self", *path), value)

    def drop(self, *path: str) -> None:
        """Remove a value below `hosts.self`, if it is there."""
        here: Value = self.host
        for part in path[:-1]:
            here = here.get(part) if isinstance(here, dict) else None
        if isinstance(here, dict) and path[-1] in here:
            self.text = remove(self.text, ("hosts", "self", *path))

    def require(self, name: str) -> None:
        """Refuse an interface that is not there."""
        if name not in self.names:
            known = ", ".join(self.names) or "none"
            raise RefusedError(Problem(f"there is no interface {name}; there are: {known}", self._file))

    def add(self, name: str) -> None:
        """Let there be an interface: it has the address that the system gives it, and is for nothing yet."""
        if name in network.OF_A_HOST or not name:
            raise RefusedError(Problem(f"{name!r} is no name of an interface", self._file))
        if name in self.names:
            return
        self.put([*self.names, name], "interfaces")
        if not isinstance(self.host.get(name), dict):
            self.put(network.AUTO, name, "ip")
            self.put([], name, "type")


def set_interface(draft: Draft, name: str, values: dict[str, Value]) -> None:
    """Make an interface, unless it is there, and give it these values; None removes one."""
    draft.add(name)
    for key, value in values.items():
        if value is None:
            draft.drop(name, key)
        else:
            draft.put(value, name, key)


def remove_interface(draft: Draft, name: str) -> None:
    """Take an interface out."""
    draft.require(name)
    draft.put([one for one in draft.names if one != name], "interfaces")
    draft.drop(name)


def add_types(draft: Draft, name: str, types: Sequence[str]) -> None:
    """Let an interface be for more."""
    before = draft.types(name)
    draft.put([*before, *(kind for kind in dict.fromkeys(types) if kind not in before)], name, "type")


def remove_types(draft: Draft, name: str, types: Sequence[str]) -> None:
    """Let an interface be for less; what it is not for is an error, for it is a slip of the pen."""
    before = draft.types(name)
    for kind in types:
        if kind not in before:
            raise RefusedError(
                f"{name} is not for {kind}, but for {', '.join(map(str, before)) or 'nothing'}"
            )
    draft.put([kind for kind in before if kind not in types], name, "type")


def move_types(draft: Draft, source: str, target: str, types: Sequence[str]) -> None:
    """Let what one interface is for be what another one is for."""
    draft.require(source)
    draft.add(target)
    remove_types(draft, source, types)
    add_types(draft, target, types)


def show(draft: Draft) -> Iterator[str]:
    """Write the interfaces as a table."""
    rows: list[tuple[str, ...]] = [("interface", "ip", "v6ip", "type")]
    for name in draft.names:
        addresses = (str(draft.get(name, key) or "-") for key in ("ip", "v6ip"))
        rows.append((name, *addresses, " ".join(map(str, draft.types(name))) or "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])


def missing(draft: Draft) -> list[str]:
    """List what no interface is for, though the node cannot do without."""
    there = {kind for name in draft.names for kind in draft.types(name)}
    return [kind for kind in NEEDED if kind not in there]


def _change(draft: Draft, arguments: argparse.Namespace) -> None:
    values = _values(arguments)
    types = _words(arguments.type)
    if (arguments.move_from is None) != (arguments.move_to is None):
        raise RefusedError("--move-from and --move-to go together")
    if arguments.move_from is not None:
        if not types:
            raise RefusedError("--move-from needs --type: what is to be moved")
        move_types(draft, arguments.move_from, arguments.move_to, types)
        values.pop("type", None)
    if (values or arguments.add_type or arguments.remove_type) and not arguments.set_interface:
        raise RefusedError("which interface? say --set-interface=NAME")
    if len(arguments.set_interface) > 1 and any(
        key != "type" and value != "auto" for key, value in values.items()
    ):
        raise RefusedError("two interfaces cannot have the same address: set one after the other")
    for name in arguments.set_interface:
        set_interface(draft, name, values)
        add_types(draft, name, _words(arguments.add_type))
        remove_types(draft, name, _words(arguments.remove_type))
    for name in arguments.remove_interface:
        remove_interface(draft, name)
    if arguments.role:
        draft.put(list[Value](_words(arguments.role)), "role")


def _values(arguments: argparse.Namespace) -> dict[str, Value]:
    """Read the options that are keys of an interface."""
    values: dict[str, Value] = {}
    for key, is_list in OPTIONS.items():
        given: list[str] | None = getattr(arguments, key)
        if given is None:
            continue
        words = _words(given)
        if words == [NONE] and key != "ip":
            values[key] = [] if key == "type" else None
        elif is_list:
            values[key] = list[Value](words)
        elif len(words) != 1:
            raise RefusedError(f"--{key.replace('_', '-')} takes one value")
        else:
            values[key] = int(words[0]) if key == "v6netmask" and words[0].isdecimal() else words[0]
    return values


def _words(given: Sequence[str] | None) -> list[str]:
    return [word for text in given or () for word in text.replace(",", " ").split()]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="ngcp-network", description="Say which interfaces the node has, and what each is for."
    )
    types, roles = ", ".join(network.TYPES), ", ".join(network.ROLES)
    parser.add_argument(
        "--show", action="store_true", help="print the interfaces; the same without any option"
    )
    _add(parser, "--set-interface", "NAME", "make or change this interface")
    for key, (allowed, _) in network.OF_AN_INTERFACE.items():
        parser.add_argument(f"--{key.replace('_', '-')}", metavar="VALUE", action="append", help=allowed)
    parser.add_argument("--type", metavar="TYPE", action="append", help=f"all it is for: {types}; or none")
    _add(parser, "--add-type", "TYPE", "what it is for, too")
    _add(parser, "--remove-type", "TYPE", "what it is not for any more")
    _add(parser, "--remove-interface", "NAME", "take this interface out")
    parser.add_argument("--move-from", metavar="NAME", help="take --type away from this interface")
    parser.add_argument("--move-to", metavar="NAME", help="and give it to this one")
    _add(parser, "--role", "ROLE", f"all the node does: {roles}")
    parser.add_argument("--host", metavar="NAME", default="self", help="self: there is one node")
    parser.add_argument("--verbose", action="store_true", help="show what has changed in the file")
    return parser


def _add(parser: argparse.ArgumentParser, option: str, metavar: str, text: str) -> None:
    """Add an option that may be given several times."""
    parser.add_argument(option, metavar=metavar, action="append", default=[], help=text)


def run(paths: Paths, arguments: argparse.Namespace) -> int:
    """Show the interfaces, or change them all at once."""
    if arguments.host != "self":
        raise RefusedError(f"there is no host {arguments.host}: this node is self, and alone")
    file = paths.main / FILE
    old = file.read_text(encoding="utf-8")
    draft = Draft(old, paths)
    _change(draft, arguments)
    if draft.text == old and (arguments.show or not _asks_for_change(arguments)):
        print("\n".join(show(draft)))
        return 0
    status = setting.replace(paths, file, old, draft.text, shows_diff=arguments.verbose)
    for kind in missing(draft):
        messages.warn(f"no interface is for {kind}: ngcpcfg cannot render anything until one is.")
    if draft.text != old:
        messages.info("The node follows at the next: ngcpcfg apply 'why'")
    return status


def _asks_for_change(arguments: argparse.Namespace) -> bool:
    neutral = {"host", "show", "verbose"}
    return any(value for key, value in vars(arguments).items() if key not in neutral)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if it was refused."""
    parsed = make_parser().parse_args(arguments)
    try:
        defaults.load(os.environ)
        paths = Paths.from_environment(os.environ)
        if os.geteuid() != 0 and "NGCP_TESTSUITE" not in os.environ:
            raise RefusedError("only root may do this")
        with exclusive(paths.run):
            return run(paths, parsed)
    except RefusedError as error:
        for problem in error.problems:
            messages.fail(str(problem))
    except OSError as error:
        messages.fail(f"{error.filename}: {error.strerror}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
