"""What the plane executes: the flows of all dialogues, and which stream each local port belongs to."""

from collections.abc import Iterable
from typing import Final

from .dialogs import Dialog, Media
from .flows import Address, Counters, Flow
from .guard import Guard
from .interfaces import Interfaces
from .processing import Processing
from .streams import Link
from .totals import Totals
from .transport import PLAIN
from .work import is_handshake

#: Seconds of silence after which a participant may send from another port of its host: a router restarted.
RELEARN_AFTER: Final = 5.0


class Switchboard:
    """Tells the plane of all that changes; ports come from the interfaces and go back there."""

    def __init__(
        self, guard: Guard, interfaces: Interfaces, processing: Processing, totals: Totals, tos: int
    ) -> None:
        self.guard = guard
        self.plane = guard.plane
        self.interfaces = interfaces
        self.processing = processing
        self.totals = totals
        self._tos = tos
        self._flows: dict[Address, Flow] = {}
        self._streams: dict[Address, tuple[Media, Link, int]] = {}
        self._moved: set[Address] = set()

    def take_moved(self) -> set[Address]:
        """Return the local ports whose flows have changed since the last time."""
        moved, self._moved = self._moved, set()
        return moved

    def claim(self, dialogs: Iterable[Dialog]) -> None:
        """Take the ports that dialogues have had before, or raise `OutOfPorts`."""
        media = [one for dialog in dialogs for one in dialog.media.values()]
        self.interfaces.claim([one.ports(side) for one in media for side in (0, 1)])

    def open(self, dialog: Dialog, indexes: Iterable[int]) -> dict[int, Media]:
        """Take the ports of new media, a pair for each side, or raise `OutOfPorts`."""
        wanted = sorted(indexes)
        pairs = iter(self.interfaces.take([side.host for side in dialog.sides] * len(wanted)))
        return {index: Media.between(next(pairs), next(pairs), self.guard.secrets) for index in wanted}

    def install(self, dialog: Dialog) -> None:
        """Let the plane know of all that changed in a dialogue."""
        for media in dialog.media.values():
            for side in (0, 1):
                media.rtp.processes[side] = self.processing.of(dialog, media, side)
                media.rtcp.processes[side] = self.processing.of_reports(dialog, media, side)
            for link in media.links:
                link.is_strict = dialog.is_strict
                for side, stream in enumerate(link.streams):
                    self._streams[stream.local] = media, link, side
                    self._settle(media, link, side)
        for flow in dialog.flows(self._tos):
            self._add(flow)

    def move(self, dialog: Dialog, side: int, host: str) -> None:
        """Face `side` with ports on `host` from now on, or raise `OutOfPorts`.

        The new ports are in use before the old ones go: keys stay, and their counters with them.
        """
        pairs = self.interfaces.take([host] * len(dialog.media))
        old = [media.ports(side) for media in dialog.media.values()]
        for media, pair in zip(dialog.media.values(), pairs, strict=True):
            media.move(side, pair)
        dialog.sides[side].host = host
        self.install(dialog)
        for pair in old:
            for address in pair:
                self.totals.add_packets(self._forget(address))
            self.interfaces.release(pair)

    def learn(self, local: Address, source: Address, packet: bytes, now: float) -> None:
        """Take a packet that came to `local` from another source than its flow expects."""
        media, link, side = self._streams[local]
        if link.streams[side].outcome.is_guarded and is_handshake(packet):
            has_changed = self.guard.receive(link, side, source, packet)
        else:
            has_changed = link.learn(side, source, packet, lambda: self._is_silent(local, now))
        if has_changed:
            for flow in media.flows(self._tos):
                self._add(flow)

    def _is_silent(self, local: Address, now: float) -> bool:
        last = self.plane.counters(local).last_packet
        return last is not None and now - last > RELEARN_AFTER

    def close(self, media: Iterable[Media]) -> None:
        """Give up the flows and ports of `media`."""
        for one in media:
            self.processing.close(one)
            counted = [[self._forget(address) for address in one.ports(side)] for side in (0, 1)]
            self.totals.add_media(counted)
            for side in (0, 1):
                self.interfaces.release(one.ports(side))

    def _forget(self, address: Address) -> Counters:
        """Stop what arrives at `address`; return what did."""
        counters = self.plane.counters(address)
        self.plane.remove(address)
        self.guard.forget(address)
        del self._flows[address], self._streams[address]
        return counters

    def _settle(self, media: Media, link: Link, side: int) -> None:
        """Let hold for one stream what was agreed on for its section."""
        outcome = media.crossing.outcome(side)
        if outcome is PLAIN and link.streams[side].outcome is PLAIN:
            return
        self.guard.settle(link, side, outcome, is_used=link is media.rtp or not outcome.is_muxed)

    def _add(self, flow: Flow) -> None:
        if self._flows.get(flow.local) != flow:
            self._flows[flow.local] = flow
            self._moved.add(flow.local)
            self.plane.add(flow)
