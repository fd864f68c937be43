"""What a callee is told of the forwards that a call took: Diversion (RFC 5806), History-Info (RFC 7044)."""

from collections.abc import Mapping
from typing import Final

from ngcp.proxy.call import Call, Diversion
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Uri

from .numbers import as_user, outwards

#: Reason of a Diversion and cause of a History-Info (RFC 4458 §2) by the kind of forward.
_REASONS: Final[Mapping[str, tuple[str, int]]] = {
    "cfu": ("unconditional", 302),
    "cfb": ("user-busy", 486),
    "cft": ("no-answer", 408),
    "cfna": ("unavailable", 404),
    "redirect": ("deflection", 480),
}
_OTHER: Final = ("unknown", 302)


def forwarder_of(call: Call) -> str:
    """Return the user-provided redirecting number (UPRN), as `inbound_uprn` of the last forwarder has it."""
    if not call.diversions:
        return call.identity.uprn
    last = call.diversions[-1]
    wanted = call.platform.preferences_of(last.subscriber).text("inbound_uprn") or "npn"
    if wanted == "none":
        return ""
    if wanted == "upn":
        return call.identity.upn
    if wanted in ("diversion", "npn_diversion") and call.identity.uprn:
        return call.identity.uprn
    if wanted.startswith("original/"):
        return _number(call, call.diversions[0])
    return _number(call, last)


def tell_diversions(call: Call, request: Request) -> None:
    """Say who forwarded the call, the last one first, as far as the callee wants to know."""
    wishes = call.callee.preferences
    if wishes.text("outbound_diversion") in ("uprn", "npn"):
        counts = ";counter=1" if wishes.text("outbound_diversion_counter") else ""
        for diversion in reversed(call.diversions):
            address = _address(call, _number(call, diversion), diversion.subscriber.domain)
            reason = _REASONS.get(diversion.kind, _OTHER)[0]
            request.append("Diversion", f"<{address}>;reason={reason}{counts}")
        if call.identity.uprn:
            address = _address(call, call.identity.uprn, call.caller.realm)
            request.append("Diversion", f"<{address}>;reason=unknown{counts}")
    if wishes.text("outbound_history_info") == "uprn" and call.diversions:
        for entry in _history(call):
            request.append("History-Info", entry)


def _history(call: Call) -> list[str]:
    """Return an entry for each forwarder and one for where the call is now, each one level deeper (§5.1)."""
    entries, index = [], "1"
    for diversion in call.diversions:
        address = _address(call, _number(call, diversion), diversion.subscriber.domain)
        cause = _REASONS.get(diversion.kind, _OTHER)[1]
        entries.append(f"<{address}?Reason=SIP%3Bcause%3D{cause}>;index={index}")
        index += ".1"
    return [*entries, f"<{call.uri}>;index={index}"]


def _number(call: Call, diversion: Diversion) -> str:
    """Return the number of who forwarded."""
    cli = call.platform.preferences_of(diversion.subscriber).text("cli")
    return cli or _dialled(diversion) or diversion.subscriber.username


def _dialled(diversion: Diversion) -> str:
    try:
        return Uri.parse(diversion.uri).name
    except SipError:
        return ""


def _address(call: Call, number: str, domain: str) -> str:
    return f"sip:{as_user(outwards(call, number))}@{domain}"
