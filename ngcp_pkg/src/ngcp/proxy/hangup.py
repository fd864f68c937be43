"""Ending a call that neither side ended: a BYE to each, in the name of the other (RFC 3261 §15)."""

from collections.abc import Callable
from dataclasses import dataclass

from ngcp.sip.core.proxy import StatefulProxy
from ngcp.sip.syntax import Request
from ngcp.sip.transport import Flow

from .batches import Spawn
from .floor import Floor
from .livecall import LiveCall
from .media import Media


@dataclass(frozen=True, slots=True)
class HangUp:
    """Ends calls."""

    engine: StatefulProxy
    floor: Floor
    media: Media
    spawn: Spawn
    monotonic: Callable[[], float]

    def __call__(self, live: LiveCall) -> None:
        """End one on the wire and at the media relay."""
        to_callee, to_caller = (
            live.goodbye(live.caller, live.callee),
            live.goodbye(live.callee, live.caller),
        )
        for bye in (to_callee, to_caller):
            if bye.uri:
                self.engine.originate(bye, self._towards(bye), self.monotonic())
        self.spawn(self.media.end(to_callee))

    def _towards(self, bye: Request) -> Flow:
        """Return the way along the route set; where that is empty, an element of the node is at its end."""
        route = bye.first("Route") if "route" in bye else None
        inside = None if route else self.floor.applications.at(bye.uri)
        return inside or self.floor.edge.towards(route)
