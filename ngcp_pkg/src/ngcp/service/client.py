"""Asks a daemon's control commands: a command's name and arguments in, its result or an error out."""

import http.client
import xmlrpc.client
from typing import Final, cast
from xml.parsers.expat import ExpatError

from ngcp.service.commands import CommandError, Json

#: Seconds a daemon may take: every command answers from memory, or from a database that has its own time-out.
PATIENCE: Final = 5.0


class Unreachable(Exception):
    """Nobody answers, or not in XMLRPC."""


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = PATIENCE
        return connection


def call(url: str, name: str, *arguments: Json) -> Json:
    """Execute a command; raises `CommandError` if the daemon refuses it, `Unreachable` if there is none."""
    try:
        with xmlrpc.client.ServerProxy(url, _Transport(), allow_none=True) as daemon:
            return cast(Json, getattr(daemon, name)(*arguments))
    except xmlrpc.client.Fault as fault:
        raise CommandError(fault.faultCode, fault.faultString) from fault
    except OSError as error:
        raise Unreachable(error.strerror or str(error) or type(error).__name__) from error
    except (xmlrpc.client.Error, http.client.HTTPException, ExpatError) as error:
        raise Unreachable(f"it does not speak XMLRPC: {error}") from error
