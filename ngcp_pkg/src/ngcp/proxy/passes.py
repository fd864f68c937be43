"""Calls that pass us twice, with the back-to-back user agent (B2BUA) between the passes (decision 30).

First pass: what was decided goes to the B2BUA instead of to the attempt's targets, and a token with it.
Second pass: the INVITE that the B2BUA makes of it (leg B) brings the token back and goes to these targets.
All else of a call, from its counters to its media, belongs to the first pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ngcp.sip.core.decision import Decision, Relay, Reply, Target
from ngcp.sip.core.proxy import Incoming, Returning, StatefulProxy
from ngcp.sip.syntax import Request
from ngcp.sip.transport.flow import format_address

from .applications import Applications
from .call import Attempt, Call
from .dialogs import Dialogs
from .legs import legs_of, longest
from .profile import parameters

TOKEN: Final = "P-NGCP-Attempt"
#: Seconds without any response after which the B2BUA counts as absent; where nobody listens at its port, the
#: system says so at once.
PATIENCE: Final = 2.0
#: Seconds that the second pass may last longer than the attempt: its CANCEL has to be answered.
MARGIN: Final = 10.0
#: Seconds after which we end a call that the B2BUA should have ended.
NET: Final = 10.0
#: What is behind the caller's Call-ID on the callee's leg, and what is answered to a call that nobody knows.
SUFFIX: Final = "_b2b-1"
LOST: Final = 481
UNAVAILABLE: Final = Reply(503, "B2BUA Unavailable")
#: Of a token that is nobody's: the attempt is over, or another proxy's.
OVER: Final = Reply(481)


@dataclass(frozen=True, slots=True)
class Terms:
    """What passes need beside the engine."""

    applications: Applications
    dialogs: Dialogs
    ids: Callable[[], str]
    """Unguessable tokens."""
    monotonic: Callable[[], float]
    longest: float
    """Seconds that a call may last."""
    is_bypassed: bool = False
    """Whether calls go to their targets at once."""


class Passes:
    """Attempts that are at the B2BUA; each lives as long as the first pass waits for its answer."""

    def __init__(self, engine: StatefulProxy, terms: Terms) -> None:
        self.way = terms.applications.b2bua
        """To the B2BUA."""
        self.lost: Callable[[str], None] = lambda call_id: None
        """Told of calls, by the caller's Call-ID, that the B2BUA has lost."""
        self._engine = engine
        self._terms = terms
        self._ends = terms.applications.app_server, terms.applications.b2bua
        self._proxy_uri = f"<sip:{format_address(self.way.local)};lr>"
        self._attempts: dict[str, Attempt] = {}
        self._tokens: dict[Incoming, str] = {}
        self._announced: dict[Incoming, Reply] = {}
        """What calls fail with that are only told why."""
        self._legs_b: set[Incoming] = set()

    def __len__(self) -> int:
        return len(self._attempts)

    def relay(self, incoming: Incoming, call: Call) -> Relay:
        """Return the decision that carries out the attempt of a call: by the B2BUA, unless it ends here."""
        attempt = call.attempt
        assert attempt is not None, "a routed call has an attempt"
        self._close(incoming)
        if attempt.announced is not None:
            self._announced[incoming] = attempt.announced
        is_served_here = attempt.targets[0].flow in self._ends
        if self._terms.is_bypassed or is_served_here or attempt.request.method != "INVITE":
            return attempt.relay()
        token = self._tokens[incoming] = self._terms.ids()
        self._attempts[token] = attempt
        target = Target(str(call.uri), self.way, patience=PATIENCE)
        patience = attempt.timeout + MARGIN
        request = self._told(call, attempt, token)
        return Relay(request, (target,), attempt.record_route, timer_c=patience, limit=patience)

    def _told(self, call: Call, attempt: Attempt, token: str) -> Request:
        """Return the request with what the B2BUA must know (platform.md §0)."""
        request, caller, callee = attempt.request.copy(), call.caller.subscriber, attempt.party.subscriber
        lasts = min(longest(legs_of(call), self._terms.longest), call.allowance)
        told = {
            "P-App-Name": "sbc",
            "P-App-Param": parameters(call, lasts),
            "P-Proxy-Uri": self._proxy_uri,
            TOKEN: token,
            "P-Caller-UUID": caller.uuid if caller else "",
            "P-Callee-UUID": callee.uuid if callee else "",
        }
        for name, value in told.items():
            if value:
                request.append(name, value)
        return request

    def take(self, event: Incoming | Returning) -> bool:
        """Do what is to be done with a request or a response of leg B; False: it is none."""
        if isinstance(event, Returning):
            if event.context.incoming not in self._legs_b:
                return False
            self._look_for_loss(event)
            self._engine.forward(event, self._terms.monotonic(), as_it_is=True)
            return True
        decision = self._second(event)
        if decision is not None:
            self.carry_out(event, decision)
        return decision is not None

    def carry_out(self, incoming: Incoming, decision: Decision) -> None:
        """Carry out a decision on a request of leg B, of which nothing is kept."""
        if self._engine.execute(incoming, decision, self._terms.monotonic()) is not None:
            self._legs_b.add(incoming)

    def _look_for_loss(self, returning: Returning) -> None:
        """Tell if a callee's request meets a B2BUA that was started anew, or none."""
        request, branch = returning.context.incoming.request, returning.branch
        if branch is None or branch.target.flow != self.way or request.to.tag is None:
            return
        status = returning.response.status
        if status == LOST or (status == UNAVAILABLE.status and not branch.is_heard):
            self.lost(request.call_id.removesuffix(SUFFIX))

    def _second(self, incoming: Incoming) -> Relay | Reply | None:
        """Return what becomes of leg B's INVITE."""
        request = incoming.request
        if "p-ngcp-attempt" not in request or incoming.flow.remote != self.way.remote:
            return None
        attempt = self._attempts.get(request.first("p-ngcp-attempt"))
        if attempt is None:
            return OVER
        leaving = request.copy()
        leaving.remove(TOKEN)
        leaving.remove("Route")
        return attempt.relay(leaving, (self._terms.dialogs.record_leg_b(request),))

    def conclude(self, returning: Returning) -> Reply | None:
        """Learn the final answer to an attempt; return what takes its place, None if it may stay.

        That is what an announced failure was announced as, and 503 if the B2BUA did not take the call.
        """
        incoming, branch = returning.context.incoming, returning.branch
        announced, is_open = self._announced.pop(incoming, None), self._close(incoming)
        if announced is not None:
            return None if incoming.is_cancelled else announced
        is_unheard = branch is not None and not branch.is_heard
        return UNAVAILABLE if is_open and is_unheard and returning.response.status == 503 else None

    def forget(self, incoming: Incoming) -> None:
        """Learn that nothing more comes from a request."""
        self._legs_b.discard(incoming)
        self._announced.pop(incoming, None)
        self._close(incoming)

    def _close(self, incoming: Incoming) -> bool:
        """Forget the attempt that a call has at the B2BUA; tell whether it had one."""
        token = self._tokens.pop(incoming, None)
        if token is not None:
            del self._attempts[token]
        return token is not None
