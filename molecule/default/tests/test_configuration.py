"""Values that an operator changes with ngcpcfg, and what becomes of them."""

from typing import Final

import pytest
from testinfra.host import Host

from lab.call import call
from lab.machines import Machine
from lab.sipp import Phone

CONFIG: Final = "/etc/ngcp-config/config.yml"
RENDERED: Final = "/etc/default/ngcp-rtpengine-daemon"
TEMPLATE: Final = f"/etc/ngcp-config/templates{RENDERED}.j2"


def test_media_ports_and_tos_follow_the_configuration(
    operator: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """The next call uses the new ports and marks its packets with the new TOS byte."""
    for key, value in (("rtpproxy.minport", 34000), ("rtpproxy.maxport", 34019), ("qos.tos_rtp", 136)):
        operator.check_output(f"ngcpcfg set {CONFIG} {key}={value}")
    operator.check_output("ngcpcfg apply 'other ports and marks'")

    report = call(machine, *phones, packets=50)

    report.check()
    assert report.tos == {136}
    assert all(34000 <= port <= 34019 for port in report.ports)


def test_set_refuses_a_value_of_the_wrong_kind(operator: Host) -> None:
    """It names the key, and the file stays what it was."""
    before = operator.file(CONFIG).content_string
    refused = operator.run(f"ngcpcfg set {CONFIG} rtpproxy.minport=many")

    assert refused.rc != 0
    assert "minport" in refused.stderr
    assert operator.file(CONFIG).content_string == before


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (f"sed -i 's/minport: .*/minport: many/' {CONFIG}", ("config.yml", "minport")),
        (f"sed -i 's/minport: .*/minport: [1/' {CONFIG}", ("config.yml:",)),
        (f"echo '[% if %]' >> {TEMPLATE}", ("ngcp-rtpengine-daemon.j2:", "expression")),
        (f"echo '[%= no.such.key %]' >> {TEMPLATE}", ("ngcp-rtpengine-daemon.j2:", "no")),
    ],
    ids=["value", "yaml", "template", "key"],
)
def test_broken_edit_changes_nothing(
    operator: Host, machine: Machine, phones: tuple[Phone, Phone], edit: str, named: tuple[str, ...]
) -> None:
    """Apply says where the fault is; neither the rendered file nor the running daemon changes."""
    rendered = operator.file(RENDERED).content_string
    started = _started(operator)
    operator.check_output(edit)
    applied = operator.run("ngcpcfg apply 'a typing error'")

    assert applied.rc != 0
    assert all(word in applied.stdout + applied.stderr for word in named)
    assert operator.file(RENDERED).content_string == rendered
    assert _started(operator) == started
    call(machine, *phones, packets=25).check()


def _started(host: Host) -> str:
    shown = host.check_output(
        "systemctl show --property=ExecMainStartTimestampMonotonic ngcp-rtpengine-daemon"
    )
    return str(shown)
