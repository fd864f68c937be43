"""What can be done with a node, whatever it is made of."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, Protocol

from lab import network, ssh
from lab.container import Container
from lab.errors import LabError
from lab.machines import MACHINES, Kind, Machine, machine
from lab.process import Background, wait_until
from lab.settings import LOGS, ROOT, STATE
from lab.vm import Firmware, VirtualMachine

#: Where ngcp-firstboot leaves the first administrator's password.
PASSWORD_FILE: Final = "/var/lib/ngcp/secrets/administrator"
#: The name the project's inventory gives to its one node.
INVENTORY_HOST: Final = "node"


class Node(Protocol):
    """A container or a virtual machine."""

    @property
    def machine(self) -> Machine:
        """Its row in the table of machines."""

    @property
    def console(self) -> Path:
        """What it printed on its console."""

    def up(self) -> None:
        """Boot it, unless it runs already, and wait until it is ready."""

    def down(self) -> None:
        """End it and remove every trace."""

    def wait(self) -> None:
        """Wait until it is ready."""


def node(name: str, firmware: Firmware = Firmware.BIOS) -> Node:
    """Find a node by its name; `firmware` is a virtual machine's."""
    row = machine(name)
    return Container(row) if row.kind is Kind.CONTAINER else VirtualMachine(row, firmware)


def up(target: Node) -> None:
    """Bring the network and the node up."""
    network.up()
    target.up()


def down(target: Node) -> None:
    """Take the node down, and the network with the last one."""
    ssh.hang_up(target.machine)
    target.down()
    if not any(Background(name).is_running() for name in MACHINES):
        network.down()


def reboot(target: Node) -> None:
    """Reboot the node from inside and wait until it is ready again."""
    before = _boot_id(target.machine)
    # A moment later, so that the connection that says it ends in peace.
    ssh.output(target.machine, "systemd-run --quiet --on-active=1s systemctl reboot")
    ssh.hang_up(target.machine)
    if not wait_until(lambda: _boot_id(target.machine) not in (before, ""), timeout=240.0, interval=0.5):
        raise LabError(f"{target.machine.name} did not come back from its reboot, see {target.console}")
    target.wait()


def _boot_id(where: Machine) -> str:
    """Return the kernel's name for the current boot; nothing when the machine does not answer."""
    try:
        return ssh.output(where, "cat /proc/sys/kernel/random/boot_id", is_shared=False).strip()
    except LabError:
        return ""


def password(target: Node) -> str:
    """Read the REST administrator's password."""
    return ssh.output(target.machine, f"cat {PASSWORD_FILE}").strip()


def converge(target: Node) -> int:
    """Run `ansible-playbook site.yml` against the node; return its exit status."""
    inventory = STATE / f"{target.machine.name}.inventory.json"
    inventory.write_text(ssh.inventory(target.machine, INVENTORY_HOST))
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["ansible-playbook", "--inventory", "inventory", "--inventory", str(inventory), "site.yml"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": tools}, check=False).returncode


def journal(target: Node) -> Path:
    """Save the node's journal, for somebody who wants to know why it failed; return where."""
    LOGS.mkdir(parents=True, exist_ok=True)
    file = LOGS / f"{target.machine.name}.journal"
    file.write_text(ssh.output(target.machine, "journalctl --no-pager --output=short-precise --boot=all"))
    return file
