"""`kamailio-lb`: the load-balancer as a daemon."""

import sys
from pathlib import Path

from ngcp.lb.config import PATH, Configuration, load
from ngcp.lb.service import LoadBalancerService
from ngcp.service import credentials
from ngcp.service.frame import run
from ngcp.service.workers import Crew


def main() -> int:
    """Run until SIGTERM."""
    files: list[Path] = []
    crew = Crew()

    def read(path: Path) -> Configuration:
        files.append(path)
        configuration = load(path)
        crew.size = configuration.processes
        return configuration

    return run(
        "kamailio-lb",
        load=read,
        build=lambda configuration: LoadBalancerService(
            configuration, credentials.read, lambda: load(files[0]), crew
        ),
        default=PATH,
        crew=crew,
    )


if __name__ == "__main__":
    sys.exit(main())
