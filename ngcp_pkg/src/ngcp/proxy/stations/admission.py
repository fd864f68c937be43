"""From where, and with what phone, a subscriber may register and call."""

import ipaddress
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply

#: Subscriber lock level (platform preference `lock`) that refuses registrations, too.
LOCKED_GLOBALLY: Final = 4


def check_source(call: Call, floor: Floor) -> Outcome | None:
    """Let a subscriber in from the networks of `allowed_ips` and `man_allowed_ips` only, if there are any.

    `allowed_ips_header` names a header that holds the address where a gateway of ours put it.
    """
    source = call.request.get("p-ngcp-src-ip")
    if call.caller.is_inside or (call.caller.is_trusted and source is None):
        return None
    preferences = call.caller.preferences
    networks = preferences.all("allowed_ips") + preferences.all("man_allowed_ips")
    if not networks or call.caller.subscriber is None or preferences.flag("ignore_allowed_ips"):
        return None
    header = preferences.text("allowed_ips_header")
    told = (call.request.get(header) if header else None) or source or ""
    return None if _is_within(told.strip(), networks) else refuse(call, "unauth_caller_ip")


def check_agent(call: Call, floor: Floor) -> Outcome | None:
    """Refuse phones that `ua_filter_list` does not want, and with `ua_reject_missing` nameless ones."""
    if call.caller.subscriber is None or call.caller.is_inside:
        return None
    preferences, agent = call.caller.preferences, call.request.get("user-agent")
    if not agent:
        return Reply(403) if preferences.flag("ua_reject_missing") else None
    patterns = preferences.all("ua_filter_list")
    if not patterns:
        return None
    is_listed = any(fnmatchcase(agent.lower(), pattern.lower()) for pattern in patterns)
    return None if is_listed is preferences.flag("ua_filter_mode") else Reply(403)


def check_global_lock(call: Call, floor: Floor) -> Outcome | None:
    """Refuse the registrations of a subscriber who may do nothing at all."""
    subscriber = call.caller.subscriber
    if call.request.method == "REGISTER" and subscriber and subscriber.lock == LOCKED_GLOBALLY:
        return Reply(403, "Caller locked")
    return None


@lru_cache(4096)
def _is_within(source: str, networks: tuple[str, ...]) -> bool:
    """Tell whether an address is in one of the networks; what is no address or network is nowhere."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    return any(address in network for network in map(_network, networks) if network is not None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
