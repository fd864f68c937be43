"""The lamps of telephones: NOTIFY tells those that subscribed, and all others, what waits (RFC 3842).

It is told to the proxy, who knows where a subscriber's phones are. A subscription is a dialog of its own
(RFC 6665) and lives in memory: after a restart its refresh is answered with 481, and the phone begins anew.
"""

from collections.abc import Callable, Sequence
from typing import Final

from ngcp.provisioning.voicemail_news import Waiting
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.syntax import NameAddr, Request, Response
from ngcp.sip.transaction.timers import Alarm

EVENT: Final = "message-summary"
CONTENT_TYPE: Final = "application/simple-message-summary"
#: Seconds of a subscription: where nobody says, at least and at most.
EXPIRES: Final = 3600
SHORTEST: Final = 60
LONGEST: Final = 86_400
#: Subscriptions of one mailbox: more phones than that nobody has.
MOST: Final = 20
#: What is said of a subscription that ends, and of a NOTIFY that belongs to none.
ENDED: Final = "terminated"


class Lamps:
    """All subscriptions, and what is told without one."""

    def __init__(self, agent: UserAgent, proxy: str, number: str) -> None:
        """Send by `proxy`, a value of Route; messages are heard at `number`."""
        self.agent, self.number = agent, number
        self.asked: Callable[[str], None] = lambda mailbox: None
        """Told in whose mailbox somebody wants to know what waits: a call of `tell` is to follow."""
        self._proxy = proxy
        self._subscriptions: dict[str, dict[str, Subscription]] = {}
        """By mailbox and our tag."""

    def __len__(self) -> int:
        return sum(map(len, self._subscriptions.values()))

    def subscribe(self, incoming: Incoming, now: float) -> None:
        """Take a SUBSCRIBE that is in no dialog."""
        request = incoming.request
        mailbox = request.get("p-caller-uuid")
        if _event(request) != EVENT:
            incoming.refuse(489, now, "Bad Event", (f"Allow-Events: {EVENT}",))
        elif not mailbox:
            incoming.refuse(403, now)
        elif len(self._subscriptions.get(mailbox, ())) >= MOST:
            incoming.refuse(503, now, None, (f"Retry-After: {SHORTEST}",))
        else:
            Subscription(self, mailbox, incoming, now)

    def tell(self, mailbox: str, waiting: Waiting, now: float, *, everybody: bool = True) -> None:
        """Tell subscribers what waits in a mailbox, and unless it is for them only, all registered phones."""
        for subscription in list(self._subscriptions.get(mailbox, {}).values()):
            subscription.notify(waiting, now)
        if everybody:
            self._tell_phones(waiting, now)

    def body(self, waiting: Waiting) -> bytes:
        """Write what waits (§5.2)."""
        return (
            f"Messages-Waiting: {'yes' if waiting.new else 'no'}\r\n"
            f"Message-Account: sip:{self.number}@{waiting.domain}\r\n"
            f"Voice-Message: {waiting.new}/{waiting.old} (0/0)\r\n"
        ).encode()

    def keep(self, subscription: "Subscription") -> None:
        """Know a subscription."""
        self._subscriptions.setdefault(subscription.mailbox, {})[subscription.tag] = subscription

    def forget(self, subscription: "Subscription") -> None:
        """Know it no more."""
        mine = self._subscriptions.get(subscription.mailbox, {})
        mine.pop(subscription.tag, None)
        if not mine:
            self._subscriptions.pop(subscription.mailbox, None)

    def _tell_phones(self, waiting: Waiting, now: float) -> None:
        agent, body = self.agent, self.body(waiting)
        branch, who = agent.new_branch(), f"sip:{waiting.username}@{waiting.domain}"
        lines = (
            f"Via: {agent.via(branch)}",
            f"Route: {self._proxy}",
            "Max-Forwards: 70",
            f"From: <{who}>;tag={agent.ids()}",
            f"To: <{who}>",
            f"Call-ID: {agent.ids()}{agent.ids()}",
            "CSeq: 1 NOTIFY",
            f"Contact: {agent.contact}",
            f"Event: {EVENT}",
            f"Subscription-State: {ENDED}",
            f"Content-Type: {CONTENT_TYPE}",
            f"Content-Length: {len(body)}",
        )
        flow = agent.flow_to(NameAddr.parse(self._proxy, "Route").address)
        agent.send(Request("NOTIFY", who, lines, body), flow, branch, _unheard, now)


