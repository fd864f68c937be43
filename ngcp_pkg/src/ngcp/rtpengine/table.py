"""A table of the kernel module xt_RTPENGINE: messages in, counters in memory that it shares with us.

`/proc/rtpengine/control` makes and deletes tables; the `control` of a table takes messages as single
writes and lends memory by mmap(2), in which all counters have to lie. A table has one owner; when that one
dies it goes on forwarding, until the next owner deletes it.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from .flows import Address, PlaneLost, Position
from .layout import (
    SSRCS,
    Cipher,
    Command,
    Destination,
    DestinationMessage,
    Hmac,
    InterfaceStats,
    KernelAddress,
    Output,
    RemovalMessage,
    Srtp,
    SsrcStats,
    StreamStats,
    TableStats,
    Target,
    TargetMessage,
    init_message,
)

PROC: Final = Path("/proc/rtpengine")
#: Their numbers begin with 0.
TABLES: Final = 64
#: The module lends memory in powers of two, and finds the larger ones the harder the longer it runs.
BLOCK: Final = 1 << 16
SLOT: Final = 512
#: Without encryption.
PLAIN: Final = Srtp(Cipher.NULL, Hmac.NULL)
#: How many sources of one port are told apart: those that fit into a slot.
SOURCES: Final = min(SSRCS, 3)


class Slot(ctypes.Structure):
    """The counters of one target."""

    _fields_: ClassVar = (
        ("inbound", StreamStats),
        ("outbound", StreamStats),
        ("sources", SsrcStats * SOURCES),
        ("sent", SsrcStats * SOURCES),
    )
    inbound: StreamStats
    outbound: StreamStats


class Common(ctypes.Structure):
    """The counters of the table itself, and of the one interface that we tell it of."""

    _fields_: ClassVar = (("table", TableStats), ("interface", InterfaceStats))


assert max(ctypes.sizeof(Slot), ctypes.sizeof(Common)) <= SLOT, "a slot holds either"


class KernelTable:
    """The table of one number, opened when asked to."""

    def __init__(self, number: int, proc: Path = PROC) -> None:
        self.number = number
        self._proc = proc
        self._control: int | None = None
        self._blocks: list[int] = []
        self._free: list[int] = []
        self._interface = 0

    @property
    def is_open(self) -> bool:
        """Whether it is ours."""
        return self._control is not None

    def open(self) -> None:
        """Make the table anew and own it, or raise `PlaneLost`."""
        if not (self._proc / "control").exists():
            raise PlaneLost("the kernel module xt_RTPENGINE is not loaded")
        try:
            self._order("del", accepting=errno.ENOENT)
            self._order("add")
            self._control = os.open(self._proc / str(self.number) / "control", os.O_RDWR | os.O_CLOEXEC)
            self._begin()
        except OSError as error:
            self.close()
            raise PlaneLost(self._explain(error)) from error

    def close(self) -> None:
        """Give up the table, and with it all that it forwards; nothing is wrong if it is not open."""
        # The module frees the memory with the table, whoever still has it mapped.
        for block in self._blocks:
            _LIBC.munmap(block, BLOCK)
        self._blocks, self._free = [], []
        if self._control is not None:
            os.close(self._control)
            self._control = None
            with contextlib.suppress(OSError):
                self._order("del")

    def send(self, message: ctypes.Structure) -> None:
        """Carry out a message, or raise `OSError`."""
        if self._control is None:
            raise OSError(errno.EBADF, "the table is not open")
        os.write(self._control, bytes(message))

    def add_target(self, target: Target, local: Address, slot: Slot) -> None:
        """Let `target` handle what arrives at `local`, or raise `OSError`."""
        target.local = KernelAddress.of(local)
        target.iface_stats, target.stats = self._interface, _inside(slot, Slot.inbound)
        if not target.decrypt.cipher:
            target.decrypt = PLAIN
        self.send(TargetMessage(Command.ADD_TARGET, target))

    def add_destination(self, output: Output, local: Address, slot: Slot) -> None:
        """Let the target at `local`, whose only way out this is, begin."""
        output.iface_stats, output.stats = self._interface, _inside(slot, Slot.outbound)
        if not output.encrypt.cipher:
            output.encrypt = PLAIN
        destination = Destination(KernelAddress.of(local), 0, output)
        self.send(DestinationMessage(Command.ADD_DESTINATION, destination))

    def delete_target(self, local: Address) -> None:
        """End the target at `local`, or raise `OSError`."""
        self.send(RemovalMessage(Command.DEL_TARGET, KernelAddress.of(local)))

    def take(self) -> Slot:
        """Lend counters, all zero."""
        if not self._free:
            self._extend()
        slot = Slot.from_address(self._free.pop())
        ctypes.memset(ctypes.addressof(slot), 0, SLOT)
        return slot

    def give(self, slot: Slot) -> None:
        """Take counters back."""
        self._free.append(ctypes.addressof(slot))

    def _begin(self) -> None:
        common = Common.from_address(ctypes.addressof(self.take()))
        self._interface = ctypes.addressof(common) + Common.interface.offset
        self.send(init_message(ctypes.addressof(common) + Common.table.offset))

    def _extend(self) -> None:
        """Borrow more memory. Python's own mmap refuses: the file says that it is empty."""
        writable = mmap.PROT_READ | mmap.PROT_WRITE
        block = _LIBC.mmap(None, BLOCK, writable, mmap.MAP_SHARED, self._control, 0)
        if block == _MAP_FAILED:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._blocks.append(block)
        self._free += range(block, block + BLOCK, SLOT)

    def _order(self, verb: str, accepting: int = 0) -> None:
        control = os.open(self._proc / "control", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(control, f"{verb} {self.number}\n".encode())
        except OSError as error:
            if error.errno != accepting:
                raise
        finally:
            os.close(control)

    def _explain(self, error: OSError) -> str:
        if error.errno in (errno.EBUSY, errno.EEXIST):
            return f"table {self.number} belongs to another process"
        if error.errno in (errno.EACCES, errno.EPERM):
            return f"the kernel module does not know our user (proc_uid): {error}"
        if error.errno in (errno.ERANGE, errno.EMSGSIZE, errno.EINVAL):
            return "the kernel module is of another version"
        return f"table {self.number}: {error.strerror}"


def _inside(slot: Slot, field: Any) -> int:  # noqa: ANN401 # ctypes does not name the type of fields
    """Return the address of a field of `slot`."""
    return ctypes.addressof(slot) + int(field.offset)


def tell_sources(
    slot: Slot, target: Target, output: Output, positions: Sequence[tuple[int, Position]]
) -> None:
    """Say which sources of protected RTP there are, `SOURCES` at most, and how far each of them is."""
    for place, (source, position) in enumerate(positions):
        came, left = slot.sources[place], slot.sent[place]
        came.ext_seq, left.ext_seq = max(0, position.came), max(0, position.left)
        target.ssrc[place] = socket.htonl(source)
        target.ssrc_stats[place] = ctypes.addressof(came)
        output.ssrc_stats[place] = ctypes.addressof(left)


def read_positions(slot: Slot) -> list[Position]:
    """Return how far the sources are now, by their place."""
    return [Position(came.ext_seq, left.ext_seq) for came, left in zip(slot.sources, slot.sent, strict=True)]


_MAP_FAILED: Final = ctypes.c_void_p(-1).value
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
