"""Operators' regular expressions: what is taken, and that nothing taken is slow."""

import time

import pytest

from ngcp.provisioning.patterns import LONGEST, UnsafePattern, check, find

SAFE = (
    "",
    ".*",
    r".*foo.*",
    r"^(00|\+)([1-9]\d+)$",
    r"^0([1-9][0-9]*)$",
    r"^(?:\+|00)(43|49|1)[1-9]\d{3,15}$",
    r"^(?!0)\d+$",
    r"^sip:.+@example\.org$",
    r"^sip:.*@.*\.example\.com$",
    r"^(\d{2} ?){1,5}$",
    r"^(a)?(?(1)b|c)$",
    r"^\d++$",
    r"(?i)^SIP:4311",
    r"\d+$",
    r"^.*.*x",
    r"^.{0,255}.{0,255}x$",
)
UNSAFE = (
    r"(a+)+$",
    r"(a|a)*$",
    r"^(a|aa)+$",
    r"^(.*)(.*)(.*)$",
    r"a{0,99}b{0,99}c{0,99}",
    r"((a{1,9}){1,9}){1,9}b",
    r"^(?=(a*)*b)",
)
BAD = ("(", "[", "*", r"\1", "a{2,1}", "(?P<a>.)(?P<a>.)", "(" * 1000)
TEXTS = ("a" * LONGEST, "1" * LONGEST, "sip:" + "a@" * 126, "x" * LONGEST, "foo" * 85)


@pytest.mark.parametrize("pattern", SAFE)
def test_a_safe_pattern_is_quick_on_any_text(pattern: str) -> None:
    check(pattern)
    started = time.process_time()
    for text in TEXTS:
        find(pattern, text)
    assert time.process_time() - started < 0.1  # a millisecond on any machine; unsafe ones take years


@pytest.mark.parametrize("pattern", UNSAFE)
def test_a_slow_pattern_is_refused_and_matches_nothing(pattern: str) -> None:
    with pytest.raises(UnsafePattern, match="too long"):
        check(pattern)
    assert find(pattern, "a") is None


@pytest.mark.parametrize("pattern", BAD)
def test_what_is_no_pattern_is_refused_and_matches_nothing(pattern: str) -> None:
    with pytest.raises(UnsafePattern, match="no regular expression"):
        check(pattern)
    assert find(pattern, "a") is None


def test_a_pattern_is_found_anywhere_unless_it_says_where() -> None:
    assert find("11", "4311001")
    assert not find("^11", "4311001")


def test_a_text_that_is_too_long_matches_nothing() -> None:
    assert find("a", "a" * LONGEST)
    assert find("a", "a" * (LONGEST + 1)) is None
