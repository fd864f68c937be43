"""Session timers as a proxy watches them (RFC 4028 §8): who refreshes no more is gone."""

from typing import Final

from ngcp.sip.syntax import Response

#: Seconds that a late refresh may take: the BYE of who noticed first comes before (§10).
GRACE: Final = 32.0
#: Nobody promised to refresh.
FOREVER: Final = 0.0


def session_expiry(response: Response, now: float) -> float:
    """Return when a session is over, by its 2xx at `now`, unless it is refreshed; `FOREVER` without timer."""
    text = (response.get("Session-Expires") or "").partition(";")[0].strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return FOREVER
    return now + int(text) + GRACE
