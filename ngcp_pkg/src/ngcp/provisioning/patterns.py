"""Operators' regular expressions: only those whose matching takes a bounded time, on texts of bounded length.

Python matches by backtracking. How many ways there are to try is read off the parsed expression, before it is
ever matched (docs/decisions: patterns of operators).
"""

import importlib
import re
from functools import lru_cache
from typing import Any, Final

#: Characters of a text that is matched; what is longer matches nothing.
LONGEST: Final = 256
#: Ways to match that a pattern may have to try on such a text.
MOST_WAYS: Final = 2 * LONGEST * LONGEST

_sre: Final[Any] = importlib.import_module("re._parser")  # the grammar of `re` itself has no public name
_UNBOUNDED: Final = MOST_WAYS + 1


class UnsafePattern(ValueError):
    """A regular expression that is none, or may take too long."""


@lru_cache(4096)
def check(pattern: str) -> re.Pattern[str]:
    """Return the compiled `pattern`; raises UnsafePattern."""
    try:
        tree, compiled = _sre.parse(pattern), re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnsafePattern(f"no regular expression: {error}") from error
    anchored = bool(tree) and tree[0] == (_sre.AT, _sre.AT_BEGINNING)
    if _ways(_without_tail(tree)) * (1 if anchored else LONGEST) > MOST_WAYS:
        raise UnsafePattern("may take too long to match: repeat less, or begin it with ^")
    return compiled


def find(pattern: str, text: str) -> re.Match[str] | None:
    """Return where `pattern` matches in `text`; one that is unsafe, or too long a text, matches nowhere."""
    if len(text) > LONGEST:
        return None
    try:
        return check(pattern).search(text)
    except UnsafePattern:
        return None


def _without_tail(tree: Any) -> Any:  # noqa: ANN401 - as `re` has it
    """Leave out a repetition at the end: nothing comes after it that could fail and have it tried again."""
    last = tree[-1] if tree else None
    return tree[:-1] if last is not None and last[0] in _REPEATS and _ways(last[1][2]) == 1 else tree


def _ways(tree: Any) -> int:  # noqa: ANN401 - as `re` has it
    """Return an upper bound of how many ways there are to match a parsed expression from a given place."""
    ways = 1
    for code, argument in tree:
        ways = min(ways * _ways_of(code, argument), _UNBOUNDED)
    return ways


def _ways_of(code: Any, argument: Any) -> int:  # noqa: ANN401 - as `re` has it
    if code in _REPEATS:
        least, most, repeated = argument
        return _repetitions(_ways(repeated), int(least), min(int(most), LONGEST))
    if code is _sre.BRANCH:
        return sum(map(_ways, argument[1]))
    if code is _sre.SUBPATTERN:
        return _ways(argument[-1])
    if code is _sre.ATOMIC_GROUP:
        return _ways(argument)
    if code in (_sre.ASSERT, _sre.ASSERT_NOT):
        return _ways(argument[1])
    if code is _sre.GROUPREF_EXISTS:
        return sum(_ways(branch) for branch in argument[1:] if branch)
    return 1


def _repetitions(ways: int, least: int, most: int) -> int:
    """Return how many ways there are to repeat what matches in `ways` ways."""
    if ways == 1:
        return max(most - least + 1, 1)
    return sum(min(ways**times, _UNBOUNDED) for times in range(least, most + 1))


_REPEATS: Final = frozenset({_sre.MAX_REPEAT, _sre.MIN_REPEAT, _sre.POSSESSIVE_REPEAT})
