"""The way of a request through the proxy, from its arrival to a decision.

* In a dialog: our signed Route comes off, and it goes on along its route set.
* Out of a dialog: facts → check_method → authenticate → check_locks → register → route.
"""

from dataclasses import dataclass

from ngcp.sip.core.decision import Drop, Relay, Reply, Target
from ngcp.sip.syntax import Request

from .facts import Gatherer
from .stations import STATIONS, Floor, Outcome


@dataclass(frozen=True, slots=True)
class Corridor:
    """Decides what becomes of a request."""

    gatherer: Gatherer
    floor: Floor

    async def decide(self, request: Request, now: float) -> Outcome:
        """Return what to do; `now` is Unix time. Raises `SipError` and `DatabaseUnavailable`."""
        if request.to.tag is not None:
            return self.decide_in_dialog(request)
        if request.method == "ACK":
            return Drop()
        facts = await self.gatherer.gather(request, now)
        for station in STATIONS:
            outcome = station(request, facts, self.floor)
            if outcome is not None:
                return outcome
        raise AssertionError("the last station decides")

    def decide_in_dialog(self, request: Request) -> Outcome:
        """Follow the route set (§16.12); everything leaves through the load-balancer."""
        if self.floor.dialogs.pop_own_route(request):
            return Relay(request, (Target(request.uri, self.floor.to_edge),))
        return Drop() if request.method == "ACK" else Reply(481)
