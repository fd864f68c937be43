"""Run a container until it powers off: `python3 -m lab.nspawn NAME`, started by lab.container.

Without a systemd on the host nobody else restarts a container that reboots.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from lab.container import Container
from lab.machines import machine
from lab.network import entered
from lab.process import entering, remove_group, run
from lab.settings import BRIDGE

#: systemd-nspawn --keep-unit ends with this when the container rebooted.
REBOOT: Final = 133
#: systemd-nspawn refuses to manage its sockets on a disk file system, which /run is on some hosts.
RUNTIME: Final = Path("/run/systemd/nspawn")
CAPABILITIES: Final = "CAP_NET_ADMIN,CAP_SYS_NICE,CAP_IPC_LOCK"


def command(container: Container) -> list[str | Path]:
    """Make the command that boots it once, in its own part of the control groups."""
    group = container.background.group / "node"
    nspawn: list[str | Path] = [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--console=read-only",
        f"--machine={container.machine.name}",
        f"--directory={container.root}",
        f"--network-bridge={BRIDGE}",
        "--resolv-conf=off",
        f"--capability={CAPABILITIES}",
        *container.binds(),
    ]
    return entering(group, entered(*nspawn))


def main() -> int:
    """Boot, and boot again after each reboot; return systemd-nspawn's last status."""
    container = Container(machine(sys.argv[1]))
    group = container.background.group / "node"
    if not os.path.ismount(RUNTIME):
        RUNTIME.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", RUNTIME)
    environment = os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    status = REBOOT
    while status == REBOOT:
        remove_group(group)
        group.mkdir()
        status = subprocess.run(
            command(container), stdin=subprocess.DEVNULL, env=environment, check=False
        ).returncode
        print(f"systemd-nspawn ended with {status}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
