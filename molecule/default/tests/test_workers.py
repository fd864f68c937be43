"""Two processes that share the edge's sockets on a node: calls go through, also when there is one again."""

from collections.abc import Iterator
from typing import Final

import pytest
from testinfra.host import Host

from lab.call import call, register
from lab.machines import Machine
from lab.sipp import Phone

CONFIG: Final = "/etc/ngcp-config/config.yml"
#: How many workers there ever were.
REMEMBERED: Final = "/var/lib/kamailio-lb/workers"


def set_workers(operator: Host, number: int) -> None:
    """Configure so many, and apply it."""
    operator.check_output(f"ngcpcfg set {CONFIG} kamailio.lb.workers={number}")
    operator.check_output(f"ngcpcfg apply 'workers: {number}'")


@pytest.fixture
def pair(operator: Host, machine: Machine, phones: tuple[Phone, Phone]) -> Iterator[tuple[Phone, Phone]]:
    """Register the phones with an edge of two workers; afterwards the node has forgotten these."""
    set_workers(operator, 2)
    for phone in phones:
        register(phone, machine.address)
    yield phones
    set_workers(operator, 1)
    operator.check_output(f"rm {REMEMBERED} && systemctl restart kamailio-lb")
    for phone in phones:
        register(phone, machine.address)


def test_calls_go_through_two_workers_and_then_one(
    operator: Host, machine: Machine, pair: tuple[Phone, Phone]
) -> None:
    """Whoever of both a phone has registered with: it is reached there, and by the one that is left."""
    process = operator.check_output("systemctl show --value --property=MainPID kamailio-lb")
    workers = operator.check_output(f"pgrep --parent {process}").split()
    assert len(workers) == 1
    assert "worker 1" in operator.check_output("ngcp-sercmd lb core.ps")
    call(machine, *pair, packets=50).check()

    set_workers(operator, 1)
    assert operator.file(REMEMBERED).content_string == "2\n"
    assert operator.file(REMEMBERED).user == "kamailio-lb"
    call(machine, *pair, packets=50).check()
