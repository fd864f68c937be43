"""The node's services as an operator meets them: units, init scripts, tools."""

from typing import Final

import pytest
from testinfra.host import Host

DAEMONS: Final = (
    *("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-sems", "asterisk", "ngcp-mediator"),
    "ngcp-api",
)
OTHERS: Final = ("ngcp-firstboot", "mariadb", "redis-server", "nftables", "ssh")


@pytest.mark.parametrize("unit", DAEMONS + OTHERS)
def test_unit_is_active_and_starts_at_boot(host: Host, unit: str) -> None:
    """A node that reboots is a node again."""
    assert host.service(unit).is_running
    assert host.service(unit).is_enabled


def test_no_unit_has_failed(host: Host) -> None:
    """Also none that is not ours."""
    assert host.check_output("systemctl --failed --no-legend --plain") == ""


@pytest.mark.parametrize("unit", ["ngcp-cdr-exporter", "ngcp-cleanup-acc"])
def test_timer_starts_what_does_its_work(host: Host, unit: str) -> None:
    """Call records are exported and cleaned up in time; by hand it is done at once."""
    assert host.service(f"{unit}.timer").is_enabled
    assert host.run(f"systemctl start {unit}.service").rc == 0, host.run(f"journalctl -u {unit}").stdout


@pytest.mark.parametrize("unit", DAEMONS)
def test_init_script_tells_the_status(host: Host, unit: str) -> None:
    """The specification controls every daemon by /etc/init.d/NAME."""
    assert host.run(f"/etc/init.d/{unit} status").rc == 0


@pytest.mark.parametrize("unit", DAEMONS)
def test_daemon_runs_as_its_own_user_with_notify_and_watchdog(host: Host, unit: str) -> None:
    """What the unit file says is what systemd made of it."""
    shown = host.check_output(f"systemctl show {unit} --property=User,Type,Restart,NoNewPrivileges")
    properties = dict(line.split("=", 1) for line in shown.splitlines())

    assert properties.pop("User") not in ("", "root")
    assert properties == {"Type": "notify", "Restart": "always", "NoNewPrivileges": "yes"}


@pytest.mark.parametrize(
    "command",
    [
        "ngcp-sercmd lb uptime",
        "ngcp-sercmd lb stats",
        "ngcp-sercmd proxy uptime",
        "ngcp-sercmd proxy stats",
        "ngcp-kamctl proxy ul show",
        "ngcp-kamctl proxy dialog show",
        "ngcp-dlgcnt-check --json",
        "ngcp-rtpengine-ctl list sessions",
        "ngcp-rtpengine-ctl list totals",
        "ngcp-rtpengine-ctl list interfaces",
        "ngcp-sercmd rtpengine uptime",
        "ngcp-sems-ctl stats",
        "ngcp-mediator-ctl status",
        "ngcp-mediator-ctl stuck",
        "ngcp-asterisk-ctl stats",
        "ngcpcfg status",
    ],
)
def test_operators_tools_answer(host: Host, command: str) -> None:
    """They say something and succeed."""
    answer = host.run(command)

    assert answer.rc == 0
    assert answer.stdout.strip()


def test_hot_paths_are_the_compiled_ones(host: Host) -> None:
    """The modules fit the node's Python, and the daemons' package takes them."""
    host.check_output(
        "python3 -c 'import ngcp_speed; from ngcp.sip.syntax.message import Message;"
        " assert issubclass(Message, ngcp_speed.Head)'"
    )
    host.check_output(
        "python3 -c 'import ngcp_media; from ngcp.rtpengine.userspace import Fastest;"
        " assert Fastest is ngcp_media.Datapath'"
    )


def test_bash_completes_what_the_running_daemon_knows(host: Host) -> None:
    """As a press of Tab does behind `ngcp-sercmd lb htable.`."""
    completed = host.check_output(
        "bash -c 'source /usr/share/bash-completion/completions/ngcp-sercmd;"
        " COMP_WORDS=(ngcp-sercmd lb htable.) COMP_CWORD=2;"
        ' _ngcp_sercmd ngcp-sercmd; echo "${COMPREPLY[@]}"\''
    )

    assert "htable.dump" in completed.split()


def test_reload_keeps_the_process(host: Host) -> None:
    """The load-balancer takes its certificate again, and serves on."""
    before = host.check_output("systemctl show --value --property=MainPID kamailio-lb")
    host.check_output("systemctl reload kamailio-lb")

    assert host.check_output("ngcp-sercmd lb uptime")
    assert host.check_output("systemctl show --value --property=MainPID kamailio-lb") == before


def test_nobody_but_root_reads_the_secrets(host: Host) -> None:
    """Made on the node at first boot, never packaged or rendered."""
    directory = host.file("/var/lib/ngcp/secrets")
    names = host.check_output("ls /var/lib/ngcp/secrets").split()

    assert (directory.user, directory.mode) == ("root", 0o700)
    assert names == ["administrator", "lb", "proxy"]
    for name in names:
        assert host.file(f"{directory.path}/{name}").mode == 0o600
