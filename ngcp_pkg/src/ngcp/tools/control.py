"""Where the daemons listen for control commands, and how the tools ask them and report failure."""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn

import yaml

from ngcp.service.client import Unreachable, call
from ngcp.service.commands import CommandError, Json


class Name(StrEnum):
    """What operators call the daemons."""

    LB = "lb"
    PROXY = "proxy"


@dataclass(frozen=True)
class Daemon:
    """One daemon that can be asked."""

    unit: str
    configuration: Path
    """The rendered file that says where it listens."""
    section: str
    port: str
    """Section of that file, and its key of the port; the address is `address`."""
    usual_port: int

    def url(self) -> str:
        """Return where its XMLRPC is, or raise `Misconfigured`."""
        try:
            content = yaml.safe_load(self.configuration.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise Misconfigured(f"{self.configuration}: {error}") from error
        section = content.get(self.section) or {} if isinstance(content, dict) else {}
        host, port = section.get("address", "127.0.0.1"), section.get(self.port, self.usual_port)
        return f"http://[{host}]:{port}/RPC2" if ":" in str(host) else f"http://{host}:{port}/RPC2"


class Misconfigured(Exception):
    """The daemon's configuration cannot be read."""


DAEMONS: Final = {
    Name.LB: Daemon("kamailio-lb", Path("/etc/kamailio/lb/lb.yml"), "internal", "xmlrpc_port", 5060),
    Name.PROXY: Daemon("kamailio-proxy", Path("/etc/kamailio/proxy/proxy.yml"), "xmlrpc", "port", 8000),
}

#: Exit statuses, in every tool's help.
STATUSES: Final = (
    "Exit status: 0 done, 1 the daemon refuses, 2 wrong usage, 69 the daemon does not answer, "
    "78 its configuration cannot be read."
)


def ask(name: Name, command: str, *arguments: Json) -> Json:
    """Execute a command of a daemon; print what is wrong and exit if that fails."""
    daemon = DAEMONS[name]
    try:
        url = daemon.url()
    except Misconfigured as error:
        _fail(str(error), os.EX_CONFIG)
    try:
        return call(url, command, *arguments)
    except CommandError as error:
        _fail(f"{daemon.unit}: {error.message} ({error.code})", 1)
    except Unreachable as error:
        _fail(
            f"{daemon.unit} does not answer at {url}: {error}; see `systemctl status {daemon.unit}`",
            os.EX_UNAVAILABLE,
        )


def _fail(problem: str, status: int) -> NoReturn:
    print(problem, file=sys.stderr)
    raise SystemExit(status)
