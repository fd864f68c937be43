"""Media by the kernel, its module or a program of ours: who forwards, and what if one is taken away."""

import base64
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Self

import pytest
from pylibsrtp import Policy, Session

from lab import relay, ssh
from lab.machines import Machine
from lab.process import wait_until
from lab.relay import Side
from lab.rtp import RtpEndpoint, stream
from lab.settings import PHONES, PHONES6, PREFIX6

#: What the module is able to, by its name in SDP: libsrtp's word for it, bytes of key and salt.
SUITES: Final = {
    "AES_CM_128_HMAC_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}
#: Packets after which the relay knows where both ends are.
HELLO: Final = 10
PACKETS: Final = 400
#: Seconds to wait for the last of them: before the kernel opens its first encrypted packet it loads modules,
#: which an emulated machine does slowly.
PATIENCE: Final = 10.0
#: Datagrams that a node receives for other reasons: time, names, commands, leases.
OTHERS: Final = 40
RULE: Final = "ngcp-rtpengine-rule"
DAEMON: Final = "ngcp-rtpengine-daemon"
#: What is done to the packet filter of a node.
CHANGES: Final = (
    "nft --file /etc/nftables.conf",
    "systemctl reload nftables",
    "systemctl restart nftables",
    "systemctl stop nftables; systemctl start nftables",
    "ngcpcfg set /etc/ngcp-config/config.yml security.firewall.enable=no; ngcpcfg apply open",
    "nft flush ruleset; systemctl reload nftables",
)
#: Prints the node's network interface.
DEVICE: Final = "ip -oneline -4 route show default | grep -o 'dev [^ ]*' | cut -c5-"


class Call:
    """Two ends with a call between them, of which only the media relay knows."""

    def __init__(self, machine: Machine, addresses: Sequence[str] = PHONES[:2], port: int = 42000) -> None:
        self._machine = machine
        self.alice, self._bob = (RtpEndpoint(address, port) for address in addresses)
        self.connection = self._connect(*(Side(address, port) for address in addresses))

    def _connect(self, alice: Side, bob: Side) -> relay.Connection:
        family = {"address-family": "IP6" if ":" in alice.address else "IP4"}
        return relay.connect(self._machine, alice, bob, offer=family, answer=family)

    def talk(self, packets: int) -> None:
        """Send so many packets each way; all arrive, marked, from the relay's ports."""
        to_callee, to_caller = self.connection.to_callee, self.connection.to_caller
        stream([(self.alice, to_callee), (self._bob, to_caller)], packets, PATIENCE)
        assert (self.alice.received, self._bob.received) == (self._bob.sent, self.alice.sent)
        assert (self.alice.sources, self._bob.sources) == ({to_callee}, {to_caller})
        assert self.alice.tos | self._bob.tos == {184}

    def check_totals(self) -> None:
        """Whoever forwarded a packet, it counts."""
        totals = relay.query(self._machine, self.connection.call_id)
        assert totals.packets == self.alice.sent + self._bob.sent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the ports back, also those of a call that was not heard."""
        relay.disconnect(self._machine, self.connection)
        self.alice.close()
        self._bob.close()


class ProtectedCall(Call):
    """The same, but its first end speaks SRTP, by a library that is not ours."""

    def __init__(self, machine: Machine, suite: str, port: int = 42000) -> None:
        self._suite = suite
        self._profile, length = SUITES[suite]
        self._key = secrets.token_bytes(length)
        super().__init__(machine, port=port)
        written = re.findall(rf"{suite} inline:([\w+/]+)", self.connection.answer)[0]
        theirs = base64.b64decode(written + "==")  # RFC 4568 does not pad
        # The counter of its packets begins anew soon: what the kernel counted the daemon has to know.
        self.alice.first = 65300
        self.alice.protect = self._session(self._key, Policy.SSRC_ANY_OUTBOUND).protect
        self.alice.unprotect = self._session(theirs, Policy.SSRC_ANY_INBOUND).unprotect

    def _connect(self, alice: Side, bob: Side) -> relay.Connection:
        crypto = f"a=crypto:1 {self._suite} inline:{base64.b64encode(self._key).decode()}"
        alice = replace(alice, protocol="RTP/SAVP", attributes=(crypto,))
        return relay.connect(self._machine, alice, bob, offer={"transport-protocol": "RTP/AVP"})

    def _session(self, key: bytes, direction: int) -> Session:
        return Session(Policy(key=key, ssrc_type=direction, srtp_profile=self._profile))


def received_by_sockets(machine: Machine) -> int:
    """Return how many datagrams the node's sockets have been given: those that the module took are none."""
    snmp = ssh.output(machine, "cat /proc/net/snmp /proc/net/snmp6").splitlines()
    names, values = (line.split() for line in snmp if line.startswith("Udp:"))
    ipv6 = next(line for line in snmp if line.startswith("Udp6InDatagrams"))
    return int(values[names.index("InDatagrams")]) + int(ipv6.split()[1])


def status(machine: Machine) -> str:
    """Return what the daemon says of itself."""
    return ssh.output(machine, f"systemctl show --property=StatusText --value {DAEMON}").strip()


def wait_for_status(machine: Machine, text: str) -> None:
    """Wait until the daemon says `text`."""
    assert wait_until(lambda: text in status(machine), timeout=30.0), status(machine)


def let_forward(machine: Machine, plane: str) -> None:
    """Choose who forwards."""
    change = f"ngcpcfg set /etc/ngcp-config/config.yml rtpproxy.forwarding={plane}; ngcpcfg apply {plane}"
    ssh.output(machine, change)


@contextmanager
def talking(call: Call, packets: int) -> Iterator[None]:
    """Let both ends talk while something is done to the node, and for as long as they have to say."""
    failures: list[BaseException] = []

    def talk() -> None:
        try:
            call.talk(packets)
        except BaseException as failure:  # handed on below
            failures.append(failure)

    thread = threading.Thread(target=talk)
    thread.start()
    yield
    thread.join()
    if failures:
        raise failures[0]


@pytest.fixture(scope="module", autouse=True)
def only_module(machine: Machine) -> Iterator[None]:
    """Let nobody else take over from the module."""
    let_forward(machine, "module")
    yield
    let_forward(machine, "auto")


@pytest.fixture
def call(machine: Machine) -> Iterator[Call]:
    """Make a call whose ends have just been heard."""
    ssh.output(machine, f"{RULE} install")
    with Call(machine) as made:
        made.talk(HELLO)
        wait_for_status(machine, "2 of 4 flows by kernel module")
        yield made


def check_kernel_forwards(machine: Machine, call: Call) -> None:
    """Let packets pass, and find that the node's sockets have not seen them."""
    before = received_by_sockets(machine)
    call.talk(PACKETS)
    assert received_by_sockets(machine) - before < OTHERS


def test_kernel_forwards_what_no_socket_sees(machine: Machine, call: Call) -> None:
    """Once both ends have sent; and the daemon counts what it has not seen."""
    check_kernel_forwards(machine, call)

    call.check_totals()
    listed = ssh.output(machine, "cat /proc/rtpengine/0/list")
    assert listed.count("local") >= 2


def test_missing_rule_costs_no_packet(machine: Machine, call: Call) -> None:
    """The daemon forwards, and says why; when the rule is back the kernel does."""
    with talking(call, 1000):
        ssh.output(machine, f"{RULE} remove")
        wait_for_status(machine, "no rule in `ip` and `ip6 filter`")
        assert "forwarding in user space" in status(machine)
        ssh.output(machine, f"systemctl reload {RULE}")
        wait_for_status(machine, "2 of 4 flows by kernel module")

    check_kernel_forwards(machine, call)
    call.check_totals()
    log = ssh.output(machine, f"journalctl --no-pager --unit={DAEMON} --output=cat")
    assert "kernel module works again" in log


@pytest.mark.parametrize("suite", SUITES)
def test_kernel_opens_and_protects_srtp(machine: Machine, suite: str) -> None:
    """Packets are counted for the key without a break, whoever has it: user space, kernel, user space."""
    with ProtectedCall(machine, suite, port=42200) as call:
        call.talk(HELLO)
        wait_for_status(machine, "2 of 4 flows by kernel module")
        check_kernel_forwards(machine, call)

        ssh.output(machine, f"{RULE} remove")
        wait_for_status(machine, "forwarding in user space")
        call.talk(50)
        ssh.output(machine, f"systemctl reload {RULE}")
        wait_for_status(machine, "2 of 4 flows by kernel module")
        check_kernel_forwards(machine, call)
        call.check_totals()


def test_kernel_forwards_ipv6(machine: Machine, operator: object) -> None:
    """The rule of `ip6 filter`, and the node's other address."""
    address = f"{PREFIX6}{machine.host}"
    ssh.output(machine, f"ip address replace {address}/64 dev $({DEVICE}) nodad")
    ssh.output(machine, f"ngcpcfg set /etc/ngcp-config/network.yml hosts.self.auto.v6ip={address}")
    ssh.output(machine, "ngcpcfg apply 'a second family'")

    with Call(machine, PHONES6[:2], port=42300) as call:
        call.talk(HELLO)
        wait_for_status(machine, "2 of 4 flows by kernel module")
        check_kernel_forwards(machine, call)


def has_rules(machine: Machine) -> bool:
    """Tell whether packets of both families are shown to the module; the unit follows a moment later."""
    said = ssh.output(machine, f"{RULE} status || true")
    return said.count("packets are shown to table 0") == 2


def test_rule_survives_the_packet_filter(machine: Machine, operator: object, call: Call) -> None:
    """Our own rules leave it alone; after somebody's flush the unit brings it back."""
    for change in CHANGES:
        ssh.output(machine, change)
        assert wait_until(lambda: has_rules(machine), timeout=30.0), change
        call.talk(HELLO)

    wait_for_status(machine, "2 of 4 flows by kernel module")


def test_killed_daemon_comes_back_to_its_calls_and_table(machine: Machine, call: Call) -> None:
    """Redis has its calls; what the old one left in the table is deleted: a table has one owner."""
    process = f"systemctl show --property=MainPID --value {DAEMON}"
    before = ssh.output(machine, process)
    ssh.output(machine, f"systemctl kill --signal=KILL {DAEMON}")
    assert wait_until(lambda: ssh.output(machine, process) not in (before, "0\n"), timeout=30.0)
    wait_for_status(machine, "1 calls")
    call.talk(HELLO)
    wait_for_status(machine, "2 of 4 flows by kernel module")
    check_kernel_forwards(machine, call)


def test_module_may_be_missing_and_come_later(machine: Machine) -> None:
    """No module, no table, no rule: calls are carried all the same, and the daemon needs no restart."""
    ssh.output(machine, f"systemctl stop {DAEMON}; {RULE} remove; modprobe -r xt_RTPENGINE")
    ssh.output(machine, f"systemctl start {DAEMON}")
    wait_for_status(machine, "the kernel module xt_RTPENGINE is not loaded")
    with Call(machine) as call:
        call.talk(50)

        with talking(call, 600):
            ssh.output(machine, f"modprobe xt_RTPENGINE; systemctl restart {RULE}")
            wait_for_status(machine, "2 of 4 flows by kernel module")

        check_kernel_forwards(machine, call)


def test_module_is_built_for_kernels_to_come(machine: Machine) -> None:
    """DKMS has built it for the kernel that runs; headers come with each new one."""
    assert "installed" in ssh.output(machine, "dkms status rtpengine -k $(uname -r)")
    ssh.output(machine, "dpkg-query --show linux-headers-cloud-amd64")


def test_program_of_ours_forwards_without_module_or_rule(machine: Machine) -> None:
    """What the daemon may load and attach, confined as its unit confines it, suffices for eBPF."""
    let_forward(machine, "ebpf")
    with Call(machine, port=42400) as call:
        call.talk(HELLO)
        wait_for_status(machine, "2 of 4 flows by eBPF")
        check_kernel_forwards(machine, call)
        call.check_totals()
    let_forward(machine, "module")
