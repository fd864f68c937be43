"""The machines the lab knows: one row each, with the address that DHCP leases to it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from lab.errors import LabError
from lab.settings import PREFIX


class Kind(Enum):
    """What a machine is made of."""

    CONTAINER = "container"
    VM = "vm"


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine; `host` is the last octet of its address and of its MAC address."""

    name: str
    kind: Kind
    host: int

    @property
    def address(self) -> str:
        """Its public address, leased by DHCP."""
        return f"{PREFIX}.{self.host}"

    @property
    def mac(self) -> str:
        """The address of its network interface, locally administered."""
        return f"52:54:00:99:00:{self.host:02x}"


MACHINES: Final = {
    machine.name: machine
    for machine in (
        Machine("node", Kind.CONTAINER, 10),
        Machine("molecule-default", Kind.CONTAINER, 20),
        Machine("appliance", Kind.VM, 30),
        Machine("molecule-vm", Kind.VM, 40),
        Machine("molecule-vm-second", Kind.VM, 41),
        Machine("molecule-vm-seeded", Kind.VM, 42),
    )
}


def machine(name: str) -> Machine:
    """Look a machine up by its name."""
    try:
        return MACHINES[name]
    except KeyError:
        raise LabError(f"no machine {name}; there are: {', '.join(MACHINES)}") from None
