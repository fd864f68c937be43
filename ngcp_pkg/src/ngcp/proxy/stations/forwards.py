"""Call forwards: which of a subscriber's applies, and where a call goes then (platform.md §1.1).

A forward puts its destinations in front of what the call would try next; whoever routes takes them.
"""

import math
from typing import Final

from ngcp.provisioning.forwarding import ANONYMOUS, choose
from ngcp.provisioning.periods import local_time
from ngcp.provisioning.runtime import Destination, Forward, Preferences, Subscriber
from ngcp.proxy.applications import VOICEBOX, is_application
from ngcp.proxy.call import Call, Diversion, Onward
from ngcp.sip.core.decision import Reply
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Response, Uri

#: Failures by the kind of forward that is for them.
BUSY: Final = frozenset({486, 600})
NO_ANSWER: Final = 408
UNAVAILABLE: Final = frozenset({430, 480})


def forward(call: Call, kind: str) -> Reply | bool:
    """Let the callee's forwards of that kind take the call: tell whether one did, or answer with a 302."""
    subscriber = call.callee.subscriber
    if subscriber is None or not subscriber.forwards:
        return False
    caller = ANONYMOUS if call.identity.is_anonymous else _number_of(call)
    when = local_time(call.now, subscriber.timezone)
    chosen = choose(subscriber.forwards, kind, caller, call.uri.name, when)
    return chosen is not None and _take(call, chosen, subscriber)


def _number_of(call: Call) -> str:
    return call.identity.npn or call.request.from_.uri.name


def kinds_of(call: Call, response: Response) -> tuple[str, ...]:
    """Return the kinds of forwards that a failure is for, the more special one first."""
    status, preferences = response.status, call.callee.preferences
    if call.is_full:
        return ("cfo",)
    kinds: tuple[str, ...] = ()
    if status in BUSY:
        kinds = ("cfb",)
    elif status in UNAVAILABLE:
        kinds = ("cfna",)
    elif status == NO_ANSWER:
        kinds = ("cft", "cfna") if _is_own_timeout(call) else ()
    return (*kinds, "cfr") if _reroutes(preferences, status) else kinds


def _is_own_timeout(call: Call) -> bool:
    """Whether the callee's own ring time ended, not the one that a forward to him gave him."""
    return call.timeout >= (call.callee.preferences.number("ringtimeout") or math.inf)


def _reroutes(preferences: Preferences, status: int) -> bool:
    """Whether `rerouting_mode` and `rerouting_codes` want that failure forwarded."""
    mode, is_listed = preferences.text("rerouting_mode"), str(status) in preferences.all("rerouting_codes")
    return is_listed if mode == "whitelist" else mode == "blacklist" and not is_listed


def _take(call: Call, taken: Forward, subscriber: Subscriber) -> Reply | bool:
    uris = [(_uri_of(each, taken.kind), each) for each in taken.destinations]
    if taken.uses_redirection and call.caller.peer is not None:
        contacts = tuple(("Contact", f"<{uri}>") for uri, _ in uris if uri and not is_application(uri.host))
        if contacts:
            return Reply(302, headers=contacts)
    diversions = (*call.diversions, Diversion(taken.kind, subscriber, str(call.uri)))
    onwards = tuple(Onward(uri, diversions, each.timeout) for uri, each in uris if uri)
    call.waiting = onwards + call.waiting
    return bool(onwards)


def _uri_of(destination: Destination, kind: str) -> Uri | None:
    """Read where a destination is; who is busy has another greeting than who does not answer."""
    try:
        uri = Uri.parse(destination.uri)
    except SipError:
        return None
    if kind == "cfb" and uri.host == VOICEBOX and (uri.user or "").startswith("vmu"):
        uri.user = f"vmb{(uri.user or '')[3:]}"
    return uri
