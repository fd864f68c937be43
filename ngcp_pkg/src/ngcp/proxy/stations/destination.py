"""Where a call goes (RFC 3261 §16.5): to an application, a subscriber, a peer or a foreign domain."""

from typing import Final

from ngcp.proxy.applications import ACCESS, REMINDER, VOICEBOX, is_application
from ngcp.proxy.call import NOBODY, Attempt, Call, Onward, Party, Routed
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.bindings import AddressOfRecord
from ngcp.sip.core.decision import Reply, Target
from ngcp.sip.syntax import Response, Uri

from .access import is_confined
from .announcements import prepend
from .blocks import barred_out
from .forwards import forward, kinds_of
from .local import ring
from .media import at_home, with_media
from .orders import orders
from .outbound import leave
from .peering import leave_by_peers, try_next_peer
from .portability import look_up_callee
from .redirection import follow_redirection

#: Places that one event of a call may lead to, forwards and their destinations together.
MOST_PLACES: Final = 30
#: Forwards that a call may take altogether.
MOST_DIVERSIONS: Final = 10


def find_callee(call: Call, floor: Floor) -> Outcome:
    """Go to whoever the URI names, or to whom he forwards."""
    return _settle(call, floor, _place(call, floor))


def try_next(call: Call, response: Response, floor: Floor) -> Outcome | None:
    """Find out what a failure leads to: a redirection, another peer, a forward, or what else waits."""
    assert call.attempt is not None, "only an attempt fails"
    call.callee = call.attempt.party
    is_answered = follow_redirection(call, response)
    if 300 <= response.status < 400 and not is_answered:
        return None
    outcome: Outcome | None = try_next_peer(call, response)
    if outcome is None and not is_answered and call.request.method == "INVITE":
        outcome = _forward_failed(call, response)
    if outcome is None and not call.waiting:
        return None
    return _settle(call, floor, outcome)


def _forward_failed(call: Call, response: Response) -> Reply | None:
    for kind in kinds_of(call, response):
        taken = forward(call, kind)
        if taken:
            return taken if isinstance(taken, Reply) else None
    if response.status >= 600:  # he wants to be found nowhere (§21.6)
        call.waiting = ()
    return None


def _settle(call: Call, floor: Floor, outcome: Outcome | None) -> Outcome:
    """Go from place to place until one can be asked; what the last one was refused with is the answer."""
    for _ in range(MOST_PLACES):
        if isinstance(outcome, Routed):
            return prepend(outcome, floor)
        if outcome is not None and not (isinstance(outcome, Reply) and outcome.status >= 400):
            return outcome
        if not call.waiting:
            break
        first, *others = call.waiting
        call.waiting, call.is_full = tuple(others), False
        if isinstance(first, Attempt):
            call.attempt, call.callee = first, first.party
            return prepend(Routed(call), floor)
        outcome = _go_on(call, floor, first)
    return outcome or refuse(call, "cf_loop")


def _go_on(call: Call, floor: Floor, onward: Onward) -> Outcome | None:
    call.uri, call.diversions, call.timeout = onward.uri, onward.diversions, onward.timeout
    call.callee, call.ported, call.is_emergency, call.override_pin = NOBODY, None, False, None
    look_up_callee(call, floor)
    return _place(call, floor)


def _place(call: Call, floor: Floor) -> Outcome | None:
    """Find out what the call's URI leads to; None: to what waits."""
    uri = call.uri
    if len(call.diversions) > MOST_DIVERSIONS:
        return refuse(call, "cf_loop")
    if uri.scheme == "tel":
        uri = call.uri = Uri("sip", uri.user, call.caller.realm)
    if call.diversions:
        if is_application(uri.host):
            return refuse(call, "callee_tmp_unavailable") if _is_reminder(call) else _serve(call, floor)
        barred = barred_out(call, floor, call.payer)
        if barred is not None:
            return barred
    if uri.host not in call.platform.domains:
        return _leave_home(call, floor)
    applications = floor.applications
    if _wants_messages(call, applications.voicemail_number):
        call.uri = Uri("sip", applications.voicemail_number, VOICEBOX)
        return _serve(call, floor)
    if applications.access_number and call.uri.name.removeprefix("+") == applications.access_number:
        call.uri = Uri.parse(ACCESS)
        return _serve(call, floor)
    return _find(call, floor)


