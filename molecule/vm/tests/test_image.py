"""What only a booted image can show: both firmwares, a root that fills its disk, copies sharing nothing."""

from collections.abc import Iterator
from typing import Final

import pytest

from lab import nodes, seed, ssh
from lab.call import call, first_call
from lab.machines import Machine
from lab.sipp import Phone
from lab.vm import Firmware

#: GiB: the disk has 8; file system and boot partitions take their share, the unpacked image is below 4.
GROWN: Final = 6.5
UNITS: Final = (
    *("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-sems", "asterisk", "ngcp-mediator"),
    *("ngcp-api", "ngcp-firstboot", "ngcp-initial-configuration"),
    *("mariadb", "redis-server", "nftables", "ssh"),
)
#: What a first boot makes: each of these differs between two copies of one image.
FRESH: Final = (
    "cat /etc/ssh/ssh_host_ed25519_key.pub",
    "cat /etc/machine-id",
    "cat /var/lib/ngcp/secrets/lb",
    "cat /var/lib/ngcp/secrets/proxy",
    "cat /var/lib/ngcp/secrets/administrator",
    "cat /etc/ngcp-config/shared-files/ssl/myserver.crt",
)


@pytest.fixture(scope="module")
def second() -> Iterator[nodes.Node]:
    """Boot a second copy of the image by UEFI, beside the first, which BIOS booted."""
    other = nodes.node("molecule-vm-second", Firmware.UEFI)
    nodes.up(other)
    yield other
    nodes.down(other)


def test_root_fills_the_disk(machine: Machine) -> None:
    """The image is small, the disk is large, and so is the root after the first boot."""
    size = ssh.output(machine, "findmnt --noheadings --bytes --output SIZE /")

    assert int(size) > GROWN * 2**30


def test_units_are_enabled_and_active(machine: Machine) -> None:
    """They were enabled in a tree that was not running; one question for all, for each takes seconds here."""
    asked = " ".join(UNITS)
    answers = ssh.output(machine, f"systemctl is-enabled {asked}; systemctl is-active {asked}").split()

    assert answers == ["enabled"] * len(UNITS) + ["active"] * len(UNITS)


def test_password_is_on_the_console_and_not_in_the_journal(node: nodes.Node, machine: Machine) -> None:
    """Whoever stands before the machine can log in to the API; whoever reads logs cannot."""
    password = nodes.password(node)

    assert password in node.console.read_text(errors="replace")
    assert password not in ssh.output(machine, "journalctl --no-pager --boot=all")


def test_second_copy_boots_by_uefi_and_shares_nothing(machine: Machine, second: nodes.Node) -> None:
    """Host keys, machine id, secrets and certificate are made at first boot, each time anew."""
    assert ssh.output(second.machine, "test -d /sys/firmware/efi && echo UEFI").strip() == "UEFI"
    for command in FRESH:
        mine, other = (ssh.output(where, command).strip() for where in (machine, second.machine))
        assert mine
        assert mine != other, command


def test_copies_are_who_their_seeds_say(machine: Machine, second: nodes.Node) -> None:
    """Nobody answered a question: name, address, administrator's key and a value were given."""
    for where in (machine, second.machine):
        assert ssh.output(where, "hostname").strip() == where.name
        assert ssh.output(where, "ngcpcfg get general.adminmail").strip() == seed.MAIL
        assert ssh.output(where, "cat /root/.ssh/authorized_keys").strip() == ssh.public_key()
        said = ssh.output(where, "journalctl --no-pager --unit=ngcp-initial-configuration")
        assert "is not read here" not in said
    clients = "ss --no-header --udp --all --numeric 'sport = :68'"
    assert ssh.output(machine, clients), "this one's address is leased"
    assert not ssh.output(second.machine, clients), "this one's is fixed"


def test_second_copy_carries_a_call(second: nodes.Node) -> None:
    """What BIOS boots is also what UEFI boots."""
    first_call(second)


def test_reboot_keeps_registrations(node: nodes.Node, machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """Nobody registers again, and the call still finds its way."""
    nodes.reboot(node)

    call(machine, *phones, packets=50).check()
