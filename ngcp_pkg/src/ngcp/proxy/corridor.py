"""The way of a request through the proxy, from its arrival to a decision.

* In a dialog: our signed Route comes off, and it goes on along its route set.
* Out of a dialog: facts → the stations → a reply, a registration or the first attempt.
* When an attempt failed: the continuations → the next attempt, or the failure goes to the caller.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Final, TypeVar

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.decision import Drop, Reply, Target
from ngcp.sip.core.gruu import PARAMETER as GRUU
from ngcp.sip.syntax import Request, Response, Uri

from .batches import settled
from .call import USUAL, Call, Continued, Routed
from .dialogs import is_of_leg_b
from .directory import Unknown
from .facts import Gatherer
from .floor import Floor, Outcome
from .media import has_session
from .stations import CONTINUATIONS, STATIONS
from .stations.announcements import announce, announce_failure
from .stations.media import recall

#: How often one request may find that memory lacks something: platform, caller, callee's number, callee, each
#: callee that it is forwarded to, and each of them once more because it was changed meanwhile.
ATTEMPTS: Final = 40

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Corridor:
    """Decides what becomes of a request."""

    gatherer: Gatherer
    floor: Floor
    refused: Callable[[Call, int, str | None], None] = lambda call, status, reason: None
    """Told of calls that get no attempt."""

    async def decide(self, request: Request, now: float) -> Outcome:
        """Return what to do, once memory knows enough. Raises `SipError` and `DatabaseUnavailable`."""
        return await _known(lambda: self.decide_now(request, now))

    async def proceed(self, call: Call, response: Response, now: float) -> Outcome | None:
        """Return what to do instead of telling the caller that the attempt failed, None if nothing is left.

        `response` is the final one, 3xx to 6xx; `now` is Unix time. Raises as `decide`.
        """
        return await _known(lambda: self.proceed_now(call, response, now))

    def decide_now(self, request: Request, now: float) -> Outcome:
        """Return what to do; `now` is Unix time. Raises `SipError`, and `Unknown` before it did anything."""
        if request.to.tag is not None:
            return self.decide_in_dialog(request, now)
        if request.method == "ACK":
            return Drop()
        call = self.gatherer.gather(request, now)
        for station in STATIONS:
            outcome = station(call, self.floor)
            if outcome is not None:
                if isinstance(outcome, Reply):
                    self.refused(call, outcome.status, outcome.reason)
                    return self.announce(call, outcome)
                return self._priced(outcome)
        raise AssertionError("the last station decides")

    def proceed_now(self, call: Call, response: Response, now: float) -> Outcome | None:
        """Do as `proceed`, or raise `Unknown` before anything was done."""
        tried = copy(call)
        tried.now = now
        for continuation in CONTINUATIONS:
            outcome = continuation(tried, response, self.floor)
            if outcome is not None:
                return self.announce(tried, outcome) if isinstance(outcome, Reply) else self._priced(outcome)
        return announce_failure(tried, response, self.floor)

    def _priced(self, outcome: Outcome) -> Outcome:
        """Have it known what the call costs who pays in advance."""
        if isinstance(outcome, Routed):
            self.floor.credits.learn(outcome.call, self.floor.directory)
        return outcome

    def announce(self, call: Call, reply: Reply) -> Outcome:
        """Return how a call is refused: if it can be, the caller hears why before it fails."""
        return announce(call, reply, self.floor) or reply

    def decide_in_dialog(self, request: Request, now: float) -> Outcome:
        """Follow the route set (§16.12); all but the applications are reached through the load-balancer."""
        media = recall(request) if has_session(request) else USUAL
        is_leg_b = is_of_leg_b(request)
        onward = None if request.method == "REGISTER" else self.floor.dialogs.follow(request)
        if onward is None:
            return Drop() if request.method == "ACK" else Reply(481)
        return Continued(onward, (self._target_in_dialog(onward, now),), media=media, is_leg_b=is_leg_b)

    def _target_in_dialog(self, onward: Request, now: float) -> Target:
        if f";{GRUU}" in onward.uri:  # the phone's Contact is a GRUU of ours (RFC 5627 §6.1)
            gruus = self.floor.gruus
            device = gruus.find(gruus.open(Uri.parse(onward.uri), now), now)
            if device:
                return self.floor.edge.target(device[0])
        route = onward.first("Route") if "Route" in onward else None
        inside = None if route else self.floor.applications.at(onward.uri)
        return Target(onward.uri, inside or self.floor.edge.towards(route))


async def _known(ask: Callable[[], Answer]) -> Answer:
    """Ask until memory knows."""
    for _ in range(ATTEMPTS):
        try:
            return ask()
        except Unknown as unknown:
            await settled(unknown.learn)
    raise DatabaseUnavailable("what is learnt is forgotten at once")
