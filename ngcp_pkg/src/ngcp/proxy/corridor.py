"""The way of a request through the proxy, from its arrival to a decision.

* In a dialog: our signed Route comes off, and it goes on along its route set.
* Out of a dialog: facts → check_method → authenticate → check_locks → register → route.
"""

from dataclasses import dataclass
from typing import Final

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.decision import Drop, Relay, Reply, Target
from ngcp.sip.syntax import Request

from .batches import settled
from .directory import Unknown
from .facts import Gatherer
from .stations import STATIONS, Floor, Outcome

#: How often one request may find that memory lacks something: domain, caller, callee's number, callee, and
#: each of them once more because it was changed meanwhile.
ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Corridor:
    """Decides what becomes of a request."""

    gatherer: Gatherer
    floor: Floor

    async def decide(self, request: Request, now: float) -> Outcome:
        """Return what to do, once memory knows enough. Raises `SipError` and `DatabaseUnavailable`."""
        for _ in range(ATTEMPTS):
            try:
                return self.decide_now(request, now)
            except Unknown as unknown:
                await settled(unknown.learn)
        raise DatabaseUnavailable("what is learnt is forgotten at once")

    def decide_now(self, request: Request, now: float) -> Outcome:
        """Return what to do; `now` is Unix time. Raises `SipError`, and `Unknown` before it did anything."""
        if request.to.tag is not None:
            return self.decide_in_dialog(request)
        if request.method == "ACK":
            return Drop()
        facts = self.gatherer.gather(request, now)
        for station in STATIONS:
            outcome = station(request, facts, self.floor)
            if outcome is not None:
                return outcome
        raise AssertionError("the last station decides")

    def decide_in_dialog(self, request: Request) -> Outcome:
        """Follow the route set (§16.12); everything leaves through the load-balancer."""
        if request.method != "REGISTER" and self.floor.dialogs.pop_own_route(request):
            route = request.first("Route") if "route" in request else None
            return Relay(request, (Target(request.uri, self.floor.edge.towards(route)),))
        return Drop() if request.method == "ACK" else Reply(481)
