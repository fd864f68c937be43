"""The kernel module as far as a table of it shows: what it refuses, and what it does with a packet."""

import ctypes
import errno
import sys
from pathlib import Path
from typing import Final

from ngcp.rtpengine import layout
from ngcp.rtpengine.flows import Address, PlaneLost
from ngcp.rtpengine.table import KernelTable

#: What a message begins with: its command.
MESSAGES: Final[dict[int, type[ctypes.Structure]]] = {
    layout.Command.INIT: layout.InitMessage,
    layout.Command.ADD_TARGET: layout.TargetMessage,
    layout.Command.ADD_DESTINATION: layout.DestinationMessage,
    layout.Command.DEL_TARGET: layout.RemovalMessage,
}
SECONDS: Final = 1_700_000_000


class FakeModule(KernelTable):
    """A table whose other end is not the kernel but this object."""

    def __init__(self) -> None:
        super().__init__(0, Path("/nonexistent"))
        self.missing: str | None = None
        self.refuses = 0
        self.targets: dict[bytes, layout.Target] = {}
        self.outputs: dict[bytes, layout.Output] = {}
        self._memory: list[ctypes.Array[ctypes.c_char]] = []

    def open(self) -> None:
        if self.missing:
            raise PlaneLost(self.missing)
        self._control = -1
        self._begin()

    def close(self) -> None:
        self._control = None
        self._free = []
        self.targets.clear()
        self.outputs.clear()

    def send(self, message: ctypes.Structure) -> None:
        """Take bytes, as a kernel does."""
        data = bytes(message)
        command = int.from_bytes(data[:4], "little")
        if len(data) != layout.MESSAGE_SIZES[command]:
            raise OSError(errno.EINVAL, "a message of another size")
        if self.refuses and command != layout.Command.DEL_TARGET:
            raise OSError(self.refuses, "refused")
        received = MESSAGES[command].from_buffer_copy(data)
        if command == layout.Command.ADD_TARGET:
            self._add_target(received.target)
        elif command == layout.Command.ADD_DESTINATION:
            self._add_destination(received.destination)
        elif command == layout.Command.DEL_TARGET:
            if self.targets.pop(bytes(received.local), None) is None:
                raise OSError(errno.ENOENT, "no such target")
            self.outputs.pop(bytes(received.local), None)

    def forward(self, local: Address, source: Address, packet: bytes) -> layout.Output | None:
        """Handle what arrives at `local`; nothing if it is left to the socket."""
        key = bytes(layout.KernelAddress.of(local))
        target = self.targets.get(key)
        if target is None or (target.num_destinations and key not in self.outputs):
            return None
        is_expected = bytes(layout.KernelAddress.of(source)) == bytes(target.expected_src)
        if target.src_mismatch == layout.Mismatch.PROPAGATE and not is_expected:
            return None
        stats = layout.StreamStats.from_address(target.stats)
        if target.rtp:
            # A source that it was not told of is an error, and so is each payload type.
            stats.errors += 1
            if packet[8:12] not in _sources(target):
                return None
            place = _sources(target).index(packet[8:12])
            for counted in (target, self.outputs[key]):
                _follow(counted.ssrc_stats[place], packet)
        stats.packets += 1
        stats.bytes += len(packet)
        stats.last_packet = SECONDS
        return self.outputs.get(key)

    def pass_rounds(self, local: Address, rounds: int) -> None:
        """Let so many times 65536 packets of each source go by."""
        key = bytes(layout.KernelAddress.of(local))
        for counted in (self.targets[key], self.outputs[key]):
            for address in filter(None, counted.ssrc_stats):
                layout.SsrcStats.from_address(address).ext_seq += rounds << 16

    def _extend(self) -> None:
        block = ctypes.create_string_buffer(b"\xff" * 4096, 4096)
        self._memory.append(block)
        start = ctypes.addressof(block)
        self._free += range(start, start + 4096, 512)

    def _add_target(self, target: layout.Target) -> None:
        if bytes(target.local) in self.targets:
            raise OSError(errno.EEXIST, "there is one already")
        if bool(target.num_destinations) == bool(target.non_forwarding):
            raise OSError(errno.EINVAL, "neither forwards nor not")
        self._check(target.decrypt, target.iface_stats, target.stats)
        self.targets[bytes(target.local)] = target

    def _add_destination(self, destination: layout.Destination) -> None:
        target, output = self.targets[bytes(destination.local)], destination.output
        if destination.num >= target.num_destinations:
            raise OSError(errno.ERANGE, "more than was said")
        if output.src_addr.family != output.dst_addr.family:
            raise OSError(errno.EINVAL, "two families")
        self._check(output.encrypt, output.iface_stats, output.stats)
        self.outputs[bytes(destination.local)] = output

    def _check(self, srtp: layout.Srtp, *counters: int) -> None:
        if not srtp.cipher or not srtp.hmac:
            raise OSError(errno.EINVAL, "not even plain")
        for address in counters:
            if not any(0 <= address - ctypes.addressof(block) < 4096 for block in self._memory):
                raise OSError(errno.EFAULT, "counters outside of the shared memory")


def _sources(target: layout.Target) -> list[bytes]:
    """Return the sources that a target knows, as packets name them."""
    return [source.to_bytes(4, sys.byteorder) for source in target.ssrc if source]


def _follow(address: int, packet: bytes) -> None:
    """Set the index to that of a packet; none of ours is older than the one before."""
    stats = layout.SsrcStats.from_address(address)
    stats.ext_seq = stats.ext_seq & ~0xFFFF | int.from_bytes(packet[2:4], "big")
