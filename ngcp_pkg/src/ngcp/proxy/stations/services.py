"""What can be dialled beside numbers: service codes (VSC), speed dial, a PIN that opens block lists."""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from ngcp.provisioning.runtime import Subscriber
from ngcp.proxy.call import Call, Party, Routed
from ngcp.proxy.codes import Dialled
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Target
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Response, Uri

from .media import at_home
from .numbers import as_user, call_number, rewrite_dialled
from .outbound import leave

#: Whose the calls are that set a service.
SERVICES: Final = Party()
#: Seconds until the element that serves codes counts as absent.
PATIENCE: Final = 2.0

#: A slot of the platform's usual ones; operators may configure others.
_SLOT: Final = re.compile(r"\*[0-9]")


def read_override(call: Call, floor: Floor) -> Outcome | None:
    """Take `*80*PIN*NUMBER` apart: the PIN opens the caller's block lists for this call."""
    user = call.uri.user or ""
    if not user.startswith("*") or not _may_use(call):
        return None
    found = floor.codes.override.fullmatch(call.uri.name)
    if found is not None:
        call.override_pin = found["pin"]
        call_number(call, found["number"])
    return None


def serve_code(call: Call, floor: Floor) -> Outcome | None:
    """Bring a service code to the element that serves it, and put a speed-dial slot's number in its place."""
    user = call.uri.user or ""
    if not user.startswith(("*", "#", "%23")) or not _may_use(call):
        return None
    code = call.uri.name
    subscriber = call.caller.subscriber
    if subscriber is not None and (code in subscriber.speed_dials or _SLOT.fullmatch(code)):
        return _dial_slot(call, subscriber, code)
    dialled = floor.codes.read(code)
    if dialled is None:
        return None
    if call.caller.preferences.flag("reject_vsc"):
        return refuse(call, "reject_vsc")
    call.callee = SERVICES
    flow = floor.applications.b2bua
    uri = replace(call.uri, user=as_user(code))
    targets = (Target(str(uri), flow, patience=PATIENCE),)
    attempt = at_home(leave(call, floor, targets, floor.ring_timeout))
    if subscriber is not None:
        attempt.request.append("P-Caller-UUID", subscriber.uuid)
    attempt.request.append("P-Language", call.caller.preferences.text("language") or "en")
    attempt.request.append("P-App-Name", "vsc")
    attempt.request.append("P-App-Param", _order(call, dialled))
    call.attempt = attempt
    return Routed(call)


def excuse_services(call: Call, response: Response, floor: Floor) -> Outcome | None:
    """Say in the platform's words that nobody serves codes now."""
    is_served = call.attempt is None or call.attempt.party is not SERVICES
    return None if is_served or response.status not in (408, 503) else refuse(call, "callee_tmp_unavailable")


def _may_use(call: Call) -> bool:
    """Whether the caller is a subscriber in his own domain."""
    caller = call.caller
    return (
        caller.subscriber is not None and not caller.is_inside and call.uri.host == caller.subscriber.domain
    )


def _order(call: Call, dialled: Dialled) -> str:
    """Say what the code asks for; its number is what a call to it would be for."""
    if not dialled.is_complete:
        return f";service={dialled.service};state=error"
    order = f";service={dialled.service};state={'on' if dialled.is_on else 'off'}"
    if dialled.number:
        number = rewrite_dialled(call, dialled.number)
        order += f";number={quote(number, safe='+')};domain={call.uri.host}"
    for name in ("slot", "seconds", "time"):
        value = getattr(dialled, name)
        order += f";{name}={value}" if value else ""
    return order


def _dial_slot(call: Call, subscriber: Subscriber, slot: str) -> Outcome | None:
    destination = subscriber.speed_dials.get(slot)
    if destination is None:
        return refuse(call, "invalid_speeddial")
    try:
        call.uri = Uri.parse(destination)
    except SipError:
        return refuse(call, "invalid_speeddial")
    return None
