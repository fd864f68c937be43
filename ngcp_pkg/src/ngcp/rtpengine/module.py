"""The forwarding plane in the kernel module xt_RTPENGINE (a `FastPlane`).

A flow is a target with one way out. What does not fit it (another source, STUN, DTLS) the module leaves to
our socket, where the flow is known as well.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .canary import LOOPBACK, Canary
from .flows import Address, Counters, Flow, Handover, Kind, PlaneLost, Position
from .layout import KernelAddress, Mismatch, Output, Target
from .protection import is_known, is_protected, srtp
from .table import SOURCES, KernelTable, Slot, read_positions, tell_sources

#: What nftables' tables are called in which the module's rule has to be.
RULE: Final = "no rule in `{} filter` shows packets to the kernel module (ngcp-rtpengine-rule)"


class ModulePlane:
    """Forwards by a table of the kernel module."""

    name = "kernel module"

    def __init__(
        self,
        table: KernelTable,
        userspace: Handover,
        clock: Callable[[], float] = time.monotonic,
        unix_clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._userspace = userspace
        self._clock = clock
        self._unix_clock = unix_clock
        self._canaries: list[Canary] = []
        self._targets: dict[Address, _Target] = {}
        self._refused: dict[Address, Flow] = {}

    def can(self, flow: Flow) -> bool:
        """Whether it is able to forward such a flow.

        Protected packets it can once a source is known: who used a key, and how often, it has to be told.
        """
        if self._refused.get(flow.local) == flow:
            return False
        if not is_protected(flow):
            return flow.rtcp is None
        return is_known(flow) and bool(self._positions(flow))

    def add(self, flow: Flow) -> None:
        """Forward `flow` from now on, or raise `PlaneLost`."""
        if not self._table.is_open:
            raise PlaneLost(self.check() or "it was not ready yet")
        try:
            self._targets[flow.local] = _Target(flow, self._table.take())
            self._begin(self._targets[flow.local])
        except OSError as error:
            self.remove(flow.local)
            self._refused[flow.local] = flow
            raise PlaneLost(f"it refused a flow: {error.strerror}") from error

    def remove(self, local: Address) -> None:
        """Let all that arrives at `local` come to our socket; nothing is wrong if it does already."""
        self._refused.pop(local, None)
        target = self._targets.pop(local, None)
        if target is not None:
            self._end(target)
            self._table.give(target.slot)

    def counters(self, local: Address) -> Counters:
        """Return what it has forwarded from `local` since the flow was added."""
        target = self._targets.get(local)
        if target is None:
            return Counters()
        seen = target.slot.inbound
        last = None
        if seen.packets and seen.last_packet:
            last = min(self._clock() - self._unix_clock() + seen.last_packet + 1.0, self._clock())
        # Of RTP the module counts every payload type that it was not told of as an error; we tell it of none.
        told = seen.packets if target.sources else 0
        return Counters(seen.packets, seen.bytes, max(0, seen.errors - told), last)

    def check(self) -> str | None:
        """Return what keeps it from working; a table that could not be had is asked for again."""
        try:
            if not self._table.is_open:
                self._open()
        except PlaneLost as lost:
            return str(lost)
        try:
            self._follow_sources()
        except OSError as error:
            return f"it refused a source: {error.strerror}"
        silent = [canary.name for canary in self._canaries if not canary.is_alive()]
        return RULE.format("` and `".join(silent)) if silent else None

    def close(self) -> None:
        """Forward nothing more."""
        for canary in self._canaries:
            canary.close()
        self._canaries.clear()
        self._targets.clear()
        self._table.close()

    def _open(self) -> None:
        self._table.open()
        for name in LOOPBACK:
            with contextlib.suppress(OSError):  # a host may have no IPv6
                self._canaries.append(Canary(self._table, name))

    def _begin(self, target: "_Target") -> None:
        flow, slot = target.flow, target.slot
        if flow.expect_from is None or flow.send_to is None:
            raise ValueError("a flow that is not settled")
        wanted = Target(
            expected_src=KernelAddress.of(flow.expect_from),
            src_mismatch=Mismatch.PROPAGATE,
            stun=flow.is_guarded,
            dtls=flow.is_guarded,
            num_destinations=1,
        )
        output = Output(
            src_addr=KernelAddress.of(flow.send_from), dst_addr=KernelAddress.of(flow.send_to), tos=flow.tos
        )
        if is_protected(flow):
            newest = self._positions(flow)[-SOURCES:]
            target.sources = [source for source, _ in newest]
            _protect(flow, wanted, output)
            tell_sources(slot, wanted, output, newest)
        self._table.add_target(wanted, flow.local, slot)
        self._table.add_destination(output, flow.local, slot)

    def _end(self, target: "_Target") -> None:
        """Stop forwarding; user space counts on from where the module was."""
        local = target.flow.local
        with contextlib.suppress(OSError):
            self._table.delete_target(local)
        self._tell_positions(target)

    def _tell_positions(self, target: "_Target") -> None:
        """Let user space know how far the module is."""
        if target.sources:
            positions = zip(target.sources, read_positions(target.slot), strict=False)
            self._userspace.resume(target.flow.local, dict(positions))

    def _positions(self, flow: Flow) -> list[tuple[int, Position]]:
        """Return the sources of a protected flow, the newest last. Source 0 is nobody to the module."""
        return [known for known in self._userspace.positions(flow.local).items() if known[0]]

    def _follow_sources(self) -> None:
        """Take on sources that have come up: their packets went to user space so far.

        User space hears of the others: it may have to tell somebody who comes after us.
        """
        for target in self._targets.values():
            self._tell_positions(target)
            if target.sources and self._positions(target.flow)[-1][0] not in target.sources:
                self._end(target)
                self._begin(target)


@dataclass(slots=True)
class _Target:
    """What the module forwards."""

    flow: Flow
    slot: Slot
    sources: list[int] = field(default_factory=list)
    """The synchronization sources that it knows of a protected flow, by their place in `slot`."""


def _protect(flow: Flow, target: Target, output: Output) -> None:
    """Let RTP of known sources be opened and protected; all else is left to our socket."""
    target.decrypt, output.encrypt = srtp(flow.decrypt), srtp(flow.encrypt)
    target.rtp = target.rtp_only = target.ssrc_req = 1
    target.rtcp = target.rtcp_mux = flow.kind is Kind.MUXED
