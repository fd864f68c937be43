"""By which names a callee is told of the caller: From, P-Asserted-Identity, P-Preferred-Identity, Privacy.

Whoever hides (CLIR) is `anonymous@anonymous.invalid` to subscribers (RFC 3323); peers are trusted with the
number (RFC 3325), and asked to keep it to themselves.
"""

from typing import Final

from ngcp.provisioning.runtime import Preferences
from ngcp.proxy.call import Call
from ngcp.sip.syntax import NameAddr, Request

from .diversions import forwarder_of
from .numbers import as_user, outwards

ANONYMOUS: Final = NameAddr("Anonymous", "sip:anonymous@anonymous.invalid")


def name_caller(call: Call, request: Request) -> None:
    """Write who calls into a request that leaves for `call.callee`."""
    hides, wishes = is_hidden(call), call.callee.preferences
    is_peer = call.callee.peer is not None
    if hides and not (is_peer and wishes.text("anonymize_from_user") in ("0", "false", "no")):
        _write_from(request, ANONYMOUS.display, ANONYMOUS.address)
    elif call.identity.npn:
        user = _chosen(call, wishes.text("outbound_from_user") or "npn") or call.identity.npn
        display = _chosen(call, wishes.text("outbound_from_display") or "rcv_display") or ""
        _write_from(request, display, _address(call, user, wishes))
    if hides:
        request.append("Privacy", "id")
    if is_peer or not hides:
        _assert_identity(call, request, wishes)


def is_hidden(call: Call) -> bool:
    """Tell whether the callee must not learn who calls."""
    caller, callee = call.caller, call.callee
    if callee.subscriber is not None and _is_own_pbx(call):
        hides = caller.preferences.flag("clir_intrapbx")
    else:
        hides = call.identity.is_anonymous
    return hides and not callee.preferences.flag("clir_override")


def _is_own_pbx(call: Call) -> bool:
    """Whether caller and callee are extensions of one customer's PBX."""
    caller, callee = call.caller.subscriber, call.callee.subscriber
    if (
        caller is None
        or callee is None
        or caller.account_id is None
        or caller.account_id != callee.account_id
    ):
        return False
    return call.caller.preferences.flag("cloud_pbx") and call.callee.preferences.flag("cloud_pbx")


def _assert_identity(call: Call, request: Request, wishes: Preferences) -> None:
    """Vouch for the number (RFC 3325 §9.1); strangers have none that we could vouch for."""
    if not call.identity.npn:
        return
    user = _chosen(call, wishes.text("outbound_pai_user") or "npn")
    if user:
        shown = wishes.text("outbound_pai_display")
        display = _chosen(call, shown) or "" if shown else ""
        request.append("P-Asserted-Identity", str(NameAddr(display, _address(call, user, wishes))))
    wanted = wishes.text("outbound_ppi_user")
    user = _chosen(call, wanted) if wanted else None
    if user:
        request.append("P-Preferred-Identity", f"<{_address(call, user, wishes)}>")


def _chosen(call: Call, wanted: str) -> str | None:
    """Return what a preference names, the first that there is of several; None for `none`."""
    identity = call.identity
    if wanted == "npn":
        return outwards(call, identity.npn)
    if wanted == "rcv_display":
        return identity.display
    for each in wanted.split("/"):
        found = _named(call, each)
        if found:
            return found
    return None


def _named(call: Call, source: str) -> str | None:
    identity, subscriber = call.identity, call.caller.subscriber
    if source == "npn":
        return outwards(call, identity.npn)
    if source == "upn":
        return outwards(call, identity.upn)
    if source == "uprn":
        number = forwarder_of(call)
        return outwards(call, number) if number else None
    if source == "auth_user":
        return None if subscriber is None else subscriber.username
    if source == "rcv_display":
        return identity.display
    if source == "np_display":
        return call.caller.preferences.text("display_name")
    if source == "peer_auth_user":
        return call.callee.preferences.text("peer_auth_user")
    return None


def _address(call: Call, user: str, wishes: Preferences) -> str:
    phone = ";user=phone" if wishes.flag("outbound_from_user_is_phone") else ""
    return f"sip:{as_user(user)}@{_host(call)}{phone}"


def _host(call: Call) -> str:
    """Return the domain in which the callee can call the caller back."""
    if call.caller.peer is not None and call.callee.subscriber is not None:
        return call.callee.subscriber.domain
    return call.caller.realm


def _write_from(request: Request, display: str, address: str) -> None:
    received = request.from_
    if (display, address) != (received.display, received.address):
        request.set("From", str(NameAddr(display, address, received.params)))
