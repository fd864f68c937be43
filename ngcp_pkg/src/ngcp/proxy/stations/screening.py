"""CLI screening: as whom a caller is shown, who says something of himself that the operator may not allow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from ngcp.provisioning.runtime import Preferences, Subscriber
from ngcp.proxy.call import Call, Identity
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.sources import address_in, user_of
from ngcp.sip.core.decision import Reply
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request

from .numbers import rewrite_caller

ANONYMOUS: Final = "anonymous"
#: Values of Privacy (RFC 3323 §4.2, RFC 3325 §9.3) with which a caller wants to stay unknown.
PRIVATE: Final = frozenset({"id", "user", "header", "session"})

#: Where numbers are read, by the values of `inbound_upn` and `inbound_npn`.
_READERS: Final[Mapping[str, Callable[[Request], str]]] = {
    "from_user": lambda request: user_of(request.from_.address),
    "from_display": lambda request: request.from_.display,
    "pai_user": lambda request: user_of(address_in(request, "p-asserted-identity") or ""),
    "ppi_user": lambda request: user_of(address_in(request, "p-preferred-identity") or ""),
    "rpid_user": lambda request: user_of(address_in(request, "remote-party-id") or ""),
}
#: Where forwards before us are noted, by what `skip_upn_check_on_diversion` calls them.
_DIVERSIONS: Final = {"diversion": "diversion", "historyinfo": "history-info"}


def identify(call: Call, floor: Floor) -> Outcome | None:
    """Find the numbers of the caller: the one we vouch for (NPN), and the one to be shown (UPN)."""
    subscriber = call.caller.subscriber
    if subscriber is not None and not call.caller.is_inside:
        return _screen(call, subscriber)
    call.identity = _believed(call)
    return None


def _believed(call: Call) -> Identity:
    """Return the identity of a caller who is not ours to screen: a peer, an element, a stranger."""
    request, preferences = call.request, call.caller.preferences
    upn = rewrite_caller(call, _read(request, preferences, "inbound_upn"))
    npn = ""
    if call.caller.peer is not None or call.caller.is_inside:
        wanted = preferences.text("inbound_npn") or "pai_user"
        npn = _READERS[wanted](request) if wanted in _READERS else ""
        npn = rewrite_caller(call, npn) if npn else upn
        subscriber = call.caller.subscriber
        if subscriber is not None and npn == subscriber.username:  # an element names whom it calls for
            npn = upn = preferences.text("cli") or npn
    hides = wants_privacy(request) or (call.caller.is_inside and preferences.flag("clir"))
    if hides and upn == ANONYMOUS:
        upn = npn
    return Identity(npn, upn, _redirecting(request, preferences), request.from_.display or None, hides)


def _screen(call: Call, subscriber: Subscriber) -> Outcome | None:
    """Let a subscriber be shown as one of his numbers, or as what the operator lets him say."""
    request, terms = call.request, call.caller.terms
    npn = terms.text("cli") or subscriber.username
    upn = terms.text("user_cli") or npn
    hides = terms.flag("clir") or wants_privacy(request)
    said = _read(request, terms, "inbound_upn")
    if said and said not in (subscriber.username, ANONYMOUS):
        number = rewrite_caller(call, said).removeprefix("+")
        if terms.flag("extension_in_npn") and _extends(number, npn, subscriber):
            npn = upn = number
        elif number in (npn, upn) or _may_say(request, terms, subscriber, number):
            upn = number
        else:
            policy = terms.text("allowed_clis_reject_policy")
            if policy == "reject" and not call.is_emergency:
                return Reply(403)
            hides = hides or policy == "override_by_clir"
    display = request.from_.display or None
    call.identity = Identity(npn, upn, _redirecting(request, terms), display, hides)
    if call.is_emergency:
        call.identity = _in_an_emergency(call.identity, terms)
    return None


def _in_an_emergency(identity: Identity, terms: Preferences) -> Identity:
    """Show who calls for help, whatever he wants: by `emergency_cli`, and as `emergency_upn` says."""
    npn = terms.text("emergency_cli") or identity.npn
    upn = identity.upn if terms.text("emergency_upn") == "upn" else npn
    return replace(identity, npn=npn, upn=upn, is_anonymous=False)


def _may_say(request: Request, terms: Preferences, subscriber: Subscriber, number: str) -> bool:
    """Tell whether a number is the subscriber's, allowed to him, or not to be checked."""
    if number in subscriber.aliases or terms.flag("clip_no_screening"):
        return True
    if matches_any(number, terms.all("allowed_clis")):
        return True
    skips = terms.text("skip_upn_check_on_diversion") or "no"
    return skips != "no" and _is_passed_on(request, terms, subscriber, skips)


def _is_passed_on(request: Request, terms: Preferences, subscriber: Subscriber, skips: str) -> bool:
    """Tell whether a phone only forwards a call: a header says so, or that one of his numbers did."""
    if skips in _DIVERSIONS:
        return _DIVERSIONS[skips] in request
    for header in _DIVERSIONS.values():
        for value in request.all(header):
            number = user_of(_address(value)).removeprefix("+")
            if skips != "check_allowed_clis" and number in subscriber.aliases:
                return True
            if skips != "check_aliases" and matches_any(number, terms.all("allowed_clis")):
                return True
    return False


def _extends(number: str, npn: str, subscriber: Subscriber) -> bool:
    """Tell whether a number is one of the subscriber's own, or an extension of it."""
    return any(number.startswith(own) for own in (npn, *subscriber.aliases) if own.isdigit())


def _redirecting(request: Request, preferences: Preferences) -> str:
    """Return who forwarded the call before it came to us, where `inbound_uprn` wants that to be known."""
    if "diversion" not in request:
        return ""
    wanted = preferences.text("inbound_uprn")
    if wanted not in ("diversion", "npn_diversion"):
        return ""
    return user_of(address_in(request, "diversion") or "").removeprefix("+")


def wants_privacy(request: Request) -> bool:
    """Tell whether the caller asks not to be shown (RFC 3323); `Privacy: none` says the opposite."""
    privacy = request.get("privacy")
    if privacy is not None:
        asked = {word.strip().lower() for word in privacy.split(";")}
        if "none" in asked or asked & PRIVATE:
            return "none" not in asked
    address = request.from_.address
    if not ("nonymous" in address or ".invalid" in address):  # nearly all
        return False
    uri = request.from_.uri
    return uri.name.lower() == ANONYMOUS or uri.host.endswith(".invalid")


def matches_any(number: str, patterns: Iterable[str]) -> bool:
    """Tell whether a number matches one of the shell patterns (`*`, `?`, `[x-y]`)."""
    return any(fnmatchcase(number, pattern) for pattern in patterns)


def _read(request: Request, preferences: Preferences, attribute: str) -> str:
    """Return the number that the header named by a preference says; From's, where it is missing."""
    wanted = preferences.text(attribute)
    read = None if wanted is None else _READERS.get(wanted)
    return (read(request) if read else "") or user_of(request.from_.address)


def _address(value: str) -> str:
    try:
        return NameAddr.parse(value).address
    except SipError:
        return ""
