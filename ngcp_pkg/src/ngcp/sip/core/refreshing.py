"""A leg that is kept alive by refreshes (RFC 4028 §7 to §10): by ours, or by the peer's, else it is lost."""

from typing import Final

from ..dialog.session_timer import Agreement, Policy, agreed, answer, ask, least_of
from ..syntax.message import Message, Request, Response
from ..transaction.timers import Alarm
from .leg import Leg
from .uac import Outgoing

#: Answers by which a peer says that it knows no UPDATE.
UNKNOWN: Final = frozenset({405, 420, 501})
#: Answers that say that there is no session any more (§10).
GONE: Final = frozenset({408, 481, 503})
#: Seconds until we try again while an INVITE is under way.
BUSY: Final = 2.0


class Refreshing:
    """The timer of one leg."""

    __slots__ = ("_expiry", "_interval", "_leg", "_next", "_outgoing", "_policy", "_session", "_updates")

    def __init__(self, leg: Leg, policy: Policy) -> None:
        self._leg = leg
        self._policy = policy
        self._interval = 0
        self._next: Alarm | None = None
        self._expiry: Alarm | None = None
        self._outgoing: Outgoing | None = None
        self._session: tuple[str, bytes] = "", b""
        self._updates = policy.method != "INVITE"

    def describe(self, message: Message) -> None:
        """Remember the session description that the peer is sent: a refresh by INVITE repeats it."""
        if message.body:
            self._session = f"Content-Type: {message.get('content-type')}", message.body

    def agree(self, agreement: Agreement, now: float) -> None:
        """Begin an interval."""
        self.stop()
        self._interval = interval = agreement.interval
        agent = self._leg.agent
        if agreement.is_ours:
            self._next = agent.at(now + interval / 2, self._refresh)
            self._expiry = agent.at(now + interval, self._expire)
        else:
            self._expiry = agent.at(now + interval - min(32.0, interval / 3), self._expire)

    def stop(self) -> None:
        """Wait for nothing."""
        for alarm in (self._next, self._expiry):
            if alarm is not None:
                self._leg.agent.forget(alarm)
        self._next = self._expiry = None

    def ask(self) -> list[str]:
        """Return the lines by which any INVITE or UPDATE on this leg refreshes it (§7.4)."""
        return ask(self._policy, self._interval)

    def hear(self, response: Response, now: float) -> None:
        """Take the 2xx to a request that carried them."""
        self.agree(agreed(response, self._policy), now)

    def answer(self, request: Request, now: float) -> list[str]:
        """Let an INVITE or UPDATE of the peer refresh the leg; return the lines of its 2xx (§9)."""
        agreement, lines = answer(request, self._policy)
        self.agree(agreement, now)
        return lines

    def check(self, request: Request) -> None:
        """Raise `IntervalTooSmall` for a request that asks for too much."""
        answer(request, self._policy)

    def _expire(self, now: float) -> None:
        self.stop()
        self._leg.user.lost(self._leg, now)

    def _refresh(self, now: float) -> None:
        leg = self._leg
        self._next = None
        if (leg.inviting or leg.invited) is not None:
            self._again(now + BUSY)
            return
        lines = [f"Contact: {leg.agent.contact}", "Supported: timer", *self.ask()]
        if self._updates or not self._session[1]:
            leg.send("UPDATE", self._heard, now, lines)
        else:
            self._outgoing = leg.send(
                "INVITE", self._heard, now, [*lines, self._session[0]], self._session[1]
            )

    def _heard(self, response: Response, now: float) -> None:
        status, leg = response.status, self._leg
        if status < 200 or not leg.is_alive:
            return
        inviting, self._outgoing = self._outgoing, None
        if status < 300:
            if inviting is not None:
                leg.acknowledge(inviting)
            leg.refresh_target(response)
            self.hear(response, now)
        elif status in UNKNOWN and self._updates and self._policy.method != "UPDATE":
            self._updates = False
            self._refresh(now)
        elif status == 422:
            self._interval = max(least_of(response), self._interval)
            self._again(now)
        elif status == 491:
            self._again(now + leg.pause())
        elif status in GONE:
            self._expire(now)

    def _again(self, when: float) -> None:
        self._next = self._leg.agent.at(when, self._refresh)