def _is_reminder(call: Call) -> bool:
    """Whether it is a wake-up call: it is for somebody who hears it."""
    return call.caller.is_inside and call.request.get("p-app-name") == REMINDER


def _wants_messages(call: Call, number: str) -> bool:
    """Whether a subscriber dialled the number of the voicebox, whatever his rewrite rules made of it."""
    if call.caller.subscriber is None or call.diversions or number not in call.request.uri:
        return False
    return number in (call.uri.name, Uri.parse(call.request.uri).name)


def _find(call: Call, floor: Floor) -> Outcome | None:
    """Go to the subscriber of that name or number, or to another network if there is none."""
    subscriber = floor.directory.called(call.uri)
    if subscriber is None:
        return _leave_for_a_peer(call, floor)
    party = Party(call.platform.preferences_of(subscriber), subscriber)
    if call.ported is not None or _is_for_a_peer(call, party, floor):
        return leave_by_peers(call, floor)
    if any(diversion.subscriber.uuid == subscriber.uuid for diversion in call.diversions):
        return refuse(call, "cf_loop")
    call.callee = party
    return ring(call, floor)


def _leave_for_a_peer(call: Call, floor: Floor) -> Outcome | None:
    """Send a number that is nobody's here to another network, if whoever pays may call there."""
    payer = call.payer
    stays = payer.preferences.flag("no_404_fallback") and not call.is_emergency
    if payer.subscriber is None or stays:
        return refuse(call, "callee_unknown")
    if is_confined(call) and not call.diversions:
        return refuse(call, "locked_out")
    return leave_by_peers(call, floor)


def _is_for_a_peer(call: Call, party: Party, floor: Floor) -> bool:
    """Whether `force_…_calls_to_peer` sends to a peer what could be for one of ours."""
    payer, subscriber = call.payer, party.subscriber
    if payer.subscriber is None or subscriber is None:
        return False
    wanted = payer.preferences.text("force_outbound_calls_to_peer")
    if wanted == "force_interpbx":
        return subscriber.account_id != payer.subscriber.account_id
    if wanted == "force_interdomain":
        return subscriber.domain != payer.subscriber.domain
    if wanted == "force_nonlocal_lnp" and call.ported is not None:
        return True
    asked = party.preferences.text("force_inbound_calls_to_peer")
    return any(_is_forced(call, each, party, floor) for each in (wanted, asked) if each)


def _is_forced(call: Call, wish: str, party: Party, floor: Floor) -> bool:
    subscriber = party.subscriber
    if wish == "force":
        return True
    if wish not in ("force_offline", "force_offline_primary", "force_offline_alias") or subscriber is None:
        return False
    if floor.registrar.bindings(AddressOfRecord(subscriber.username, subscriber.domain), call.now):
        return False
    number = call.uri.name.removeprefix("+")
    is_primary = number in (subscriber.username, party.preferences.text("cli"))
    return wish == "force_offline" or is_primary == (wish == "force_offline_primary")


def _leave_home(call: Call, floor: Floor) -> Outcome | None:
    """Go to a domain that is not ours, if whoever pays may."""
    payer = call.payer
    if payer.subscriber is None or not payer.preferences.flag("allow_out_foreign_domain"):
        return refuse(call, "relaying_denied")
    if is_confined(call):
        return refuse(call, "locked_out")
    call.callee = Party()
    return _ask(call, floor, Target(str(call.uri), floor.edge.main))


def _serve(call: Call, floor: Floor) -> Outcome:
    """Go to an application; what it must know, it is told in headers of ours."""
    flow = floor.applications.serving(call.uri.host)
    if flow is None:
        return refuse(call, "callee_unknown")
    call.callee = Party()
    outcome = _ask(call, floor, Target(str(call.uri), flow))
    assert call.attempt is not None, "it was just planned"
    call.attempt = at_home(call.attempt)
    for name, value in orders(call, floor):
        call.attempt.request.set(name, value)
    return outcome


def _ask(call: Call, floor: Floor, target: Target) -> Routed:
    timeout = min(floor.ring_timeout, call.timeout)
    call.attempt = with_media(leave(call, floor, (target,), timeout), call)
    return Routed(call)
