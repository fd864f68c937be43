"""`kamailio-proxy`: the proxy and registrar as a daemon."""

import sys
from pathlib import Path

from ngcp.service import credentials
from ngcp.service.frame import run

from .config import load
from .service import ProxyService


def main() -> int:
    """Run until SIGTERM."""
    return run(
        "kamailio-proxy",
        load=load,
        build=lambda configuration: ProxyService(configuration, credentials.read),
        default=Path("/etc/kamailio/proxy/proxy.yml"),
    )


if __name__ == "__main__":
    sys.exit(main())
