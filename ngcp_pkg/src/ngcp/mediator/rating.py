"""Rates what is unrated, after the calls are stored: a call is never lost because its price cannot be told.

What is rated, what that leaves of balances and who is locked by it are one transaction (decision 45).
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, TypeAlias

from ngcp.provisioning.rating.rater import Rater

#: Tells the proxies what they must forget.
Tell: TypeAlias = Callable[[Collection[str]], Coroutine[Any, Any, None]]
#: Passes without a pause: whoever else works on this loop waits no longer than these.
MOST: Final = 20


class RatingDesk:
    """Rates, pass after pass, and says what has followed from it."""

    def __init__(self, rater: Rater, tell: Tell) -> None:
        self.statistics: Counter[str] = Counter()
        self._rater = rater
        self._tell = tell

    async def work(self, now: float) -> bool:
        """Rate what there is at Unix time `now`; tell whether there may be more of it.

        Raises DatabaseUnavailable: what was rated until then stays so, the rest is unrated.
        """
        for _ in range(MOST):
            done = await self._rater.work(now)
            self.statistics["calls.rated"] += done.rated
            self.statistics["calls.rating_failed"] += done.failed
            if done.changed:
                await self._tell(done.changed)
            if not done.is_full:
                return False
        return True
