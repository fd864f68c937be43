"""`ngcp-sems`: the back-to-back user agent as a daemon."""

import sys
from pathlib import Path

from ngcp.service.frame import run

from .config import load
from .service import B2buaService


def main() -> int:
    """Run until SIGTERM."""
    return run("ngcp-sems", load=load, build=B2buaService, default=Path("/etc/ngcp-sems/sems.yml"))


if __name__ == "__main__":
    sys.exit(main())
