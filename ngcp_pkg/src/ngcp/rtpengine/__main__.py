"""`ngcp-rtpengine-daemon`: the media relay as a daemon."""

import sys
from pathlib import Path

from ngcp.service.frame import run

from .config import load
from .service import MediaRelayService


def main() -> int:
    """Run until SIGTERM."""
    return run(
        "ngcp-rtpengine-daemon",
        load=load,
        build=MediaRelayService,
        default=Path("/etc/default/ngcp-rtpengine-daemon"),
    )


if __name__ == "__main__":
    sys.exit(main())
