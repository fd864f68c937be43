"""What the node is called: files with one of its names in theirs are meant for it alone."""

import os
import socket
from pathlib import Path
from typing import Final

#: What the platform calls a node that is whole in itself, and the pair that it would be half of.
ALONE: Final = "spce"


def hostname() -> str:
    """Give the name of the host, without its domain."""
    return socket.gethostname().partition(".")[0]


def nodename() -> str:
    """Give the name in /etc/ngcp_nodename, else `spce`."""
    try:
        return (
            Path(os.environ.get("OUTPUT_DIRECTORY", "/")) / "etc/ngcp_nodename"
        ).read_text().strip() or ALONE
    except OSError:
        return ALONE


def variants() -> tuple[str, ...]:
    """Give the names that a file's name may end in, the most particular first: host, pair, node."""
    return tuple(dict.fromkeys((hostname(), ALONE, nodename())))
