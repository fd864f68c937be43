"""The calls: who talks to whom, through which ports; offers and answers in, rewritten bodies and flows out.

Signals come typed from `control`, time as `now`. Flows go to the plane as soon as they change, ports come
from the pool and go back when a dialogue ends by `delete`, by its answer or by time-out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ngcp.sdp import Connection, Description, SdpError

from .bodies import UNKNOWN_SENDER, Announcement, Sender, conceal, read, redirect
from .dialogs import Dialog, Media
from .errors import UnknownCall, UnparsableSdp
from .flows import Address, Flow, Plane
from .ports import PortPool
from .streams import Link


@dataclass(frozen=True, slots=True)
class Signal:
    """What one command says."""

    call_id: str
    """The Call-ID."""
    from_tag: str = ""
    """The tag of who made the offer."""
    to_tag: str = ""
    """The tag of who answers; empty before the first answer."""
    via_branch: str = ""
    """Distinguishes offers to several branches of one request."""
    sdp: bytes = b""
    """The body."""
    sender: Sender = UNKNOWN_SENDER
    """Where the body came from."""
    replace: frozenset[str] = frozenset()
    """Parts of the body to rewrite beside the streams: `origin`, `session-connection`, `zero-address`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all calls."""

    interface: str
    """Our address that all media ports are bound on."""
    tos: int
    """The TOS byte of relayed packets."""
    timeout: float
    """Seconds without media after which an answered dialogue is dead."""
    silent_timeout: float
    """The same for one that is on hold or has no answer."""


@dataclass(slots=True)
class Call:
    """The dialogues of one Call-ID."""

    created: float
    dialogs: list[Dialog] = field(default_factory=list)

    def for_offer(self, signal: Signal) -> Dialog | None:
        """Return the dialogue of an offer: an initial one belongs to its branch, others to their tags."""
        found = self._best(signal)
        is_initial = not signal.to_tag
        return None if found and is_initial and found.via_branch != signal.via_branch else found

    def for_answer(self, signal: Signal) -> Dialog:
        """Return the dialogue that an answer belongs to; a new tag is one more fork of the offer."""
        found = self._best(signal)
        if found is None:
            raise UnknownCall
        return found

    def _best(self, signal: Signal) -> Dialog | None:
        """Prefer who faces the other tag already, then the same branch, then the newest."""
        known = [dialog for dialog in self.dialogs if dialog.side_of(signal.from_tag) is not None]
        return max(
            reversed(known),
            key=lambda dialog: (
                dialog.is_between(signal.from_tag, signal.to_tag),
                dialog.via_branch == signal.via_branch,
            ),
            default=None,
        )


class Calls:
    """All calls of this relay."""

    def __init__(self, policy: Policy, pool: PortPool, plane: Plane) -> None:
        self._policy = policy
        self._relay = Connection.of(policy.interface)
        self._pool = pool
        self._plane = plane
        self._calls: dict[str, Call] = {}
        self._checks: dict[Dialog, float] = {}
        self._flows: dict[Address, Flow] = {}
        self._links: dict[Address, tuple[Link, int]] = {}

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self._calls)

    def find(self, call_id: str) -> Call:
        """Return the call, or raise `UnknownCall`."""
        call = self._calls.get(call_id)
        if call is None:
            raise UnknownCall
        return call

    def offer(self, signal: Signal, now: float) -> bytes:
        """Open what an offer needs and return it rewritten; an error leaves everything as it was."""
        body, said = self._read(signal)
        call = self._calls.get(signal.call_id) or Call(now)
        known = call.for_offer(signal)
        dialog = known or Dialog(signal.from_tag, signal.to_tag, signal.via_branch, now)
        if _has_passed(dialog, said):
            return bytes(body)
        side = dialog.side_of(signal.from_tag) or 0
        dialog.media |= self._open(said.keys() - dialog.media.keys())
        if known is None:
            call.dialogs.append(dialog)
            self._calls[signal.call_id] = call
        dialog.offer(side, said, now)
        self._install(dialog, now)
        return self._redirect(body, dialog, 1 - side, signal, said)

    def answer(self, signal: Signal, now: float) -> bytes:
        """Connect both sides and return the answer rewritten; the same answer again changes nothing."""
        body, said = self._read(signal)
        dialog = self.find(signal.call_id).for_answer(signal)
        if _has_passed(dialog, said):
            return bytes(body)
        side = dialog.side_of(signal.from_tag) or 0
        dialog.check_answer(side)
        dialog.sides[1 - side].adopt(signal.to_tag, now)
        dialog.sides[side].adopt(signal.from_tag, now)
        self._close(dialog.answer(side, said, now))
        self._install(dialog, now)
        return self._redirect(body, dialog, side, signal, said)

    def matching(self, signal: Signal) -> list[Dialog]:
        """Return the dialogues that a signal without body is about, or raise `UnknownCall`.

        A branch that made no offer, such as that of a BYE, does not narrow them down.
        """
        dialogs = self.find(signal.call_id).dialogs
        branch = [dialog for dialog in dialogs if dialog.via_branch == signal.via_branch != ""]
        found = [dialog for dialog in branch or dialogs if _concerns(signal, dialog)]
        if not found:
            raise UnknownCall
        return found

    def delete(self, signal: Signal) -> None:
        """End dialogues, or raise `UnknownCall`; both tags of a forked one end only that fork."""
        for dialog in self.matching(signal):
            fork = _fork_to_drop(signal, dialog)
            if fork is None:
                self._end(signal.call_id, dialog)
            else:
                side, tag = fork
                dialog.sides[side].drop(tag)

    def learn(self, local: Address, source: Address, packet: bytes) -> None:
        """Take a packet that came to `local` from another source than its flow expects."""
        link, side = self._links[local]
        if link.learn(side, source, packet):
            for flow in (link.flow(0, self._policy.tos), link.flow(1, self._policy.tos)):
                self._add(flow)

    def handle_timer(self, now: float) -> list[str]:
        """End dialogues that are dead; return their Call-IDs. To be called about once a second."""
        ended = []
        for call_id, call in list(self._calls.items()):
            for dialog in [dialog for dialog in call.dialogs if self._is_dead(dialog, now)]:
                self._end(call_id, dialog)
                ended.append(call_id)
        return ended

    def _is_dead(self, dialog: Dialog, now: float) -> bool:
        """Look at the counters only when the last look says that it may have died."""
        if now < self._checks[dialog]:
            return False
        deadline = dialog.deadline(self._plane.counters, self._policy.timeout, self._policy.silent_timeout)
        self._checks[dialog] = deadline
        return now >= deadline

    def _read(self, signal: Signal) -> tuple[Description, Mapping[int, Announcement]]:
        try:
            body = Description.parse(signal.sdp)
            said = read(body, signal.sender, self._policy.interface)
            conceal(body, self._relay, signal.replace)
        except SdpError as error:
            raise UnparsableSdp(str(error)) from error
        return body, said

    def _redirect(
        self, body: Description, dialog: Dialog, side: int, signal: Signal, said: Iterable[int]
    ) -> bytes:
        """Write the ports that face `side`, who is going to receive the body, in the sections of `said`."""
        ports = dialog.ports(side)
        redirect(body, {i: ports[i] for i in said if i in ports}, self._relay, signal.replace)
        return bytes(body)

    def _open(self, indexes: Collection[int]) -> dict[int, Media]:
        """Take the ports of new media, a pair for each side, or raise `OutOfPorts`."""
        pairs = iter(self._pool.take(2 * len(indexes)))
        return {index: Media.between(next(pairs), next(pairs)) for index in sorted(indexes)}

    def _install(self, dialog: Dialog, now: float) -> None:
        """Let the plane know of all that changed."""
        self._checks[dialog] = now + min(self._policy.timeout, self._policy.silent_timeout)
        for media in dialog.media.values():
            for link in media.links:
                for side, stream in enumerate(link.streams):
                    self._links[stream.local] = link, side
        for flow in dialog.flows(self._policy.tos):
            self._add(flow)

    def _add(self, flow: Flow) -> None:
        if self._flows.get(flow.local) != flow:
            self._flows[flow.local] = flow
            self._plane.add(flow)

    def _end(self, call_id: str, dialog: Dialog) -> None:
        self._close(dialog.media.values())
        del self._checks[dialog]
        call = self._calls[call_id]
        call.dialogs.remove(dialog)
        if not call.dialogs:
            del self._calls[call_id]

    def _close(self, media: Iterable[Media]) -> None:
        for pair in [one.ports(side) for one in media for side in (0, 1)]:
            for address in pair:
                self._plane.remove(address)
                del self._flows[address], self._links[address]
            self._pool.release(pair)


def _has_passed(dialog: Dialog, said: Mapping[int, Announcement]) -> bool:
    """Whether a body leads to this dialogue's own ports: a spiral brought it back (RFC 3261 §16.3 step 4)."""
    ours = {pair.rtp for side in (0, 1) for pair in dialog.ports(side).values()}
    return any(announcement.rtp.address in ours for announcement in said.values())


def _concerns(signal: Signal, dialog: Dialog) -> bool:
    """Whether a signal without body is about `dialog`.

    No tag means all dialogues, one tag those it takes part in, two those between them; a tag that never
    answered belongs to a dialogue without answer.
    """
    if not signal.from_tag:
        return True
    if not signal.to_tag:
        return dialog.side_of(signal.from_tag) is not None
    if dialog.is_between(signal.from_tag, signal.to_tag):
        return True
    return dialog.side_of(signal.from_tag) == 0 and not dialog.sides[1].tags


def _fork_to_drop(signal: Signal, dialog: Dialog) -> tuple[int, str] | None:
    for tag in (signal.from_tag, signal.to_tag):
        side = dialog.side_of(tag)
        if signal.from_tag and signal.to_tag and side is not None and len(dialog.sides[side].tags) > 1:
            return side, tag
    return None
