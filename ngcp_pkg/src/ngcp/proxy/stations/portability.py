"""Number portability: to whose network the numbers of a call were taken (local number portability, LNP)."""

from dataclasses import replace

from ngcp.provisioning.rewriting import variables
from ngcp.provisioning.runtime import NO_PREFERENCES
from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.portability import rewritten

from .access import LOCKED_PORTED
from .numbers import rules_of


def look_up_ported(call: Call, floor: Floor) -> Outcome | None:
    """Learn whether the callee's number, and for a peer that wants it the caller's, was ported."""
    if not call.platform.carriers or call.is_emergency:
        return None
    caller, directory = call.caller, floor.directory
    if caller.peer is not None and caller.preferences.flag("caller_lnp_lookup"):
        call.caller_ported = directory.ported(call.identity.npn.removeprefix("+"))
        _rewrite_caller(call)
    look_up_callee(call, floor)
    return None


def look_up_callee(call: Call, floor: Floor) -> None:
    """Learn whether the number that is called now was ported.

    That of a subscriber here is asked about only where `lnp_for_local_sub` or its lock level says that it may
    be elsewhere; then it is called there.
    """
    if not call.platform.carriers:
        return
    caller = call.caller
    if caller.peer is None or not caller.preferences.flag("skip_callee_lnp_lookup"):
        number = call.uri.name.removeprefix("+")
        is_local = call.uri.host in call.platform.domains
        if is_local and number.isdigit() and not _is_ours(call, floor):
            call.ported = floor.directory.ported(number)


def _rewrite_caller(call: Call) -> None:
    """Apply the caller's LNP rules to a number that was ported."""
    preferences, platform = call.caller.preferences, call.platform
    carrier = platform.carriers.get(call.caller_ported.carrier) if call.caller_ported else None
    rules = rules_of(platform, preferences, "rewrite_caller_lnp_dpid") if carrier else ()
    if rules:
        look_up = variables(preferences, NO_PREFERENCES)
        npn = rewritten(call.identity.npn, carrier, rules, look_up)
        call.identity = replace(call.identity, npn=npn)


def _is_ours(call: Call, floor: Floor) -> bool:
    """Tell whether a number is to be delivered here without a question."""
    owner = floor.directory.called(call.uri)
    if owner is None or owner.lock == LOCKED_PORTED:
        return False
    return not call.caller.preferences.flag("lnp_for_local_sub")
