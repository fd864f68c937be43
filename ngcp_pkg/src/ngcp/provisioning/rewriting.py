r"""Rewriting numbers by rules: the first one that matches is applied, and what it says is the new number.

A rule is a regular expression and a replacement. `\1` stands for what a group matched, `${caller_cc}` for a
preference of the caller or callee, `@{caller_allowed_clis}` for any value of a list. The platform's databases
have the latter two as `$avp(s:caller_cc)` and `$(avp(s:caller_allowed_clis)[+])`: both forms are read.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from ngcp.provisioning.patterns import LONGEST, check, find
from ngcp.provisioning.runtime import Preferences, RewriteRule

#: Preferences that variables can name, after `caller_` or `callee_`.
NAMES: Final = frozenset(
    {
        "ac",
        "account_id",
        "allowed_clis",
        "cc",
        "cli",
        "cloud_pbx_base_cli",
        "emergency_cli",
        "emergency_prefix",
        "emergency_suffix",
        "ext_contract_id",
        "ext_subscriber_id",
        "user_cli",
        *(f"gpp{digit}" for digit in range(10)),
    }
)
#: Gives the values of a variable; none is an unset one.
Lookup: TypeAlias = Callable[[str], tuple[str, ...]]

_VARIABLE: Final = re.compile(
    r"[$@]\{(?P<braces>\w*)\}|\$avp\(s:(?P<one>\w*)\)|\$\(avp\(s:(?P<all>\w*)\)\[\+\]\)"
)
_GROUP: Final = re.compile(r"\\(\d)")


def variables(caller: Preferences, callee: Preferences) -> Lookup:
    """Return what gives the variables of a call between these two."""
    parties = {"caller": caller, "callee": callee}

    def look_up(name: str) -> tuple[str, ...]:
        party, _, attribute = name.partition("_")
        return parties[party].all(attribute) if party in parties and attribute in NAMES else ()

    return look_up


def rewrite(rules: Iterable[RewriteRule], number: str, look_up: Lookup) -> str:
    """Return the number that the first matching rule makes of `number`, which stays if none does."""
    for rule in rules:
        pattern = _fill_pattern(rule.match, look_up) if _has_variables(rule.match) else rule.match
        match = None if pattern is None else find(pattern, number)
        if match is not None:
            replacement = _replace(rule.replace, match, look_up)
            return replacement if len(replacement) <= LONGEST else number
    return number


def check_match(pattern: str) -> None:
    """Raise ValueError unless a rule can match by this, whatever its variables are."""
    _check_variables(pattern)
    check(_VARIABLE.sub("0", pattern))


def check_replacement(replacement: str, pattern: str) -> None:
    """Raise ValueError unless this can replace what `pattern`, a good one, matches."""
    _check_variables(replacement)
    groups = check(_VARIABLE.sub("0", pattern)).groups
    for digit in _GROUP.findall(replacement):
        if int(digit) > groups:
            raise ValueError(f"\\{digit} refers to a group that the match pattern does not have")


def _check_variables(text: str) -> None:
    for variable in _VARIABLE.finditer(text):
        party, _, attribute = _name(variable).partition("_")
        if party not in ("caller", "callee") or attribute not in NAMES:
            known = ", ".join(sorted(NAMES))
            raise ValueError(f"unknown variable {variable[0]}, must be caller_ or callee_ and one of {known}")


@lru_cache(4096)
def _has_variables(pattern: str) -> bool:
    return _VARIABLE.search(pattern) is not None


def _name(variable: re.Match[str]) -> str:
    return variable["braces"] or variable["one"] or variable["all"] or ""


def _fill_pattern(pattern: str, look_up: Lookup) -> str | None:
    """Put the variables' values, as they are, into a pattern; None: one of them is not set."""
    filled, start = "", 0
    for variable in _VARIABLE.finditer(pattern):
        values = look_up(_name(variable))
        if not values:
            return None
        is_list = variable[0].startswith(("@", "$("))
        literals = map(re.escape, values if is_list else values[:1])
        filled += f"{pattern[start : variable.start()]}(?:{'|'.join(literals)})"
        start = variable.end()
    return filled + pattern[start:]


def _replace(replacement: str, match: re.Match[str], look_up: Lookup) -> str:
    """Fill in groups and variables; one that is not set, or took no part, is empty."""

    def group(digit: re.Match[str]) -> str:
        index = int(digit[1])
        return (match[index] or "") if index <= match.re.groups else ""

    def variable(found: re.Match[str]) -> str:
        return "".join(look_up(_name(found))[:1])

    return "".join(
        _GROUP.sub(group, part) if index % 2 == 0 else part
        for index, part in enumerate(_split(replacement, variable))
    )


def _split(replacement: str, fill: Callable[[re.Match[str]], str]) -> list[str]:
    """Return plain texts and, between them, filled variables: what a variable says is no group."""
    parts, start = [], 0
    for found in _VARIABLE.finditer(replacement):
        parts += [replacement[start : found.start()], fill(found)]
        start = found.end()
    return [*parts, replacement[start:]]
