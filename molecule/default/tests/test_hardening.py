"""What is closed on a node: units, files, ssh, the kernel; and what of it answers strangers over UDP."""

import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from testinfra.host import Host

from lab import network
from lab.machines import Machine
from lab.settings import PHONES

#: The most exposure, by `systemd-analyze security`, that a unit of ours may have.
EXPOSURE: Final = 3.0
#: What is said of each in the documentation.
DOCUMENT: Final = Path(__file__).parents[3] / "ngcp_pkg/docs/hardening.md"
#: UDP ports that serve strangers; those of media only as long as there is a call.
OPEN_UDP: Final = {5060}
MEDIA: Final = range(30000, 40001)
#: Questions that the daemons of a node, and what usually runs on servers, would answer.
QUESTIONS: Final = (
    b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{port};rport\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: {port}\r\nCSeq: 1 OPTIONS\r\n"
    b"Max-Forwards: 70\r\n\r\n",
    b"cookie d7:command4:pinge",
    b"ping",
    bytes.fromhex("000100002112a442") + b"transaction!",  # STUN, RFC 8489
    bytes.fromhex("1234010000010000000000000000010001"),  # DNS: the root
    b"\x1b" + bytes(47),  # NTP, RFC 5905
)
#: Datagrams after which the node may draw breath, and how long.
BURST: Final = 200
BREATH: Final = 0.004


def _units(host: Host) -> list[str]:
    """List the services that our packages bring; whichever there will be."""
    packages = host.check_output("dpkg-query --show --showformat '${Package} ' 'ngcp-*'")
    listed = host.check_output(f"dpkg-query --listfiles {packages}")
    return sorted(set(re.findall(r"/system/([\w-]+\.service)$", listed, re.MULTILINE)))


def test_every_unit_of_ours_is_closed(host: Host) -> None:
    """And the documentation says how much, so that nobody loosens one unseen."""
    units = _units(host)
    exposures = {unit: _exposure(host, unit) for unit in units}

    assert {unit: exposure for unit, exposure in exposures.items() if exposure > EXPOSURE} == {}
    said = re.findall(r"^\| `([\w-]+\.service)` \| ([\d.]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(unit for unit, _ in said) == units
    assert [unit for unit, most in said if exposures[unit] > float(most)] == []


def _exposure(host: Host, unit: str) -> float:
    text = host.check_output(f"systemd-analyze security --no-pager {unit}")
    return float(text.partition("Overall exposure level for ")[2].split(": ")[1].split()[0])


def test_nothing_but_the_public_services_answers_over_udp(machine: Machine) -> None:
    """Every UDP port of the public address, asked from the phones' network in every language."""
    answered: set[int] = set()
    with network.inside():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.bind((PHONES[-1], 0))
        for question in QUESTIONS:
            for port in range(1, 65536):
                text = question.replace(b"{host}", PHONES[-1].encode()).replace(b"{port}", str(port).encode())
                client.sendto(text, (machine.address, port))
                if port % BURST == 0:
                    time.sleep(BREATH)
        client.settimeout(2.0)
        with suppress(TimeoutError):
            while True:
                answered.add(client.recvfrom(2048)[1][1])

    assert answered <= OPEN_UDP | set(MEDIA)
    assert answered >= OPEN_UDP, "else the questions do not arrive"


@pytest.mark.parametrize(
    ("path", "mode", "group"),
    [
        ("/etc/ngcp-config/config.yml", 0o660, "_ngcp-admin"),
        ("/etc/ngcp-config/constants.yml", 0o600, "root"),
        ("/etc/ngcp-config/.git", 0o700, "root"),
        ("/etc/ngcp-config/shared-files/ssl", 0o750, "ssl-cert"),
        ("/var/lib/ngcp/secrets", 0o700, "root"),
    ],
)
def test_files_are_for_those_whose_business_they_are(host: Host, path: str, mode: int, group: str) -> None:
    """The platform's own permissions."""
    file = host.file(path)

    assert (file.user, file.group, oct(file.mode)) == ("root", group, oct(mode))


def test_an_apply_keeps_the_permissions(operator: Host) -> None:
    """`set` writes the file anew, and git merges into it."""
    operator.check_output("ngcpcfg set config.yml qos.tos_sip=96")
    operator.check_output("ngcpcfg apply 'another mark'")

    assert oct(operator.file("/etc/ngcp-config/config.yml").mode) == oct(0o660)


@pytest.mark.parametrize(
    "line",
    [
        "permitrootlogin without-password",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "allowtcpforwarding no",
        "x11forwarding no",
        "maxauthtries 4",
        "logingracetime 30",
    ],
)
def test_ssh_lets_in_by_key_and_nowhere_else(host: Host, line: str) -> None:
    """What the running configuration comes to, whatever file says it."""
    assert line in host.check_output("sshd -T").splitlines()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("net.core.somaxconn", "512"),
        ("net.ipv4.ip_nonlocal_bind", "1"),
        ("net.ipv6.ip_nonlocal_bind", "1"),
        ("net.ipv4.conf.all.arp_announce", "1"),
        ("net.ipv4.conf.all.accept_redirects", "0"),
        ("net.ipv6.conf.all.accept_source_route", "0"),
        ("net.ipv4.tcp_syncookies", "1"),
        ("net.ipv4.conf.lo.forwarding", "1"),
    ],
)
def test_kernel_parameters_of_the_network(host: Host, name: str, value: str) -> None:
    """A container has these for itself; the last is the media relay's, which hardening must not undo."""
    assert host.check_output(f"sysctl --values {name}") == value


def test_modules_nobody_needs_cannot_be_loaded(host: Host) -> None:
    """Whoever asks gets /bin/false."""
    for module in ("cramfs", "dccp", "tipc"):
        assert host.check_output(f"modprobe --showconfig | grep '^install {module} '").endswith("/bin/false")


def test_short_passwords_are_refused(host: Host) -> None:
    """Also if root says them."""
    for password in ("abcdefgh1", "Short-1", "aaaaaaaaaaaa"):
        assert host.run(f"echo daemon:{password} | chpasswd").rc != 0