class Subscription:
    """One phone that wants to know (a `ngcp.sip.core.leg.Caller`)."""

    def __init__(self, lamps: Lamps, mailbox: str, incoming: Incoming, now: float) -> None:
        """Accept it, or refuse it if it is too short."""
        self.mailbox, self.tag = mailbox, lamps.agent.ids()
        self._lamps = lamps
        self._leg = Leg.answering(incoming.request, self.tag).join(lamps.agent, self)
        self._event = incoming.request.first("event")
        """With the `id` by which the phone knows it (RFC 6665 §8.2.1)."""
        self._alarm: Alarm | None = None
        self._until = now
        if self._extend(incoming, now):
            lamps.keep(self)
            lamps.asked(mailbox)
        else:
            self._leg.leave(now)

    def notify(self, waiting: Waiting, now: float) -> None:
        """Tell what waits; after the last time there is no subscription any more."""
        left = round(self._until - now)
        state = f"active;expires={left}" if left > 0 else f"{ENDED};reason=timeout"
        lines = (
            f"Contact: {self._lamps.agent.contact}",
            f"Event: {self._event}",
            f"Subscription-State: {state}",
            f"Content-Type: {CONTENT_TYPE}",
        )
        self._leg.send("NOTIFY", self._hear, now, lines, self._lamps.body(waiting))
        if left <= 0:
            self._end(now)

    # A `Caller`

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Extend it, or end it."""
        request = incoming.request
        if request.method != "SUBSCRIBE":
            incoming.refuse(405, now, None, ("Allow: SUBSCRIBE",))
        elif request.get("event") != self._event:
            incoming.refuse(489, now, "Bad Event", (f"Allow-Events: {EVENT}",))
        elif self._extend(incoming, now):
            leg.refresh_target(request)
            self._lamps.asked(self.mailbox)

    def acknowledged(self, leg: Leg, incoming: Incoming, ack: Request, now: float) -> None:
        """Nothing: there is no INVITE."""

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """Nothing: there is no INVITE."""

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """Nothing: there is no INVITE."""

    def lost(self, leg: Leg, now: float) -> None:
        """Nothing: there is no session timer."""

    # Inside

    def _extend(self, incoming: Incoming, now: float) -> bool:
        """Answer a SUBSCRIBE; False: it was refused."""
        seconds = _seconds(incoming.request)
        if 0 < seconds < SHORTEST:
            incoming.refuse(423, now, None, (f"Min-Expires: {SHORTEST}",))
            return False
        seconds = min(seconds, LONGEST)
        lines = (f"Contact: {self._lamps.agent.contact}", f"Expires: {seconds}")
        incoming.respond(Answer(200, None, lines, b"", self._leg.local), now)
        self._until = now + seconds
        self._sleep()
        if seconds:
            self._alarm = self._lamps.agent.at(self._until, self._expire)
        return True

    def _expire(self, now: float) -> None:
        self._alarm = None
        self._lamps.asked(self.mailbox)

    def _hear(self, response: Response, now: float) -> None:
        """End it when the phone is gone, or wants no more (RFC 6665 §4.2.2)."""
        if response.status >= 300:
            self._end(now)

    def _end(self, now: float) -> None:
        self._sleep()
        self._lamps.forget(self)
        if self._leg.is_alive:
            self._leg.leave(now)

    def _sleep(self) -> None:
        if self._alarm is not None:
            self._lamps.agent.forget(self._alarm)
            self._alarm = None


def _event(request: Request) -> str:
    return (request.get("event") or "").partition(";")[0].strip().lower()


def _seconds(request: Request) -> int:
    text = (request.get("expires") or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else EXPIRES


def _unheard(response: Response, now: float) -> None:
    """Whatever the phones say, they were told; one that is not registered asks when it is."""
