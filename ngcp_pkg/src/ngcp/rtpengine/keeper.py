"""What of the running calls is kept for the next daemon, and how it takes them over (a `memory.Source`)."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from .call import Call
from .calls import Calls
from .dtls import Handshake, Identity
from .errors import OutOfPorts
from .flows import Address, Counters, Position
from .forwarding import Forwarding
from .guard import ATTEMPTS
from .quality import Quality
from .recording import Recording
from .snapshot import Snapshots, Special, UnreadableState
from .transcoding import Transcoder
from .transport import Secrets

_log = logging.getLogger(__name__)

#: Raised by whoever changes state in a way that what an older version wrote cannot be taken over.
VERSION: Final = 1


class Userspace(Protocol):
    """Counts the packets of protected flows."""

    def positions(self, local: Address) -> Mapping[int, Position]:
        """Return how far each source is that sends RTP to `local`."""

    def succeed(self, local: Address, positions: Mapping[int, Position], rtcp_before: int) -> None:
        """Go on from there, and with SRTCP indexes beyond `rtcp_before`."""


def snapshots(secrets: Secrets, identity: Identity) -> Snapshots:
    """Return what writes calls: where keys come from is the daemon's own, and so is its end of a handshake.

    A handshake that is done is its keys; one that is not begins anew, as do recordings, transcoders, and the
    measuring of quality.
    """

    def save(handshake: Handshake) -> list[object]:
        return [handshake.expected, handshake.is_client, handshake.keys]

    def make(saved: list[Any]) -> Handshake:
        expected, is_client, keys = saved
        handshake = Handshake(identity, expected, is_client=is_client)
        if keys is not None:  # it has its keys and nothing more to say: what OpenSSL knew of it is gone
            handshake.is_started, handshake.keys = True, keys
            handshake.problem, handshake.attempt = "of an earlier daemon", ATTEMPTS
        return handshake

    none = Special(lambda value: None, lambda saved: None)
    specials = {
        Handshake: Special(save, make),
        Quality: Special(lambda quality: None, lambda saved: Quality()),
        Recording: none,
        Transcoder: none,
    }
    return Snapshots({"secrets": secrets}, specials)


class Clock(NamedTuple):
    """What the time is, and since which boot it counts."""

    boot: str
    monotonic: Callable[[], float]
    unix: Callable[[], float]


class Keeper:
    """Writes calls and lets them run again. Their times are those of one boot: no call outlives it."""

    def __init__(
        self, calls: Calls, plane: Forwarding, userspace: Userspace, snapshots: Snapshots, clock: Clock
    ) -> None:
        self._clock = clock
        self._userspace = userspace
        self._calls = calls
        self._plane = plane
        self._snapshots = snapshots
        self._head: Final = [VERSION, clock.boot]
        self._changed: set[str] = set()
        self._owners: dict[Address, str] = {}
        """Whose port it is, of calls that were written."""

    def mark(self, call_id: str) -> None:
        """Take a call for changed, begun or ended; there need be none of that name."""
        self._changed.add(call_id)

    def call_ids(self) -> Collection[str]:
        """Return the Call-IDs of all that run."""
        return self._calls.call_ids()

    def take_changed(self) -> set[str]:
        """Return those that changed since the last time: by a command, or by whom we learned."""
        moved = {self._owners[local] for local in self._calls.take_moved() if local in self._owners}
        changed, self._changed = self._changed | moved, set()
        return changed

    def write(self, call_id: str) -> str | None:
        """Return the state of a call; None if it runs no more."""
        call = self._calls.get(call_id)
        if call is None:
            return None
        ports = list(_ports(call))
        self._owners.update(dict.fromkeys(ports, call_id))
        counters = {local: self._plane.counters(local) for local in ports}
        positions = {local: dict(found) for local in ports if (found := self._userspace.positions(local))}
        return self._snapshots.write([*self._head, call, counters, positions])

    def adopt(self, states: Mapping[str, str]) -> None:
        """Let calls run again that an earlier daemon left; say which cannot."""
        lost = {
            call_id: problem for call_id, text in states.items() if (problem := self._adopt(call_id, text))
        }
        if states:
            _log.warning(
                "%d of %d calls run on that an earlier daemon left", len(states) - len(lost), len(states)
            )
        for call_id, problem in lost.items():
            _log.error("call %.100r cannot run on: %s", call_id, problem)

    def _adopt(self, call_id: str, text: str) -> str | None:
        """Return why a call cannot run on, None if it does."""
        if self._calls.get(call_id) is not None:
            return "there is another of its name"
        try:
            call, counters, positions = self._read(text)
            self._calls.restore(call_id, call, self._clock.monotonic())
        except UnreadableState as error:
            return str(error)
        except OutOfPorts:
            return "one of its ports is not free, or not ours any more"
        except (
            Exception
        ) as error:  # the door of a worker: no state in Redis may keep the daemon from starting
            _log.exception("call %.100r", call_id)
            return str(error)
        for local, counted in counters.items():
            self._plane.credit(local, counted)
            # An index a second is more than anybody sends, so the Unix time is higher than all before.
            self._userspace.succeed(local, positions.get(local, {}), int(self._clock.unix()))
        return None

    def _read(self, text: str) -> tuple[Call, dict[Address, Counters], dict[Address, dict[int, Position]]]:
        """Return what `write` has written, or raise `UnreadableState`."""
        state = self._snapshots.read(text)
        version, boot = self._head
        if not isinstance(state, list) or state[:1] != [version]:
            raise UnreadableState("another version left it")
        if state[1:2] != [boot]:
            raise UnreadableState("it is of another boot")
        _, _, call, counters, positions = state
        if not isinstance(call, Call):
            raise UnreadableState("it is no call")
        return call, counters, positions


def _ports(call: Call) -> Iterator[Address]:
    for dialog in call.dialogs:
        for media in dialog.media.values():
            yield from (*media.ports(0), *media.ports(1))
