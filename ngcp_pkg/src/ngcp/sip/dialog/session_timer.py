"""Session timers (RFC 4028): what a request asks for, what a 2xx agrees on, which side refreshes."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..errors import InvalidHeader, SipError
from ..syntax.message import Message, Request, Response
from ..syntax.uri import parse_params
from .reliability import options_of

OPTION: Final = "timer"
#: Seconds below which nobody may go (§4).
FLOOR: Final = 90
#: How sessions are refreshed: by UPDATE, by INVITE where the peer knows no UPDATE, by INVITE.
METHODS: Final = ("UPDATE_FALLBACK_INVITE", "UPDATE", "INVITE")


class IntervalTooSmall(SipError):
    """A session shall be refreshed more often than we want (§6)."""

    status = 422
    reason = "Session Interval Too Small"

    def __init__(self, least: int) -> None:
        super().__init__(f"a session is refreshed every {least} s at most")
        self.headers = (("Min-SE", str(least)),)


@dataclass(frozen=True, slots=True)
class Policy:
    """What we want of a leg."""

    expires: int = 300
    """Seconds of an interval."""
    least: int = FLOOR
    """The shortest that is accepted."""
    most: int = 7200
    """The longest that is agreed on."""
    method: str = METHODS[0]
    """How we refresh."""


class Agreement(NamedTuple):
    """How a session is kept alive."""

    interval: int
    """Seconds after a refresh in which the next one must come."""
    is_ours: bool
    """Whether we refresh."""


def asked(message: Message) -> tuple[int, str] | None:
    """Return seconds and refresher (empty: none named) of Session-Expires; None without that header (§4)."""
    text = message.get("session-expires")
    if text is None:
        return None
    number, _, params = text.partition(";")
    return _seconds("Session-Expires", number), (parse_params(params).get("refresher") or "").lower()


def least_of(message: Message) -> int:
    """Return what Min-SE says (§5)."""
    text = message.get("min-se")
    return FLOOR if text is None else max(FLOOR, _seconds("Min-SE", text.partition(";")[0]))


def ask(policy: Policy, current: int = 0) -> list[str]:
    """Return the lines of a request of ours that asks for a timer (§7.1); `current` is what was agreed on."""
    interval = max(current or policy.expires, policy.least)
    return [f"Session-Expires: {interval}", f"Min-SE: {policy.least}"]


def answer(request: Request, policy: Policy) -> tuple[Agreement, list[str]]:
    """Return what a 2xx of ours agrees on, and its lines (§9); raises `IntervalTooSmall`."""
    supports = OPTION in options_of(request, "supported")
    wish = asked(request)
    if wish is None:
        if not supports:
            return Agreement(policy.expires, True), []
        wish = policy.expires, ""
    interval, refresher = wish
    if interval < policy.least and supports:
        raise IntervalTooSmall(policy.least)
    interval = max(min(interval, policy.most), least_of(request), policy.least)
    by_peer = supports and refresher != "uas"
    lines = [f"Session-Expires: {interval};refresher={'uac' if by_peer else 'uas'}"]
    if by_peer:
        lines.append(f"Require: {OPTION}")
    return Agreement(interval, not by_peer), lines


def agreed(response: Response, policy: Policy) -> Agreement:
    """Return what a 2xx to our request means (§7.2); a peer without readable timers is refreshed by us."""
    found = None
    with suppress(InvalidHeader):
        found = asked(response)
    if found is None:
        return Agreement(policy.expires, True)
    interval, refresher = found
    return Agreement(max(interval, FLOOR), refresher != "uas")


def _seconds(header: str, text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise InvalidHeader(header, text)
    return int(digits)
