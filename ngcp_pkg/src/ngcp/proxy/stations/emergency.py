"""Calls for help: where they ring (emergency mapping), and who may not make them here."""

from typing import Final

from ngcp.proxy.call import Call
from ngcp.proxy.emergency import mapped
from ngcp.proxy.floor import Floor, Outcome
from ngcp.sip.core.decision import Reply

from .numbers import call_number

UNSUPPORTED: Final = Reply(403, "Emergency Calls Unsupported")


def map_emergency(call: Call, floor: Floor) -> Outcome | None:
    """Send an emergency call to the place that the caller's mapping container says."""
    if not call.is_emergency:
        return None
    terms = call.caller.terms
    if terms.flag("reject_emergency"):
        return UNSUPPORTED
    container = terms.number("emergency_mapping_container_id")
    if container is not None:
        call_number(call, mapped(call.uri.name, call.platform.emergency.get(container, {})))
    return None
