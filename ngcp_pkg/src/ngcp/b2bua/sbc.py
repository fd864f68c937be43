"""The application `sbc`: calls with two legs, and what they have in common."""

from collections.abc import Sequence
from typing import Final

from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.uas import Incoming
from ngcp.sip.syntax.message import Message, Request
from ngcp.sip.transport.flow import Address, format_address
from ngcp.voice.registry import Registry

from .bridge import Bridge
from .headers import Sieve, options
from .profile import HeaderFilter, Profile
from .references import map_event, map_refer_to, map_replaces
from .sessions import Sessions
from .terms import Terms

#: Option tags that end at us within a call, and those that do if session timers do.
_USUAL: Final = frozenset({"100rel"})
_TIMED: Final = _USUAL | {"timer"}
#: Headers that say who calls.
IDENTITY: Final = (
    *("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Diversion", "History-Info"),
    *(
        "Referred-By",
        "Call-Info",
        "User-Agent",
        "Subject",
        "Privacy",
        "Identity",
        "Geolocation*",
        "User-to-User",
    ),
)


class Sbc:
    """Makes bridges (an `Application`)."""

    def __init__(self, agent: UserAgent, registry: Registry, profile: Profile, proxy: Address) -> None:
        """Send legs through `proxy` where the call does not say through whom."""
        self.agent = agent
        self.proxy = f"<sip:{format_address(proxy)};lr>"
        self.methods = frozenset(profile.methods)
        self.allow = f"Allow: {', '.join(sorted({'INVITE', 'ACK', 'BYE', 'CANCEL'} | self.methods))}"
        self.contact = f"Contact: {agent.contact}"
        self.registry = registry
        self.refer = profile.refer
        self.sessions = Sessions(profile.session)
        headers = profile.headers
        self._sieve = Sieve(headers)
        self._anonymous = Sieve(HeaderFilter(headers.allow, (*headers.deny, *IDENTITY)))

    def invited(self, incoming: Incoming, now: float) -> None:
        """Begin a call."""
        bridge = Bridge(self, incoming, now)
        bridge.call(now)
        self.registry.add(bridge.tag, bridge)

    def introduce(self, invite: Message, terms: Terms) -> list[str]:
        """Return the lines of the first INVITE that the callee may see."""
        without = _TIMED if terms.has_timers else _USUAL
        if not terms.hides_prack:
            without -= _USUAL
        also = ("timer",) if terms.far_timer is not None else ()
        if not terms.hides_caller:
            return self._pass(self._sieve, invite, terms, without, also)
        return [*self._pass(self._anonymous, invite, terms, without, also), "Privacy: id"]

    def pass_on(self, message: Message, terms: Terms, also: Sequence[str] = ()) -> list[str]:
        """Return the lines of any other message that the other leg may see; `also` are tags of Supported."""
        return self._pass(self._sieve, message, terms, _TIMED if terms.has_timers else _USUAL, also)

    def _pass(
        self, sieve: Sieve, message: Message, terms: Terms, without: frozenset[str], also: Sequence[str]
    ) -> list[str]:
        lines = sieve.pass_on(message)
        if isinstance(message, Request) and "replaces" in message:
            lines.append(f"Replaces: {map_replaces(message.first('replaces'), self.agent.legs)}")
        if "event" in message:
            lines.append(f"Event: {map_event(message.first('event'))}")
        if isinstance(message, Request) and "refer-to" in message:
            lines.append(f"Refer-To: {map_refer_to(message.first('refer-to'), self.agent.legs)}")
        if also or "supported" in message or "require" in message:
            lines += options(message, without, also)
        if not terms.has_timers:
            for name in ("Session-Expires", "Min-SE"):
                lines += (f"{name}: {value}" for value in message.all(name))
        return lines
