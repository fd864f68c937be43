"""What the back-to-back user agent is told of one call, by preferences (P-App-Param; platform.md §0).

`;name=value` each, or `;name="value"`; those of the caller's leg have the prefix `aleg_`.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ngcp.provisioning.runtime import Excerpts, Preferences, Setting
from ngcp.sip.syntax.fields import quote_string

from .call import Call
from .stations.naming import is_hidden

#: Session timers (RFC 4028) by preference, and what holds where none is set.
_TIMERS: Final = {
    "sst_expires": "300",
    "sst_min_timer": "90",
    "sst_max_timer": "7200",
    "sst_refresh_method": "UPDATE_FALLBACK_INVITE",
}
_SETTINGS: Final = Excerpts(["sst_enable", *_TIMERS, "disable_prack_method"])
#: What answers a peer's challenge (RFC 3261 §22).
_CREDENTIALS: Final = ("peer_auth_user", "peer_auth_pass", "peer_auth_realm")


def parameters(call: Call, longest: float) -> str:
    """Return what concerns the call's attempt; `longest` is the seconds that it may last once answered."""
    assert call.attempt is not None, "only an attempt is carried out"
    near, far = call.caller.preferences, call.attempt.party.preferences
    legs, hides = _legs(_SETTINGS.of(near), _SETTINGS.of(far)), ";hide_caller=yes" if _hides(call) else ""
    return f";calltimer={longest:.0f}{legs}{hides}{_credentials(call)}"


@lru_cache(4096)
def _legs(near_settings: tuple[Setting, ...], far_settings: tuple[Setting, ...]) -> str:
    near, far = _SETTINGS.preferences(near_settings), _SETTINGS.preferences(far_settings)
    told = "".join([*_timers("aleg_sst", near), *_timers("sst", far)])
    is_disabled = near.flag("disable_prack_method") or far.flag("disable_prack_method")
    return f"{told};disable_prack_method=yes" if is_disabled else told


def _timers(prefix: str, preferences: Preferences) -> Iterator[str]:
    is_on = preferences.text("sst_enable") == "yes"
    yield f";{prefix}_enable={'yes' if is_on else 'no'}"
    if is_on:
        for name, usual in _TIMERS.items():
            wanted = preferences.text(name)
            yield f";{name.replace('sst', prefix, 1)}={usual if wanted in (None, '', 'NULL') else wanted}"


def _hides(call: Call) -> bool:
    """Whether the callee must not find out by other headers who calls; peers are trusted (RFC 3325)."""
    return call.callee.peer is None and is_hidden(call)


def _credentials(call: Call) -> str:
    """Return by which name and password a peer knows who pays for the call: an account there, or ours."""
    assert call.attempt is not None, "only an attempt is carried out"
    if call.attempt.party.peer is None:
        return ""
    for preferences in (call.payer.preferences, call.attempt.party.preferences):
        if preferences.text("peer_auth_user") and preferences.text("peer_auth_pass"):
            told = [(name, preferences.text(name)) for name in _CREDENTIALS]
            return "".join([f";{name}={quote_string(value)}" for name, value in told if value])
    return ""
