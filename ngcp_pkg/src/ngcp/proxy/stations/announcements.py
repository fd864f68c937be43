"""What a caller hears in early media: why a call fails, before it does, and what comes before anybody rings.

The back-to-back user agent says it (`early_announce`, platform.md §1.4), where the sound set, or one above,
has such a sound; else the call goes on, or fails, without a word.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ngcp.provisioning.runtime import NO_PREFERENCES, Preferences, Subscriber
from ngcp.proxy.call import Attempt, Call, Party, Routed
from ngcp.proxy.floor import Floor
from ngcp.sip.core.decision import Reply, Target
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.fields import quote_string
from ngcp.sip.syntax.names import phrase

from .media import at_home, terms

#: Seconds until the element that speaks counts as absent, and that it may take to speak.
PATIENCE: Final = 2.0
LONGEST: Final = 120.0
#: Handles of sounds where they are not called as the refusal is.
HANDLES: Final[Mapping[str, str]] = {
    "block_admin": "block_out",
    "block_callee": "block_in",
    "block_caller": "block_out",
    "block_contract": "block_out",
    "block_override_pin": "block_override_pin_wrong",
}
#: The same by what a callee answered.
FAILURES: Final[Mapping[int, str]] = {
    404: "callee_unknown",
    408: "callee_tmp_unavailable",
    430: "callee_offline",
    480: "callee_tmp_unavailable",
    484: "callee_unknown",
    486: "callee_busy",
    600: "callee_busy",
    604: "callee_unknown",
}
#: How an announcement ends that is none of a failure.
_END: Final = ';fr_code=480;fr_reason="Announced"'
#: What the speaker need not know.
_KEPT_BACK: Final = ("Proxy-Authorization", "Route", "P-Caller-UUID")


def announce(call: Call, reply: Reply, floor: Floor) -> Routed | None:
    """Return the way by which the caller hears of a refusal; None: he is just told."""
    if call.refused is None or call.refused[1] is not reply:
        return None
    kind = call.refused[0]
    return _speak(call, HANDLES.get(kind, kind), reply, floor)


def announce_failure(call: Call, response: Response, floor: Floor) -> Routed | None:
    """Do the same for a callee's failure that the caller wants to hear (`announce_error_codes_list`)."""
    preferences = call.caller.preferences
    if not preferences.flag("announce_error_codes_enable"):
        return None
    if str(response.status) not in preferences.all("announce_error_codes_list"):
        return None
    usual = "peering_unavailable" if response.status >= 500 else "callee_tmp_unavailable"
    handle = FAILURES.get(response.status, usual)
    return _speak(call, handle, Reply(response.status, response.reason), floor)


def prepend(routed: Routed, floor: Floor) -> Routed:
    """Let the caller hear first what whoever forwards the call, or is called, has to say; each once."""
    call = routed.call
    attempt, said = call.attempt, _said(call)
    if attempt is None or said is None or call.request.method != "INVITE":
        return routed
    handle, subscriber = said
    key = f"{handle} {subscriber.uuid}"
    order = _order(call, handle, call.platform.preferences_of(subscriber))
    if order is None or key in call.heard:
        return routed
    call.heard |= {key}
    call.waiting = (attempt, *call.waiting)
    call.attempt = replace(_attempt(call, order + _END, floor), party=attempt.party, is_prelude=True)
    return routed


def end_prelude(call: Call, response: Response, floor: Floor) -> Routed | None:
    """Go on to whom the announcement was before."""
    if call.attempt is None or not call.attempt.is_prelude:
        return None
    following, *others = call.waiting
    assert isinstance(following, Attempt), "a prelude is put before an attempt"
    call.attempt, call.waiting = following, tuple(others)
    return Routed(call)


def _said(call: Call) -> tuple[str, Subscriber] | None:
    """Return which announcement comes before the attempt, and whose it is."""
    if call.diversions:
        forwarder = call.diversions[-1].subscriber
        if call.platform.preferences_of(forwarder).flag("play_announce_before_cf"):
            return "announce_before_cf", forwarder
    callee = call.callee.subscriber
    if callee is not None and call.callee.preferences.flag("play_announce_before_call_setup"):
        return "announce_before_call_setup", callee
    return None


def _speak(call: Call, handle: str, reply: Reply, floor: Floor) -> Routed | None:
    order = _order(call, handle, call.caller.preferences)
    if call.request.method != "INVITE" or order is None:
        return None
    reason = phrase(reply.status) if reply.reason is None else reply.reason
    order += f";fr_code={reply.status};fr_reason={quote_string(reason)}"
    announced = Reply(reply.status, reason, reply.headers)
    call.attempt = replace(_attempt(call, order, floor), announced=announced)
    return Routed(call)


def _order(call: Call, handle: str, preferences: Preferences) -> str | None:
    """Return what is to be said, in the language of the caller; None: there is no such sound."""
    number = preferences.number("sound_set")
    if number is None or handle not in call.platform.announcements.get(number, ()):
        return None
    language = call.caller.preferences.text("language") or "en"
    return f";audio_id={handle};sound_set_id={number};language={language}"


def _attempt(call: Call, order: str, floor: Floor) -> Attempt:
    target = Target(call.request.uri, floor.applications.b2bua, patience=PATIENCE)
    record_route = (floor.dialogs.record_route(call.request),)
    media = terms(call.caller.preferences, NO_PREFERENCES)
    return at_home(Attempt(Party(), _request(call, order), (target,), LONGEST, record_route, media))


def _request(call: Call, order: str) -> Request:
    request = call.request.copy()
    for name in _KEPT_BACK:
        request.remove(name)
    request.append("P-App-Name", "early_announce")
    request.append("P-App-Param", order)
    return request
