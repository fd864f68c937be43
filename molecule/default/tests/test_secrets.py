"""Secrets that change on a node that carries calls."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from testinfra.host import Host

from lab.call import call
from lab.machines import Machine
from lab.process import wait_until
from lab.sipp import Phone

UNITS: Final = ("kamailio-lb", "kamailio-proxy")


def _processes(host: Host) -> str:
    shown: str = host.check_output(f"systemctl show --value --property=MainPID {' '.join(UNITS)}")
    return shown


def _has_calls(host: Host) -> bool:
    return bool(json.loads(host.check_output("ngcp-kamctl proxy dialog show --json")))


def test_rotation_during_a_call_loses_neither_it_nor_the_registrations(
    host: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """Its BYE comes along routes that the earlier secret signed; the next call by a path that it sealed."""
    before = _processes(host)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, machine, *phones, packets=500)
        assert wait_until(lambda: _has_calls(host), timeout=8.0)
        said = host.check_output("ngcp-secrets rotate lb proxy")
        running.result().check()

    assert said.count("signs with a new secret") == 2
    assert _processes(host) == before
    call(machine, *phones, packets=50).check()


def test_running_daemons_have_what_the_files_say(host: Host) -> None:
    """And nobody else can read it."""
    for name, unit in zip(("lb", "proxy"), UNITS, strict=True):
        host.check_output(f"ngcp-secrets rotate {name}")
        handed = host.file(f"/run/{unit}/secret")
        assert handed.content == host.file(f"/var/lib/ngcp/secrets/{name}").content
        assert (handed.user, handed.mode) == (unit, 0o400)


def test_list_shows_no_secret(host: Host) -> None:
    """Names and ages are for tickets and screenshots."""
    listed = host.check_output("ngcp-secrets list")
    for name in ("lb", "proxy", "administrator"):
        assert name in listed
        for word in host.check_output(f"cat /var/lib/ngcp/secrets/{name}").split():
            assert len(word) < 16 or word not in listed


def test_what_is_over_is_forgotten_by_a_timer(host: Host) -> None:
    """A grace of nothing is over at once; the service that the timer starts drops it."""
    assert host.service("ngcp-secrets.timer").is_enabled
    host.check_output("ngcp-secrets rotate --grace 0 proxy")
    host.check_output("systemctl start ngcp-secrets.service")

    now = float(host.check_output("date +%s"))
    earlier = host.check_output("cat /var/lib/ngcp/secrets/proxy").splitlines()[1:]
    assert all(float(line.split()[1]) > now for line in earlier)
