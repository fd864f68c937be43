"""Where the lab keeps its files and how its network is numbered: the one home of paths and addresses."""

import os
from pathlib import Path
from typing import Final

#: The checkout this lab belongs to.
ROOT: Final = Path(__file__).resolve().parent.parent

#: Everything that is costly to make and safe to delete; shared with the scripts of `toolchain/`.
CACHE: Final = Path(
    os.environ.get("NGCP_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ngcp"
)

#: The lab's own part of it: ssh key, overlays, disks.
STATE: Final = CACHE / "lab"
#: Consoles of machines and what the network's services say.
LOGS: Final = STATE / "log"

NAMESPACE: Final = "ngcp-lab"
NAMESPACE_PATH: Final = Path("/run/netns") / NAMESPACE
BRIDGE: Final = "br0"
PREFIX: Final = "10.99.0"
#: The bridge's own address: gateway, DHCP server, apt proxy.
GATEWAY: Final = f"{PREFIX}.1"
#: Further addresses of the bridge; a phone takes one, so that it looks like a host of its own.
PHONES: Final = tuple(f"{PREFIX}.{host}" for host in range(2, 10))
#: The same by IPv6; a node takes an address of it when a test gives it one.
PREFIX6: Final = "fd00:99::"
PHONES6: Final = tuple(f"{PREFIX6}{host}" for host in range(2, 10))
APT_PROXY_PORT: Final = 3142

#: Where a node finds the local package repository.
NODE_REPOSITORY: Final = "/srv/ngcp-repo"
