"""What a request says as it leaves for its callee: names and numbers as that side wants them."""

from dataclasses import replace
from typing import Final

from ngcp.provisioning.rewriting import rewrite, variables
from ngcp.provisioning.runtime import Preferences
from ngcp.proxy.call import Attempt, Call
from ngcp.proxy.floor import Floor
from ngcp.proxy.portability import Portability, rewritten, routed
from ngcp.sip.core.decision import Target
from ngcp.sip.syntax import NameAddr, Request, Uri
from ngcp.sip.syntax.memory import remembered_shape

from .diversions import tell_diversions
from .naming import name_caller
from .numbers import as_user, rules_of

#: Requests that found a dialog.
DIALOG_FORMING: Final = frozenset({"INVITE", "SUBSCRIBE"})
#: What a caller wrote for us to read, what we say in other words, and what belongs to the inside.
_READ: Final = frozenset(
    {
        "diversion",
        "history-info",
        "p-app-name",
        "p-asserted-identity",
        "p-caller-uuid",
        "p-preferred-identity",
        "privacy",
        "proxy-authorization",
        "remote-party-id",
        "route",
    }
)


def leave(call: Call, floor: Floor, targets: tuple[Target, ...], timeout: float) -> Attempt:
    """Plan to ask `targets`, which are `call.callee`'s, for `timeout` seconds."""
    request, wishes = call.request.copy(), call.callee.preferences
    for name in _to_remove(request.shape):
        request.remove(name)
    name_caller(call, request)
    number = _number(call)
    _name_callee(call, request, number.number)
    if call.diversions or call.identity.uprn:
        tell_diversions(call, request)
    if "user-agent" in request:
        _name_agent(request, wishes)
    makes_dialog = request.method in DIALOG_FORMING
    record_route = (floor.dialogs.record_route(call.request, request),) if makes_dialog else ()
    if call.callee.peer is not None or wishes.flag("e164_to_ruri"):
        targets = tuple([_addressed(target, number, wishes) for target in targets])
    return Attempt(call.callee, request, targets, timeout, record_route)


@remembered_shape
def _to_remove(shape: tuple[str, ...]) -> tuple[str, ...]:
    return tuple({name for name in shape if name in _READ})


def _number(call: Call) -> Portability:
    """Return the callee's number as its side wants it; a peer is told where a ported one is now."""
    party, platform = call.callee, call.platform
    found = Portability(call.uri.name)
    if party.peer is not None and not call.is_emergency:
        payer = call.caller.preferences
        found = routed(found.number.removeprefix("+"), call.ported, platform.carriers, payer)
        rules = rules_of(platform, payer, "rewrite_callee_lnp_dpid") if found.carrier else ()
        if rules:
            look_up = variables(payer, party.preferences)
            found = replace(found, number=rewritten(found.number, found.carrier, rules, look_up))
    rules = rules_of(platform, party.preferences, "rewrite_callee_out_dpid")
    if rules:
        look_up = variables(call.caller.terms, party.preferences)
        found = replace(found, number=rewrite(rules, found.number, look_up))
    return found


def _addressed(target: Target, number: Portability, wishes: Preferences) -> Target:
    """Put the number into a target's URI (RFC 4694 §5: parameters of a number are part of it)."""
    uri = Uri.parse(target.uri)
    user = as_user(number.number)
    if number.routing_number:
        user += f";rn={number.routing_number}"
    if number.is_looked_up:
        user += ";npdi"
    params = {**uri.params, "user": "phone"} if wishes.flag("outbound_to_user_is_phone") else uri.params
    return replace(target, uri=str(replace(uri, user=user, params=params)))


def _name_callee(call: Call, request: Request, number: str) -> None:
    """Write To: whom the call is for now, or (`outbound_to_user`) was at first; else as it was received."""
    party, wishes = call.callee, call.callee.preferences
    wanted = wishes.text("outbound_to_user")
    if wanted == "rcvd_to" or (party.subscriber is None and party.peer is None):
        return
    if wanted == "orig_callee" and call.diversions:
        number = Uri.parse(call.diversions[0].uri).name
    peer = party.peer
    host = call.uri.host if peer is None else peer.host or peer.ip
    phone = ";user=phone" if wishes.flag("outbound_to_user_is_phone") else ""
    address = f"sip:{as_user(number)}@{_bracketed(host)}{phone}"
    received = request.to
    if address != received.address:
        request.set("To", str(NameAddr(received.display, address, received.params)))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _name_agent(request: Request, wishes: Preferences) -> None:
    """Tell the callee what software calls, if it is to know (`ua_header_mode`)."""
    mode = wishes.text("ua_header_mode")
    if mode == "passthrough":
        return
    name = wishes.text("ua_header_replace") if mode == "replace" else None
    if name:
        request.set("User-Agent", name)
    else:
        request.remove("User-Agent")
