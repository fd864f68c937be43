"""Fees: what a second costs by caller, callee and time, and which fee a call has.

Of several that match, an exact one comes first, then the longest prefix, then the longest match of a regular
expression, then the longest expression that matches; what is equally long on the callee's side is decided by
the caller's, then by age.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias


class Mode(StrEnum):
    """How a fee's destination is to be read, in the order in which fees are asked."""

    EXACT = "exact_destination"
    PREFIX = "prefix"
    LONGEST_MATCH = "regex_longest_match"
    LONGEST_PATTERN = "regex_longest_pattern"


class Rate(NamedTuple):
    """What an interval costs."""

    per_second: Decimal
    interval: int
    """Seconds, at least one."""


class Tariff(NamedTuple):
    """What a call costs at one time of the day: its first interval, and all that follow."""

    init: Rate
    follow: Rate


@dataclass(frozen=True, slots=True)
class Fee:
    """What calls from a source to a destination cost."""

    id: int
    zone_id: int | None
    direction: str
    """`out` for who calls, `in` for who is called."""
    source: str
    destination: str
    onpeak: Tariff
    offpeak: Tariff
    uses_free_time: bool = False
    mode: Mode = Mode.LONGEST_PATTERN


Compile: TypeAlias = Callable[[str], re.Pattern[str]]

#: A source that means all, where it is no regular expression.
ANY: Final = frozenset({"", "."})
_LITERAL: Final = re.compile(r"\^([\w@]*)(?![?*{])")
#: An alternative that is not in parentheses reaches back to the beginning.
_INNER_ALTERNATIVES: Final = re.compile(r"\^[\w@]*\([^()\[\]\\]*\)[^|()]*")


class FeeTable:
    """The fees of a profile, found by who calls whom."""

    def __init__(self, fees: Iterable[Fee], compiled: Compile = re.compile) -> None:
        """`compiled` reads the regular expressions of operators."""
        self._exact: dict[tuple[str, str], list[Fee]] = defaultdict(list)
        self._prefixes: dict[tuple[str, str], list[Fee]] = defaultdict(list)
        self._matches, self._patterns = _Expressions(compiled), _Expressions(compiled)
        for fee in sorted(fees, key=lambda fee: (-len(fee.destination), -len(fee.source), fee.id)):
            if fee.mode is Mode.EXACT:
                self._exact[fee.direction, fee.destination].append(fee)
            elif fee.mode is Mode.PREFIX:
                self._prefixes[fee.direction, fee.destination].append(fee)
            else:
                (self._matches if fee.mode is Mode.LONGEST_MATCH else self._patterns).add(fee)
        self._lengths = sorted({len(prefix) for _, prefix in self._prefixes}, reverse=True)

    def find(self, direction: str, source: str, destination: str) -> Fee | None:
        """Return the fee of a call; both ends as number or as `user@domain`."""
        fee = _from(self._exact.get((direction, destination), ()), source)
        if fee is not None:
            return fee
        for length in self._lengths:
            fee = _from(self._prefixes.get((direction, destination[:length]), ()), source)
            if fee is not None and length <= len(destination):
                return fee
        found = list(self._matches.matching(direction, source, destination))
        if found:
            return max(found, key=lambda match: (match.lengths, -match.fee.id)).fee
        return next((match.fee for match in self._patterns.matching(direction, source, destination)), None)


def _from(fees: Sequence[Fee], source: str) -> Fee | None:
    return next((fee for fee in fees if fee.source in ANY or source.startswith(fee.source)), None)


class _Match(NamedTuple):
    fee: Fee
    lengths: tuple[int, int]
    """Of what matched: at the callee's side, at the caller's."""


class _Expressions:
    """Fees whose patterns are regular expressions, by the letters that their destination begins with."""

    def __init__(self, compiled: Compile) -> None:
        self._compiled = compiled
        self._known: dict[str, re.Pattern[str]] = {}
        """Compiled when they are first asked for: a profile may have very many."""
        self._by_literal: dict[tuple[str, str], list[tuple[int, Fee]]] = defaultdict(list)
        self._lengths: Mapping[str, list[int]] = {"in": [], "out": []}
        self._count = 0

    def add(self, fee: Fee) -> None:
        """Take one that is asked after those that are there."""
        literal = literal_of(fee.destination)
        lengths = self._lengths[fee.direction]
        if len(literal) not in lengths:
            lengths.append(len(literal))
        self._count += 1
        self._by_literal[fee.direction, literal].append((self._count, fee))

    def matching(self, direction: str, source: str, destination: str) -> Iterator[_Match]:
        """Yield those that match, in the order in which they came."""
        found: list[tuple[int, Fee]] = []
        for length in self._lengths[direction]:
            if length <= len(destination):
                found += self._by_literal.get((direction, destination[:length]), ())
        for _, fee in sorted(found, key=lambda numbered: numbered[0]):
            callee = self._pattern(fee.destination).search(destination)
            caller = self._pattern(fee.source).search(source) if callee else None
            if callee and caller:
                yield _Match(fee, (len(callee[0]), len(caller[0])))

    def _pattern(self, text: str) -> re.Pattern[str]:
        pattern = self._known.get(text)
        if pattern is None:
            pattern = self._known[text] = self._compiled(text)
        return pattern


def literal_of(pattern: str) -> str:
    """Return what whatever matches a regular expression begins with, as far as that is plain to see."""
    if "|" in pattern and _INNER_ALTERNATIVES.fullmatch(pattern) is None:
        return ""
    match = _LITERAL.match(pattern)
    return match[1] if match else ""
