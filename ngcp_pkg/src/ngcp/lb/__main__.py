"""`kamailio-lb`: the load-balancer as a daemon."""

import sys

from ngcp.lb.config import PATH, load
from ngcp.lb.service import LoadBalancerService
from ngcp.service import credentials
from ngcp.service.frame import run


def main() -> int:
    """Run until SIGTERM."""
    return run(
        "kamailio-lb",
        load=load,
        build=lambda configuration: LoadBalancerService(configuration, credentials.read()),
        default=PATH,
    )


if __name__ == "__main__":
    sys.exit(main())
