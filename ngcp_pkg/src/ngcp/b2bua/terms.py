"""What the proxy wants for a call with two legs."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ngcp.sip.core.challenge import Secret
from ngcp.sip.dialog.session_timer import Policy
from ngcp.voice.parameters import LONGEST, flag, one, read, seconds, session_timer

from .profile import REFER

_REFER: Final = {choice: choice for choice in REFER}


@dataclass(frozen=True, slots=True)
class Terms:
    """The parameters of a call with two legs."""

    calltimer: float = LONGEST
    """Seconds after which an answered call is ended."""
    near_timer: Policy | None = None
    """Session timer of the caller's leg (`aleg_sst_*`)."""
    far_timer: Policy | None = None
    """Session timer of the callee's leg (`sst_*`)."""
    hides_prack: bool = False
    """Whether the callee is not asked for reliable provisional answers (`disable_prack_method`)."""
    secret: Secret | None = None
    """Who we are to a callee that wants to know (`peer_auth_*`)."""
    refer: str = ""
    """What becomes of a REFER (`refer`); empty: as the profile says."""
    hides_caller: bool = False
    """Whether the callee does not learn who calls (`hide_caller`)."""

    @property
    def has_timers(self) -> bool:
        """Whether session timers end at us; where they do not, both sides agree on theirs through us."""
        return self.near_timer is not None or self.far_timer is not None


@lru_cache(1024)
def terms_of(text: str) -> Terms:
    """Read the value of P-App-Param, or raise `InvalidHeader`; parameters of others are left alone."""
    given = read(text)
    user = given.get("peer_auth_user")
    return Terms(
        calltimer=seconds(given, "calltimer", LONGEST),
        near_timer=session_timer(given, "aleg_"),
        far_timer=session_timer(given, ""),
        hides_prack=flag(given, "disable_prack_method"),
        secret=Secret(user, given.get("peer_auth_pass", ""), given.get("peer_auth_realm", ""))
        if user
        else None,
        refer=one(given, "refer", "", _REFER.__getitem__),
        hides_caller=flag(given, "hide_caller"),
    )
