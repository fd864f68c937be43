"""The fast plane that needs no kernel module: a program at the interfaces, and the table of its flows.

The program (`bpf/relay.bpf.c`) says what it forwards; everything else comes to our sockets. Program and table
are ours alone: when we stop or die, the kernel takes both out, and nothing is left that could forward.
"""

import contextlib
import errno
import fcntl
import ipaddress
import socket
import struct
import sys
from pathlib import Path
from typing import Final

from ngcp.net.bpf import LoadedObject, Table

from .flows import Address, Counters, Flow, Kind, PlaneLost

#: Where the package puts the compiled program, and the development host's tool chain, below its venv.
PROGRAM: Final = Path(sys.prefix) / "lib/ngcp-rtpengine-daemon/relay.bpf.o"

#: struct flow: three endpoints, TOS, flags; then packets, bytes, time of the last.
_FLOW: Final = struct.Struct("=20s20s20sHH")
_COUNTED: Final = struct.Struct("=QQQ")
_ONLY_RTP: Final = 1
_GUARDED: Final = 2
#: Every interface and what came by it, of our network namespace.
_INTERFACES: Final = Path("/proc/self/net/dev")
_SIOCGIFHWADDR: Final = 0x8927
_ARPHRD_ETHER: Final = 1
_ETHERTYPES: Final = {4: 0x0800, 6: 0x86DD}
#: BPF_FIB_LKUP_RET_FWD_DISABLED
_FORWARDING_DISABLED: Final = 5


class EbpfPlane:
    """Forwards plain flows between two addresses of one family (a `FastPlane`)."""

    name = "eBPF"

    def __init__(self, ports: int, program: Path = PROGRAM) -> None:
        """Have room for the flows of so many ports; nothing is in the kernel before the first `check`."""
        self._ports = ports
        self._program = program
        self._kernel: LoadedObject | None = None
        self._families: frozenset[int] = frozenset()

    def close(self) -> None:
        """Take it out of the kernel."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    # FastPlane

    def can(self, flow: Flow) -> bool:
        """Whether the flow only needs other addresses, of the same family."""
        if flow.decrypt or flow.encrypt or flow.process or not flow.expect_from or not flow.send_to:
            return False
        ends = (flow.local, flow.expect_from, flow.send_from, flow.send_to)
        addresses = [ipaddress.ip_address(host) for host, _port in ends]
        families = {address.version for address in addresses}
        # Packets of ours to ourselves pass no interface that we watch; link-local addresses need a scope.
        is_far = not any(address.is_loopback or address.is_link_local for address in addresses)
        return len(families) == 1 and families <= self._families and is_far

    def add(self, flow: Flow) -> None:
        """Forward `flow` from now on, counting from zero."""
        assert flow.expect_from and flow.send_to, "can() asks for both"
        flags = (_ONLY_RTP if flow.kind is Kind.MUXED and flow.rtcp else 0) | (
            _GUARDED if flow.is_guarded else 0
        )
        ends = map(_endpoint, (flow.expect_from, flow.send_from, flow.send_to))
        value = _FLOW.pack(*ends, flow.tos, flags) + bytes(_COUNTED.size)
        try:
            self._table().put(_endpoint(flow.local), value)
        except OSError as error:
            raise PlaneLost(str(error.strerror)) from error

    def remove(self, local: Address) -> None:
        """Let all that arrives at `local` come to our socket."""
        self._table().delete(_endpoint(local))

    def counters(self, local: Address) -> Counters:
        """Return what it has forwarded since `add`."""
        flow = self._table().get(_endpoint(local))
        if flow is None:
            return Counters()
        packets, octets, last = _COUNTED.unpack_from(flow, _FLOW.size)
        return Counters(packets, octets, 0, last / 1e9 if last else None)

    def check(self) -> str | None:
        """Load the program, attach it to interfaces that are new; return why it forwards nothing, if so."""
        try:
            if self._kernel is None:
                self._kernel = LoadedObject(self._program, {"flows": self._ports})
            found = {family: self._kernel.run("probe", kind) for family, kind in _ETHERTYPES.items()}
            self._families = frozenset(
                family for family, result in found.items() if 0 <= result != _FORWARDING_DISABLED
            )
            if not self._families:
                return "net.ipv4.conf.lo.forwarding and net.ipv6.conf.lo.forwarding are 0"
            _follow_interfaces(self._kernel)
        except OSError as error:
            return str(error.strerror or error)
        return None if self._kernel.interfaces else "there is no Ethernet interface"

    def _table(self) -> Table:
        if self._kernel is None:
            raise PlaneLost("not loaded")
        return self._kernel.table("flows")


def _follow_interfaces(kernel: LoadedObject) -> None:
    there = _ethernet_interfaces()
    for gone in kernel.interfaces - there:
        kernel.detach(gone)
    for new in there - kernel.interfaces:
        try:
            kernel.attach("relay", new)
        except OSError as error:
            if error.errno != errno.ENODEV:  # gone meanwhile
                raise


def _endpoint(address: Address) -> bytes:
    """Return struct endpoint."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return struct.pack("=16s2sH", socket.inet_pton(family, host), port.to_bytes(2, "big"), family)


def _ethernet_interfaces() -> frozenset[int]:
    """Return the index of every interface whose frames have an Ethernet header."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        for line in _INTERFACES.read_text().splitlines()[2:]:
            name = line.partition(":")[0].strip()
            request = struct.pack("16s24x", name.encode())
            with contextlib.suppress(OSError):  # gone meanwhile
                answer = fcntl.ioctl(anything, _SIOCGIFHWADDR, request)
                if struct.unpack_from("=H", answer, 16)[0] == _ARPHRD_ETHER:
                    found.add(socket.if_nametoindex(name))
    return frozenset(found)
