"""What a caller may not do, wherever the call goes."""

from typing import Final

from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply

#: Lock levels (platform preference `lock`): no calls out of the own domain, none out, none at all.
LOCKED_FOREIGN: Final = 1
LOCKED_OUTGOING: Final = 2
LOCKED_ALL: Final = 3
#: The number was ported away.
LOCKED_PORTED: Final = 5

PORTED: Final = Reply(403, "Unauthorized, lock level ported")


def check_locks(call: Call, floor: Floor) -> Outcome | None:
    """Refuse calls from a subscriber whom the operator locked; an emergency call is let through."""
    caller = call.caller
    if caller.subscriber is None or caller.is_inside or call.is_emergency:
        return None
    lock = caller.subscriber.lock
    if lock == LOCKED_PORTED:
        return PORTED
    if lock >= LOCKED_OUTGOING or (lock == LOCKED_FOREIGN and call.uri.host != caller.subscriber.domain):
        return refuse(call, "locked_out")
    return None


def is_confined(call: Call) -> bool:
    """Tell whether who pays for the call may reach nobody but subscribers of the own domain."""
    subscriber = call.payer.subscriber
    return subscriber is not None and subscriber.lock == LOCKED_FOREIGN and not call.is_emergency
