"""The machines the lab knows: one row each, with its address."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from lab.errors import LabError
from lab.settings import PREFIX


class Kind(Enum):
    """What a machine is made of."""

    CONTAINER = "container"
    VM = "vm"


class Origin(Enum):
    """From where a virtual machine learns at its first boot who it is."""

    CREDENTIAL = "credential"
    """It has root's key from the firmware; nobody tells it more."""
    LEASED = "leased"
    """A seed, but for the address, which is leased."""
    FIXED = "fixed"
    """A seed with a fixed address."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine; `host` is the last octet of its address and of its MAC address."""

    name: str
    kind: Kind
    host: int
    origin: Origin = Origin.CREDENTIAL

    @property
    def address(self) -> str:
        """Its public address, leased by DHCP or told by its seed."""
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
        Machine("molecule-vm", Kind.VM, 40, Origin.LEASED),
        Machine("molecule-vm-second", Kind.VM, 41, Origin.FIXED),
    )
}


def machine(name: str) -> Machine:
    """Look a machine up by its name."""
    try:
        return MACHINES[name]
    except KeyError:
        raise LabError(f"no machine {name}; there are: {', '.join(MACHINES)}") from None
