"""A daemon that is killed comes back by itself, and calls go on."""

from typing import Final

import pytest
from testinfra.host import Host

from lab import nodes
from lab.call import call
from lab.machines import Machine
from lab.sipp import Phone

DAEMONS: Final = (
    *("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-sems", "asterisk", "ngcp-mediator"),
    "ngcp-api",
)
#: Kills a daemon and prints the seconds until systemd calls it started again; asked on the node, where no
#: connection takes its time.
KILL: Final = """\
pid=$(systemctl show --value --property=MainPID {unit})
begin=$(date +%s.%N)
kill -9 "$pid"
for _ in $(seq 200); do
    now=$(systemctl show --value --property=MainPID {unit})
    [ "$now" != 0 ] && [ "$now" != "$pid" ] && systemctl --quiet is-active {unit} && break
    sleep 0.05
done
systemctl --quiet is-active {unit}
awk "BEGIN {{ print $(date +%s.%N) - $begin }}"
"""
#: Seconds within which a killed daemon serves again.
BACK_WITHIN: Final = 5.0


@pytest.mark.parametrize("unit", DAEMONS)
def test_killed_daemon_is_back_and_a_new_call_works(
    host: Host, machine: Machine, phones: tuple[Phone, Phone], unit: str
) -> None:
    """`kill -9`: no handler runs, nothing is written; what was registered still is."""
    assert float(host.check_output(KILL.format(unit=unit))) < BACK_WITHIN
    call(machine, *phones, packets=50).check()


def test_reboot_keeps_registrations(node: nodes.Node, machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """Nobody registers again, and the call still finds its way."""
    nodes.reboot(node)

    call(machine, *phones, packets=50).check()
