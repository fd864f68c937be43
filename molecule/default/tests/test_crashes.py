"""A daemon that is killed comes back by itself, and calls go on."""

import time
from typing import Final

import pytest
from testinfra.host import Host

from lab import nodes
from lab.call import call
from lab.machines import Machine
from lab.process import wait_until
from lab.sipp import Phone

DAEMONS: Final = ("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-api")
#: Seconds within which a killed daemon serves again.
BACK_WITHIN: Final = 5.0


@pytest.mark.parametrize("unit", DAEMONS)
def test_killed_daemon_is_back_and_a_new_call_works(
    host: Host, machine: Machine, phones: tuple[Phone, Phone], unit: str
) -> None:
    """`kill -9`: no handler runs, nothing is written; what was registered still is."""
    killed = _main_process(host, unit)
    start = time.monotonic()
    host.check_output(f"kill -9 {killed}")

    assert wait_until(
        lambda: _main_process(host, unit) not in ("0", killed) and _is_ready(host, unit), BACK_WITHIN
    )
    assert time.monotonic() - start < BACK_WITHIN
    call(machine, *phones, packets=50).check()


def _main_process(host: Host, unit: str) -> str:
    return str(host.check_output(f"systemctl show --value --property=MainPID {unit}"))


def _is_ready(host: Host, unit: str) -> bool:
    return bool(host.service(unit).is_running)


def test_reboot_keeps_registrations(node: nodes.Node, machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """Nobody registers again, and the call still finds its way."""
    nodes.reboot(node)

    call(machine, *phones, packets=50).check()
