"""Numbers as their sides write them, made what the platform understands: E.164, and marked emergencies."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote

from ngcp.provisioning.rewriting import rewrite, variables
from ngcp.provisioning.runtime import (
    ANYWHERE,
    NO_PREFERENCES,
    Platform,
    Preferences,
    RewriteRule,
    Subscriber,
)
from ngcp.proxy.call import Call
from ngcp.proxy.emergency import is_emergency
from ngcp.proxy.floor import Floor, Outcome
from ngcp.sip.syntax import Uri

#: Whether a peer finds subscribers by what their Contact says.
BY_UUID: Final = "find_subscriber_by_uuid"
#: What the user part of a URI may hold unescaped (RFC 3261 §25.1).
_USER: Final = "-_.!~*'()&=+$,;?/"


def rules_of(platform: Platform, preferences: Preferences, attribute: str) -> Sequence[RewriteRule]:
    """Return the rewrite rules that a preference (`rewrite_…_dpid`) names."""
    dpid = preferences.number(attribute)
    return () if dpid is None else platform.dialplans.get(dpid, ())


def as_user(name: str) -> str:
    """Write a name or number as the user part of a URI."""
    return name if name.isalnum() and name.isascii() else quote(name, safe=_USER, errors="surrogateescape")


def call_number(call: Call, number: str) -> None:
    """Let the call be for another number or name, in the same domain."""
    call.uri = replace(call.uri, user=as_user(number))


def rewrite_callee(call: Call, floor: Floor) -> Outcome | None:
    """Make of the number that was dialled the one that is called, by the caller's rules."""
    if call.caller.is_inside:
        return None
    uri = call.uri
    if uri.scheme == "tel":
        uri = call.uri = Uri("sip", as_user(uri.name), call.caller.realm)
    number = rewrite_dialled(call, uri.name)
    if number != uri.name:
        call_number(call, number)
    if call.caller.peer is not None and call.uri.host not in call.platform.domains:
        _settle_domain(call, floor)
    call.is_emergency = is_emergency(call.uri.user or "")
    return None


def rewrite_dialled(call: Call, number: str) -> str:
    """Return what the caller's rules make of a number that was dialled."""
    rules = rules_of(call.platform, call.caller.preferences, "rewrite_callee_in_dpid")
    return rewrite(rules, number, variables(call.caller.terms, NO_PREFERENCES)) if rules else number


def _settle_domain(call: Call, floor: Floor) -> None:
    """Find the domain of a number that a peer sent to an address of ours: that of whoever has it."""
    try:
        ip_address(call.uri.host.strip("[]"))
    except ValueError:
        return  # it names a domain, which is not ours
    registered = _registered(call, floor)
    if registered is not None:
        call.uri = Uri("sip", as_user(registered.username), registered.domain)
        return
    owner = floor.directory.by_number(call.uri.name.removeprefix("+"), ANYWHERE)
    domains = call.platform.domains
    domain = owner.domain if owner is not None else next(iter(domains), call.uri.host)
    call.uri = replace(call.uri, host=domain, port=None)


def _registered(call: Call, floor: Floor) -> Subscriber | None:
    """Return the subscriber whose Contact at the peer is called: the B2BUA registered it (`uuid`)."""
    uuid = call.uri.params.get("uuid")
    subscriber = floor.directory.by_uuid(uuid) if uuid else None
    if subscriber is None:
        return None
    own = call.platform.preferences_of(subscriber)
    wishes = (own.flag("peer_auth_register"), own.flag(BY_UUID), call.caller.preferences.flag(BY_UUID))
    return subscriber if any(wishes) else None


def rewrite_caller(call: Call, number: str) -> str:
    """Return what the caller's rules make of a number that the caller is named by."""
    if call.caller.is_inside:
        return number
    rules = rules_of(call.platform, call.caller.preferences, "rewrite_caller_in_dpid")
    return rewrite(rules, number, variables(call.caller.terms, NO_PREFERENCES)) if rules else number


def outwards(call: Call, number: str) -> str:
    """Return a caller's or forwarder's number as the callee's rules write it."""
    wishes = call.callee.preferences
    rules = rules_of(call.platform, wishes, "rewrite_caller_out_dpid")
    return rewrite(rules, number, variables(call.caller.terms, wishes)) if rules else number
