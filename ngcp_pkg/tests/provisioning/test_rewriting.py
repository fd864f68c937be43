"""Rewriting of numbers, as tables."""

from collections.abc import Callable

import pytest

from ngcp.provisioning.patterns import LONGEST
from ngcp.provisioning.rewriting import check_match, check_replacement, rewrite, variables
from ngcp.provisioning.runtime import Preferences, RewriteRule

CALLER = Preferences(
    (
        {
            "cc": ("43",),
            "ac": ("1",),
            "cli": ("43.1",),
            "user_cli": (r"\1",),
            "allowed_clis": ("4311", "4312"),
            "peer_auth_pass": ("secret",),
        },
    )
)
CALLEE = Preferences(({"cc": ("49",)},))
NATIONAL = (
    RewriteRule(r"^(?:00|\+)([1-9]\d+)$", r"\1"),
    RewriteRule(r"^0([1-9]\d+)$", r"${caller_cc}\1"),
    RewriteRule(r"^([1-9]\d+)$", r"${caller_cc}${caller_ac}\1"),
    RewriteRule(r"^(110|112)$", r"never reached"),
)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("004912345", "4912345"),
        ("+4912345", "4912345"),
        ("0662123", "43662123"),
        ("123456", "431123456"),
        ("112", "431112"),
        ("alice", "alice"),
        ("", ""),
        ("0" * (LONGEST + 1), "0" * (LONGEST + 1)),
    ],
)
def test_the_first_rule_that_matches_is_applied(number: str, expected: str) -> None:
    assert rewrite(NATIONAL, number, variables(CALLER, CALLEE)) == expected


@pytest.mark.parametrize(
    ("match", "replace", "number", "expected"),
    [
        (r"^9", "0", "91234", "0"),  # what is left out of the replacement is gone
        (r"^(\d)(\d*)$", r"\2-\1", "123", "23-1"),
        (r"^(\d)(x)?$", r"\1[\2]", "1", "1[]"),
        (r"^(.*)$", r"\0\1", "1", "11"),
        (r"^(.*)$", r"\1\9", "1", "1"),
        (r"^(.*)$", "${callee_cc}", "1", "49"),
        (r"^(.*)$", "$avp(s:caller_cc)\\1", "1", "431"),
        (r"^(.*)$", r"<${caller_gpp0}>", "1", "<>"),
        (r"^(.*)$", r"${caller_user_cli}", "1", r"\1"),  # a value is no replacement itself
        (r"^(.*)$", r"<${caller_peer_auth_pass}>", "1", "<>"),
        (r"^${caller_cc}(\d+)$", r"0\1", "431234", "01234"),
        (r"^$avp(s:caller_cc)(\d+)$", r"0\1", "431234", "01234"),
        (r"^${caller_cli}$", "mine", "43x1", "43x1"),  # a value is no pattern
        (r"^${caller_cli}$", "mine", "43.1", "mine"),
        (r"^${callee_ac}", "all", "1", "1"),  # not set: no match
        (r"^@{caller_allowed_clis}$", "mine", "4312", "mine"),
        (r"^$(avp(s:caller_allowed_clis)[+])$", "mine", "4312", "mine"),
        (r"^${caller_allowed_clis}$", "mine", "4312", "4312"),
        (r"^(.*)$", "@{caller_allowed_clis}", "1", "4311"),
        (r"(a+)+$", "slow", "a" * 99, "a" * 99),
        (r"^(.*)$", r"\1\1\1", "1" * 100, "1" * 100),  # what would be too long is left alone
    ],
)
def test_groups_and_variables(match: str, replace: str, number: str, expected: str) -> None:
    assert rewrite([RewriteRule(match, replace)], number, variables(CALLER, CALLEE)) == expected


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (lambda: check_match("("), "no regular expression"),
        (lambda: check_match("(a*)*b"), "too long"),
        (lambda: check_match("^${caller_pin}$"), "unknown variable"),
        (lambda: check_match("^${cc}$"), "unknown variable"),
        (lambda: check_match("^@{}$"), "unknown variable"),
        (lambda: check_replacement(r"\2", "^(.)$"), "refers to a group"),
        (lambda: check_replacement("${caller_peer_auth_pass}", "^(.)$"), "unknown variable"),
    ],
)
def test_a_bad_rule_is_told(check: Callable[[], None], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check()


@pytest.mark.parametrize(
    ("match", "replace"),
    [
        (r"^(00|\+)([1-9]\d+)$", r"\2"),
        (r"^@{caller_allowed_clis}$", "${caller_cli}"),
        ("", "$avp(s:callee_gpp9)"),
    ],
)
def test_a_good_rule_is_taken(match: str, replace: str) -> None:
    check_match(match)
    check_replacement(replace, match)
