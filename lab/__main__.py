"""The lab's command line: `python3 -m lab COMMAND [NAME]` (see README.md beside this file)."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from lab import nodes, ssh
from lab.call import first_call
from lab.errors import LabError
from lab.settings import NAMESPACE_PATH
from lab.vm import Firmware


def up(arguments: argparse.Namespace) -> int:
    """Boot the machine and wait until it is ready."""
    nodes.up(nodes.node(arguments.name, Firmware(arguments.firmware)))
    return 0


def down(arguments: argparse.Namespace) -> int:
    """End the machine and remove every trace of it."""
    nodes.down(nodes.node(arguments.name))
    return 0


def reboot(arguments: argparse.Namespace) -> int:
    """Reboot the machine and wait until it is ready."""
    nodes.reboot(nodes.node(arguments.name))
    return 0


def wait(arguments: argparse.Namespace) -> int:
    """Wait until the machine is ready."""
    nodes.node(arguments.name).wait()
    return 0


def converge(arguments: argparse.Namespace) -> int:
    """Configure the machine: ansible-playbook site.yml."""
    return nodes.converge(nodes.node(arguments.name))


def execute(arguments: argparse.Namespace) -> int:
    """Run a shell command in the machine, with our terminal as its own."""
    machine = nodes.node(arguments.name).machine
    return subprocess.run(ssh.command(machine, " ".join(arguments.words)), check=False).returncode


def address(arguments: argparse.Namespace) -> int:
    """Print the machine's public address."""
    print(nodes.node(arguments.name).machine.address)
    return 0


def connection(arguments: argparse.Namespace) -> int:
    """Print how ssh reaches the machine, as Molecule wants it told."""
    machine = nodes.node(arguments.name).machine
    print(json.dumps({"address": machine.address, "user": "root", "port": 22, "identity_file": str(ssh.KEY)}))
    return 0


def password(arguments: argparse.Namespace) -> int:
    """Print the password of the machine's REST administrator."""
    print(nodes.password(nodes.node(arguments.name)))
    return 0


def call(arguments: argparse.Namespace) -> int:
    """Provision two subscribers, register two phones, place a call with media both ways, print the counts."""
    report = first_call(nodes.node(arguments.name))
    print(f"caller to callee: {report.callee_received} of {report.caller_sent} packets")
    print(f"callee to caller: {report.caller_received} of {report.callee_sent} packets")
    print(f"relayed: {report.relayed}, TOS {' '.join(map(str, sorted(report.tos)))}")
    return 0


def journal(arguments: argparse.Namespace) -> int:
    """Save the machine's journal and print where."""
    print(nodes.journal(nodes.node(arguments.name)))
    return 0


def netns(_: argparse.Namespace) -> int:
    """Print the path of the lab's network namespace."""
    print(NAMESPACE_PATH)
    return 0


#: Commands by name; all but `netns` take the name of a machine.
COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "up": up,
    "converge": converge,
    "down": down,
    "reboot": reboot,
    "wait": wait,
    "exec": execute,
    "ip": address,
    "connection": connection,
    "password": password,
    "call": call,
    "journal": journal,
    "netns": netns,
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="python3 -m lab", description="Nodes and phones on a network of their own."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        command.set_defaults(function=function)
        if name != "netns":
            command.add_argument("name", metavar="NAME", help="a machine of lab/machines.py")
        if name == "up":
            command.add_argument("--firmware", choices=[kind.value for kind in Firmware], default="bios")
        if name == "exec":
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return top


def main() -> int:
    """Run one command; a LabError is one line and status 1."""
    arguments = parser().parse_args()
    try:
        status: int = arguments.function(arguments)
    except LabError as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
