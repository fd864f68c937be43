"""A phone that names somebody else to call (RFC 3261 §8.1.3.4, §16.7; preference `call_deflection`)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ngcp.provisioning.rewriting import rewrite, variables
from ngcp.provisioning.runtime import NO_PREFERENCES, Preferences, RewriteRule
from ngcp.proxy.call import Call, Diversion, Onward
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Response, Uri
from ngcp.sip.syntax.fields import NameAddr

from .numbers import as_user, rules_of

#: 3xx that name somebody; 305 and 380 want more than another place to call.
FOLLOWED: Final = frozenset({300, 301, 302})


def follow_redirection(call: Call, response: Response) -> bool:
    """Go on to the contacts of a callee's 3xx, the best ones first; tell whether there were any."""
    subscriber, preferences = call.callee.subscriber, call.callee.preferences
    if response.status not in FOLLOWED or subscriber is None:
        return False
    if preferences.text("call_deflection") == "disabled" or call.request.method != "INVITE":
        return False
    diversions = (*call.diversions, Diversion("redirect", subscriber, str(call.uri)))
    rules = rules_of(call.platform, preferences, "rewrite_callee_in_dpid")
    uris = [_rewritten(uri, rules, preferences) for uri in _contacts(response, subscriber.domain)]
    call.waiting = (*(Onward(uri, diversions, math.inf) for uri in uris), *call.waiting)
    return bool(uris)


def _contacts(response: Response, domain: str) -> list[Uri]:
    """Return the URIs of the Contacts, each once; what cannot be read or called is passed over."""
    found: dict[str, tuple[float, Uri]] = {}
    for value in response.all("Contact"):
        try:
            contact = NameAddr.parse(value)
            uri = _callable(contact.uri, domain)
        except SipError:
            continue
        if uri is not None:
            found.setdefault(str(uri), (_q(contact.params.get("q")), uri))
    return [uri for _, uri in sorted(found.values(), key=lambda each: -each[0])]


def _callable(uri: Uri, domain: str) -> Uri | None:
    """Return the URI as one to call; a number is one of the domain of whoever names it (RFC 3966)."""
    if uri.scheme == "tel":
        return Uri("sip", (uri.user or "").replace("-", ""), domain)
    if uri.scheme not in ("sip", "sips") or not uri.user:
        return None
    return Uri("sip", uri.user, uri.host, uri.port)


def _rewritten(uri: Uri, rules: Sequence[RewriteRule], preferences: Preferences) -> Uri:
    """Read a number as the phone dials it."""
    number = rewrite(rules, uri.name, variables(preferences, NO_PREFERENCES))
    return replace(uri, user=as_user(number)) if rules else uri


def _q(text: str | None) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0
