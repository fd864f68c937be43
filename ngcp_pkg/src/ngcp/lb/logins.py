"""Who fails to log in: attempts are counted by user, and a user who used them up is answered by us.

The proxy judges passwords. It tells us in its answer whose was wrong, by headers that no phone can send:
P-NGCP-Authorization (the user) and P-NGCP-Authorized (0).
"""

import logging
from collections.abc import Callable
from typing import Final

from ngcp.lb.expiring import ExpiringTable
from ngcp.lb.security import Security
from ngcp.sip.errors import InvalidHeader, SipError
from ngcp.sip.syntax.fields import parse_auth, parse_username, user_in
from ngcp.sip.syntax.message import Request, Response

#: Characters of the longest `user@domain` that is counted; no subscriber has a longer one.
LONGEST: Final = 320
COUNT: Final = "auth_count"
LAST: Final = "last_auth"

_log = logging.getLogger(__name__)


class TryAgainLater(SipError):
    """The user has failed to log in too often."""

    status = 403
    reason = "Try again later"


class Logins:
    """Failed attempts of each user: two entries, `USER::auth_count` and `USER::last_auth`."""

    def __init__(self, security: Security, today: Callable[[], float]) -> None:
        """`today` returns Unix time, which operators read."""
        self.failures = ExpiringTable("auth", security.failed_auth_ban_time)
        self._attempts = security.failed_auth_attempts if security.failed_auth_ban_enable else 0
        self._today = today

    def check(self, request: Request, now: float) -> None:
        """Refuse credentials of a banned user, right or wrong."""
        if not self.failures or not self._attempts:
            return
        user = user_of(request)
        if user is not None and self._count(user, now) >= self._attempts:
            raise TryAgainLater(f"{user} failed to log in {self._attempts} times")

    def note_answer(self, request: Request, response: Response, now: float) -> None:
        """Learn from the proxy's answer to a request of a phone."""
        if response.status in (401, 407):
            if response.get("p-ngcp-authorized") == "0":
                self._note_failure(response.get("p-ngcp-authorization") or "", now)
        elif self.failures and (user := user_of(request)) is not None:
            self.failures.delete(f"{user}::{COUNT}")
            self.failures.delete(f"{user}::{LAST}")

    def _note_failure(self, user: str, now: float) -> None:
        if not self._attempts or not 0 < len(user) <= LONGEST or not user.isprintable():
            return
        count = self._count(user, now) + 1
        self.failures.set(f"{user}::{COUNT}", count, now)
        self.failures.set(f"{user}::{LAST}", int(self._today()), now)
        if count == self._attempts:
            _log.warning("banned %s for %d s: wrong password", user, self.failures.lifetime)

    def _count(self, user: str, now: float) -> int:
        count = self.failures.get(f"{user}::{COUNT}", now)
        return count if isinstance(count, int) else 0


def user_of(request: Request) -> str | None:
    """Return the `user@domain` of a request's credentials, None without any.

    More than one header is as good as none: we cannot know which one the proxy will judge.
    """
    offered = request.all("authorization" if request.method == "REGISTER" else "proxy-authorization")
    if len(offered) != 1:
        return None
    try:
        _, params = parse_auth(offered[0])
        username, realm = parse_username(params) or "", params.get("realm", "")
    except InvalidHeader:
        return None
    return f"{user_in(username, realm)}@{realm.lower()}"
