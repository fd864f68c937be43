"""`ngcp-mediator`: the mediator as a daemon."""

import sys
from pathlib import Path

from ngcp.service.frame import run

from .config import load
from .service import MediatorService


def main() -> int:
    """Run until SIGTERM."""
    return run(
        "ngcp-mediator", load=load, build=MediatorService, default=Path("/etc/ngcp-mediator/mediator.yml")
    )


if __name__ == "__main__":
    sys.exit(main())
