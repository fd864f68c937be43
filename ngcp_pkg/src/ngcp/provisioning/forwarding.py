"""Which of a subscriber's call forwards takes a call: by its kind, the time, who calls, what was dialled."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from ngcp.provisioning.patterns import LONGEST, find
from ngcp.provisioning.periods import contains
from ngcp.provisioning.runtime import Forward, PatternSet

#: What source sets call a caller who is not to be known.
ANONYMOUS: Final = "anonymous"


def choose(
    forwards: Iterable[Forward], kind: str, caller: str, called: str, when: datetime
) -> Forward | None:
    """Return the first forward of that kind that is for the call; see `is_for`."""
    return next((one for one in forwards if one.kind == kind and is_for(one, caller, called, when)), None)


def is_for(forward: Forward, caller: str, called: str, when: datetime) -> bool:
    """Tell whether a forward takes a call from and for these numbers at that local time.

    `caller` is `ANONYMOUS` if nobody may know it. Sets that a forward does not have let all calls in.
    """
    return (
        (forward.periods is None or any(contains(period, when) for period in forward.periods))
        and _lets_in(forward.sources, caller)
        and _lets_in(forward.bnumbers, called)
    )


def _lets_in(numbers: PatternSet | None, number: str) -> bool:
    if numbers is None:
        return True
    matches = find if numbers.is_regex else _find_shell
    return any(matches(pattern, number) for pattern in numbers.patterns) == numbers.is_whitelist


def _find_shell(pattern: str, number: str) -> bool:
    return len(number) <= LONGEST and fnmatchcase(number, pattern)
