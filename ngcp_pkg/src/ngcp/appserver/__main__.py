"""`asterisk`: the app server as a daemon."""

import sys
from pathlib import Path

from ngcp.service.frame import run

from .config import load
from .service import AppServerService


def main() -> int:
    """Run until SIGTERM."""
    return run("asterisk", load=load, build=AppServerService, default=Path("/etc/asterisk/asterisk.yml"))


if __name__ == "__main__":
    sys.exit(main())
