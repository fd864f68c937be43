"""Who wants to be told of messages that wait (RFC 3842): the app server tells, the proxy knows who asks."""

from typing import Final

from ngcp.proxy.call import Call, Party, Routed
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply, Target

from .media import at_home
from .outbound import leave

#: The one event package (RFC 6665 §7.2) that there is.
EVENT: Final = "message-summary"
BAD_EVENT: Final = Reply(489, "Bad Event", headers=(("Allow-Events", EVENT),))
#: What the app server is asked for.
APPLICATION: Final = "mwi"


def subscribe(call: Call, floor: Floor) -> Outcome | None:
    """Bring a subscription to the app server; whatever it names, it is for the messages of who asks."""
    request, subscriber = call.request, call.caller.subscriber
    if request.method != "SUBSCRIBE":
        return None
    if (request.get("event") or "").partition(";")[0].strip().lower() != EVENT:
        return BAD_EVENT
    if subscriber is None:
        return refuse(call, "relaying_denied")
    call.callee = Party()
    target = Target(str(call.uri), floor.applications.app_server)
    attempt = at_home(leave(call, floor, (target,), floor.ring_timeout))
    attempt.request.set("P-App-Name", APPLICATION)
    attempt.request.set("P-Caller-UUID", subscriber.uuid)
    call.attempt = attempt
    return Routed(call)
