"""A node whose public address changes while phones are registered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest
from testinfra.host import Host

from lab.call import call, register
from lab.machines import Machine
from lab.rest import RestClient
from lab.sipp import Phone

#: Another address of the same network: nobody else's, and no lease.
OTHER: Final = 120


@pytest.fixture
def moved(host: Host, machine: Machine) -> Iterator[Machine]:
    """Give the node a second address, and the machine's row with that one."""
    other = replace(machine, host=OTHER)
    host.check_output(f"ip address add {other.address}/24 dev host0")
    yield other
    host.check_output(f"ip address del {other.address}/24 dev host0")


def _listening(host: Host, address: str) -> set[str]:
    table = host.check_output("ss --no-header --listening --numeric --tcp --udp")
    return {line.split()[4] for line in table.splitlines() if line.split()[4].startswith(f"{address}:")}


def test_everything_follows_one_apply(
    moved: Machine, operator: Host, machine: Machine, phones: tuple[Phone, Phone], rest: RestClient
) -> None:
    """Listeners, firewall and SDP; who registered before is reached, without registering again."""
    before = {one["contact"] for one in rest.find("subscriberregistrations")}
    operator.check_output(f"ngcp-network --set-interface=auto --ip={moved.address}")
    operator.check_output("ngcpcfg apply 'another address'")

    ports = {"5060", "5061", "1443"}
    assert {one.rpartition(":")[2] for one in _listening(operator, moved.address)} == ports
    assert {one.rpartition(":")[2] for one in _listening(operator, machine.address)} <= {"68"}
    assert f"ext/{moved.address}" in operator.file("/etc/default/ngcp-rtpengine-daemon").content_string

    # The relay has no socket on the old address any more: what arrives went where the new SDP said.
    call(moved, *phones, packets=50).check()
    assert {
        one["contact"] for one in RestClient(moved.address, rest.password).find("subscriberregistrations")
    } >= before


def test_phones_register_at_the_new_address(
    moved: Machine, operator: Host, phones: tuple[Phone, Phone]
) -> None:
    """And call each other there."""
    operator.check_output(f"ngcp-network --set-interface=auto --ip={moved.address}")
    operator.check_output("ngcpcfg apply 'another address'")

    for phone in phones:
        register(phone, moved.address)
    call(moved, *phones, packets=50).check()


def test_what_makes_no_sense_moves_nothing(
    operator: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """The file stays, and so does the node."""
    before = operator.file("/etc/ngcp-config/network.yml").content_string
    refused = operator.run("ngcp-network --set-interface=auto --ip=10.99.0.300")

    assert refused.rc == 1
    assert "hosts.self.auto.ip" in refused.stderr
    assert operator.file("/etc/ngcp-config/network.yml").content_string == before
    call(machine, *phones, packets=25).check()
