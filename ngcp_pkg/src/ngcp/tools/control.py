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
    RTPENGINE = "rtpengine"
    MEDIATOR = "mediator"


@dataclass(frozen=True)
class Daemon:
    """One daemon that can be asked."""

    unit: str
    configuration: Path
    """The rendered file that says where it listens."""
    section: str
    port: str
    """Section of that file, and its key of the port; the address is `address`.

    Without a section, the file has lines KEY=ADDRESS:PORT.
    """
    usual_port: int

    def url(self) -> str:
        """Return where its XMLRPC is, or raise `Misconfigured`."""
        host, port = self.address()
        return f"http://[{host}]:{port}/RPC2" if ":" in host else f"http://{host}:{port}/RPC2"

    def address(self) -> tuple[str, int]:
        """Return where it listens for commands, or raise `Misconfigured`."""
        try:
            text = self.configuration.read_text(encoding="utf-8")
            return self._in_yaml(text) if self.section else self._in_lines(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise Misconfigured(f"{self.configuration}: {error}") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise Misconfigured(f"{self.configuration}: {self.section or self.port}: {error}") from error

    def _in_yaml(self, text: str) -> tuple[str, int]:
        content = yaml.safe_load(text)
        section = content.get(self.section) or {} if isinstance(content, dict) else {}
        return str(section.get("address", "127.0.0.1")), int(section.get(self.port, self.usual_port))

    def _in_lines(self, text: str) -> tuple[str, int]:
        lines = (line.partition("=") for line in text.splitlines())
        places = (value.strip(" \"'") for key, _, value in lines if key.strip() == self.port)
        host, _, port = next(places, f"127.0.0.1:{self.usual_port}").rpartition(":")
        return host.strip("[]"), int(port)


class Misconfigured(Exception):
    """The daemon's configuration cannot be read."""


DAEMONS: Final = {
    Name.LB: Daemon("kamailio-lb", Path("/etc/kamailio/lb/lb.yml"), "internal", "xmlrpc_port", 5060),
    Name.PROXY: Daemon("kamailio-proxy", Path("/etc/kamailio/proxy/proxy.yml"), "xmlrpc", "port", 8000),
    Name.RTPENGINE: Daemon(
        "ngcp-rtpengine-daemon", Path("/etc/default/ngcp-rtpengine-daemon"), "", "LISTEN_CLI", 9900
    ),
    Name.MEDIATOR: Daemon("ngcp-mediator", Path("/etc/ngcp-mediator/mediator.yml"), "xmlrpc", "port", 8095),
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
