"""Numbers that must not be called, or must not call: classes of service (NCOS) and block lists.

The operator's rules (`adm_…`) come before the subscriber's, and the subscriber's before the customer's.
"""

from typing import Final, NamedTuple

from ngcp.provisioning.runtime import NcosLevel, Preferences
from ngcp.proxy.call import Call, Party
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.proxy.restriction import Dialled, permits
from ngcp.sip.core.decision import Reply

from .screening import ANONYMOUS, matches_any


class BlockList(NamedTuple):
    """A list in both its forms, by the names of its preferences."""

    patterns: str
    is_whitelist: str
    stops_anonymous: str | None
    pins: tuple[str, ...]
    """Any of these values opens it."""
    refusal: str


_ADM_PIN: Final = "adm_block_out_override_pin"
_OUT: Final = (
    BlockList("adm_block_out_list", "adm_block_out_mode", None, (_ADM_PIN,), "block_admin"),
    BlockList("block_out_list", "block_out_mode", None, (_ADM_PIN, "block_out_override_pin"), "block_caller"),
)
_IN: Final = (
    BlockList("adm_block_in_list", "adm_block_in_mode", "adm_block_in_clir", (), "block_admin"),
    BlockList("block_in_list", "block_in_mode", "block_in_clir", (), "block_callee"),
)
#: Classes of service: preference of a level, and of a set of them.
_NCOS: Final = (("adm_ncos_id", "adm_ncos_set_id"), ("ncos_id", "ncos_set_id"))
_NCOS_OF_FORWARDS: Final = (("adm_cf_ncos_id", "adm_cf_ncos_set_id"), *_NCOS)


def check_blocks(call: Call, floor: Floor) -> Outcome | None:
    """Refuse what the caller's class of service or block lists forbid; emergency calls are never."""
    caller = call.caller
    if caller.subscriber is None or caller.is_inside or call.is_emergency:
        return None
    return barred_out(call, floor, Party(caller.preferences, caller.subscriber))


def barred_out(call: Call, floor: Floor, party: Party) -> Reply | None:
    """Return the refusal if `party`, the caller or who forwards, may not call `call.uri`."""
    if _is_beyond_class(call, floor, party):
        return refuse(call, "block_ncos")
    number = _number(call)
    for each in _OUT:
        if _stops(each, party, number) and not _is_opened(each, party, call.override_pin):
            return refuse(call, each.refusal if call.override_pin is None else "block_override_pin")
    return None


def barred_in(call: Call, party: Party) -> Reply | None:
    """Return the refusal if `party`, who is called or forwards, does not take calls of this caller."""
    if call.is_emergency:
        return None
    identity = call.identity
    number = ANONYMOUS if identity.is_anonymous else (identity.upn or identity.npn).removeprefix("+")
    for each in _IN:
        if _stops(each, party, number):
            return refuse(call, each.refusal)
    return None


def _layers(party: Party) -> tuple[Preferences, ...]:
    """Return the subscriber's preferences, and the customer's where there are any."""
    layer = party.subscriber.contract_preferences if party.subscriber else None
    return (party.preferences, Preferences((layer,))) if layer else (party.preferences,)


def _number(call: Call) -> str:
    return call.uri.name.removeprefix("+")


def _is_opened(block_list: BlockList, party: Party, pin: str | None) -> bool:
    """Whether the PIN was dialled that opens a list; the operator's opens the subscriber's, too."""
    if pin is None:
        return False
    return any(layer.text(name) == pin for layer in _layers(party) for name in block_list.pins)


def _stops(block_list: BlockList, party: Party, number: str) -> bool:
    """Whether a list stops a number: a blacklist one that it has, a whitelist all others."""
    for layer in _layers(party):
        if number == ANONYMOUS and block_list.stops_anonymous and layer.flag(block_list.stops_anonymous):
            return True
        patterns, is_whitelist = layer.all(block_list.patterns), layer.flag(block_list.is_whitelist)
        if (patterns or is_whitelist) and matches_any(number, patterns) is not is_whitelist:
            return True
    return False


def _is_beyond_class(call: Call, floor: Floor, party: Party) -> bool:
    """Whether a class of service of his does not let the number through."""
    for layer in _layers(party):
        for attribute, group in _NCOS_OF_FORWARDS if call.diversions else _NCOS:
            levels = _levels(call, layer.number(attribute), layer.number(group))
            if not levels or (attribute == "adm_ncos_id" and _is_excepted(call, layer)):
                continue
            if not all(permits(level, _dialled(call, floor, party, level)) for level in levels):
                return True
    return False


def _levels(call: Call, level: int | None, group: int | None) -> list[NcosLevel]:
    """Return a level and those of a set, as far as there are any."""
    if level is None and group is None:
        return []
    platform = call.platform
    numbers = (level or 0, *platform.ncos_sets.get(group or 0, ()))
    return [platform.ncos_levels[number] for number in numbers if number in platform.ncos_levels]


def _is_excepted(call: Call, preferences: Preferences) -> bool:
    return _number(call) in preferences.all("adm_ncos_exceptions")


def _dialled(call: Call, floor: Floor, party: Party, level: NcosLevel) -> Dialled:
    preferences, uri = party.preferences, call.uri
    cc, ac = preferences.text("cc") or "", preferences.text("ac") or ""
    is_own = False
    if level.matches_pbx and uri.host in call.platform.domains:
        callee = floor.directory.called(uri)
        account = party.subscriber.account_id if party.subscriber else None
        is_own = callee is not None and account is not None and callee.account_id == account
    carrier = None if call.ported is None else call.ported.carrier
    return Dialled(_number(call), cc + ac if ac else "", carrier, is_own)
