"""One request on its way through the corridor: who calls, whom, and what was decided so far.

The stations fill it in, one after the other. Its values are replaced, never changed in place: so a shallow
copy can be tried and thrown away.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ngcp.ng.bencode import Value
from ngcp.provisioning.runtime import NO_PREFERENCES, Peer, Platform, Ported, Preferences, Subscriber
from ngcp.sip.core.decision import Relay, Reply, Target
from ngcp.sip.core.digest import Verdict
from ngcp.sip.syntax import Request, Uri


@dataclass(slots=True)
class Caller:
    """Who sent the request."""

    realm: str
    """Host of the identity claimed: From, or To of a REGISTER (§10.2)."""
    is_local: bool = False
    """Whether the realm is one of our domains."""
    verdict: Verdict | None = None
    """What the credentials are worth; None without any for our realm."""
    subscriber: Subscriber | None = None
    """Who the credentials, or a trusted source, name; set only where they are good."""
    owns_identity: bool = False
    """Whether the identity claimed is the subscriber's user name or one of the aliases."""
    peer: Peer | None = None
    """The peer that sent it."""
    preferences: Preferences = NO_PREFERENCES
    """Of the subscriber or the peer."""
    is_inside: bool = False
    """Whether an element of the node sent it, on behalf of `subscriber` or of nobody."""
    is_trusted: bool = False
    """Whether the address it came from speaks for the subscriber."""
    rejection: Reply | None = None
    """What a peer's inbound rule answers."""

    @property
    def terms(self) -> Preferences:
        """The preferences, and behind the subscriber's own the customer's, for what both can have."""
        layer = None if self.subscriber is None else self.subscriber.contract_preferences
        if not layer:
            return self.preferences
        own, *shared = self.preferences.layers or ({},)
        return Preferences((own, layer, *shared))


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a call goes to: one of our subscribers, a peer, or, with neither, somebody else."""

    preferences: Preferences = NO_PREFERENCES
    subscriber: Subscriber | None = None
    peer: Peer | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """How the caller is named."""

    npn: str = ""
    """Network-provided number: the one that we vouch for, E.164 without "+" where it can be."""
    upn: str = ""
    """User-provided number: the one that the caller asks to be shown as."""
    uprn: str = ""
    """User-provided redirecting number: who forwarded the call before it came here."""
    display: str | None = None
    """The display name that was received."""
    is_anonymous: bool = False
    """Whether the callee must not learn it (CLIR)."""


@dataclass(frozen=True, slots=True)
class Diversion:
    """A forward that the call took (RFC 5806)."""

    kind: str
    """cfu, cfb, cft, cfna, cfr, cfo; `redirect` for a phone's own 3xx."""
    subscriber: Subscriber
    """Who forwarded."""
    uri: str
    """What was called when it was forwarded."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the media relay is told of a session beside the usual: fields of the ng protocol."""

    offer: Mapping[str, Value] = field(default_factory=dict)
    """What concerns the side that is called."""
    answer: Mapping[str, Value] = field(default_factory=dict)
    """What concerns the side that calls."""
    is_relayed: bool = True
    """Whether the media go by the relay at all."""
    notes: str = ""
    """Parameters of our Record-Route that say so to later requests."""


@dataclass(slots=True)
class Continued(Relay):
    """A request in a dialog that goes on."""

    media: Terms = field(default_factory=Terms)
    is_leg_b: bool = False
    """Whether it belongs to a call's second pass."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Targets that are asked together, and whom they belong to; what fails gives way to the next attempt."""

    party: Party
    request: Request
    """What leaves, but for the Request-URI; Via, Call-ID and CSeq are as received."""
    targets: tuple[Target, ...]
    """At least one."""
    timeout: float
    """Seconds that it may ring."""
    record_route: tuple[str, ...] = ()
    media: Terms = Terms()
    each: float = math.inf
    """Seconds that one of the targets may ring."""
    stops: frozenset[int] = frozenset()
    """Failures of one target that end the attempt."""
    is_prelude: bool = False
    """Whether it only lets the caller hear something; behind it the next one is made, whatever it came to."""
    announced: Reply | None = None
    """What the call fails with once the caller has heard why; then nobody is called."""

    def relay(self, request: Request | None = None, record_route: tuple[str, ...] = ()) -> Relay:
        """Return the decision that carries it out; leg B has another request and Record-Route."""
        return Relay(
            request or self.request,
            self.targets,
            record_route or self.record_route,
            timer_c=min(self.each, self.timeout),
            limit=self.timeout,
            stops=self.stops,
        )


@dataclass(frozen=True, slots=True)
class Onward:
    """A place that a call is forwarded to; what that makes of it is found out when it is its turn."""

    uri: Uri
    diversions: tuple[Diversion, ...]
    """The forwards taken until there, the one that leads there included."""
    timeout: float
    """Seconds that it may ring there."""


NOBODY: Final = Party()
USUAL: Final = Terms()


@dataclass(slots=True)
class Call:
    """A request out of a dialog; most often an INVITE."""

    request: Request
    """As received; never edited."""
    now: float
    """Unix time."""
    platform: Platform
    caller: Caller
    uri: Uri
    """Whom it is for: the Request-URI first, then what rewriting, speed dial and forwards made of it."""
    identity: Identity = Identity()
    callee: Party = NOBODY
    ported: Ported | None = None
    """What is known of the callee's number, if it was ported and is not one of ours."""
    caller_ported: Ported | None = None
    """The same of the caller's, where a peer wants it known."""
    is_emergency: bool = False
    override_pin: str | None = None
    """What was dialled to pass block lists."""
    diversions: tuple[Diversion, ...] = ()
    """The forwards taken, the first one first."""
    attempt: Attempt | None = None
    """The one under way."""
    is_full: bool = False
    """Whether the attempt was not made because its party has as many calls as it may (CFO, next peer)."""
    waiting: tuple[Attempt | Onward, ...] = ()
    """What is tried next, if that fails."""
    timeout: float = math.inf
    """Seconds that whoever it is forwarded to may ring."""
    heard: frozenset[str] = frozenset()
    """Announcements that the caller has heard on the way."""
    allowance: float = math.inf
    """Seconds that the credit of who pays in advance lasts for the attempt."""
    refused: tuple[str, Reply] | None = None
    """What it was last refused for (`refusals`), and in which words."""
    before: "Call | None" = None
    """The same call with the attempt that this one follows."""

    @property
    def payer(self) -> Party:
        """Who has this stretch of the call made: the last one to forward it, else the caller."""
        if self.diversions:
            subscriber = self.diversions[-1].subscriber
            return Party(self.platform.preferences_of(subscriber), subscriber)
        return Party(self.caller.preferences, self.caller.subscriber, self.caller.peer)


@dataclass(frozen=True, slots=True)
class Routed:
    """Carry out the call's `attempt`."""

    call: Call
