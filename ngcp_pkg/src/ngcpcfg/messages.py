"""What ngcpcfg says: on the terminal, and to the system's log under the name ngcpcfg.

With a TIME_FORMAT (as date(1) takes it) every line begins with the time and the node's name. With DEBUG it
also says what it does on the way.
"""

import os
import socket
import sys
import time
from contextlib import suppress
from typing import Final, TextIO

from ngcpcfg.names import hostname

_USER: Final = 1 << 3  # the facility (RFC 5424 §6.2.1)
_ERROR, _WARNING, _INFO, _DEBUG = 3, 4, 6, 7


def info(text: str) -> None:
    """Say what was done."""
    _say(text, _INFO, sys.stdout)


def warn(text: str) -> None:
    """Say what the operator should look at, although it goes on."""
    _say(f"Warning: {text}", _WARNING, sys.stderr)


def fail(text: str) -> None:
    """Say why something was not done."""
    _say(f"Error: {text}", _ERROR, sys.stderr)


def note(text: str) -> None:
    """Add to an error."""
    _say(text, _ERROR, sys.stderr)


def debug(text: str) -> None:
    """Say what happens on the way, to whoever has asked."""
    if os.environ.get("DEBUG"):
        _say(f"DEBUG: {text}", _DEBUG, sys.stderr)


def _say(text: str, severity: int, stream: TextIO) -> None:
    time_format = os.environ.get("TIME_FORMAT", "").removeprefix("+")
    prefix = f"{time.strftime(time_format)} {hostname()}: " if time_format else ""
    print(f"{prefix}{text}", file=stream)
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.connect(os.environ.get("NGCPCFG_LOG", "/dev/log"))
        for line in text.splitlines():
            log.send(f"<{_USER | severity}>ngcpcfg[{os.getpid()}]: {line}".encode())
