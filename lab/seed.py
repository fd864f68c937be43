"""What a virtual machine is told of itself: a seed (NoCloud), as whoever rents out machines hands it over."""

from pathlib import Path
from typing import Final

from lab import ssh
from lab.machines import Machine
from lab.settings import GATEWAY

#: The one value that all seeds give, not the one that a node has without.
MAIL: Final = "noc@sip.example.org"

META: Final = """\
instance-id: lab-{machine.name}
local-hostname: {machine.name}
"""
USER: Final = """\
#cloud-config
ssh_authorized_keys:
  - {key}
ngcp:
  config:
    general: {{adminmail: {mail}}}
  interfaces:
    auto: {{ip: auto}}
"""
LEASED: Final = """\
version: 2
ethernets:
  lan:
    match: {{macaddress: "{machine.mac}"}}
    dhcp4: true
"""
FIXED: Final = """\
version: 2
ethernets:
  lan:
    match: {{macaddress: "{machine.mac}"}}
    addresses: [{machine.address}/24]
    gateway4: {gateway}
"""


def write(directory: Path, machine: Machine, *, is_fixed: bool) -> None:
    """Write the files of a machine's seed; its address is fixed or leased."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("meta-data", META),
        ("user-data", USER),
        ("network-config", FIXED if is_fixed else LEASED),
    ):
        filled = text.format(machine=machine, key=ssh.public_key(), mail=MAIL, gateway=GATEWAY)
        (directory / name).write_text(filled)
