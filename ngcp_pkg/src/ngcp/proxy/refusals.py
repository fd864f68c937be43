"""In which words a call is refused: the platform's, or those that a peer wants to hear.

Preferences `<kind>_code` and `<kind>_reason` of a calling peer (group SIP Response Codes) replace them.
"""

from collections.abc import Mapping
from typing import Final

from ngcp.sip.core.decision import Reply

from .call import Call

#: Status and reason by kind, as the preferences name the kinds.
REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "block_admin": (403, "Blocked by Admin"),
    "block_callee": (403, "Blocked by Callee"),
    "block_caller": (403, "Blocked by Caller"),
    "block_contract": (403, "Blocked by Contract"),
    "block_in": (403, "Blocked by Callee"),
    "block_ncos": (403, "Blocked by NCOS level"),
    "block_out": (403, "Blocked by Caller"),
    "block_override_pin": (403, "Wrong override PIN"),
    "callee_busy": (486, "Busy"),
    "callee_offline": (480, "Offline"),
    "callee_tmp_unavailable": (480, "Temporarily Unavailable"),
    "callee_unknown": (404, "Not Found"),
    "cf_loop": (480, "Unable to resolve destination"),
    "locked_in": (403, "Callee locked"),
    "locked_out": (403, "Caller locked"),
    "max_calls_in": (486, "Busy"),
    "max_calls_out": (403, "Maximum parallel calls exceeded"),
    "max_calls_peer": (503, "PSTN Termination Currently Unavailable"),
    "no_credit": (402, "Insufficient Credit"),
    "peering_unavailable": (503, "PSTN Termination Currently Unavailable"),
    "relaying_denied": (403, "Relaying denied"),
    "invalid_speeddial": (484, "Speed-Dial slot empty"),
    "reject_vsc": (403, "Forbidden"),
    "unauth_caller_ip": (403, "Unauthorized IP detected"),
}


def refuse(call: Call, kind: str) -> Reply:
    """Return the answer that refuses `call`, and note in it why; `kind` is one of `REFUSALS`."""
    status, reason = REFUSALS[kind]
    if call.caller.peer is not None:
        code = call.caller.preferences.number(f"{kind}_code")
        status = code if code is not None and 300 <= code <= 699 else status
        reason = call.caller.preferences.text(f"{kind}_reason") or reason
    reply = Reply(status, reason)
    call.refused = kind, reply
    return reply
