"""Who is kept out by User-Agent, and which patterns are believed."""

import re

import pytest

from ngcp.lb.agent_patterns import check_pattern
from ngcp.lb.agents import AgentFilter, Unwanted
from ngcp.lb.security import BlockUserAgents
from ngcp.sip.syntax import Request
from ngcpcfg.schema import SCHEMA

LISTED = ("friendly-scanner", "^sip(cli|vicious)", r"Acme v[0-9]+\.0$")


def is_let_pass(agents: AgentFilter, agent: str | None, method: str = "INVITE") -> bool:
    lines = [] if agent is None else [f"User-Agent: {agent}"]
    try:
        agents.check(Request(method, "sip:x@h", lines))
    except Unwanted as error:
        assert (error.status, error.reason) == (403, "Forbidden")
        return False
    return True


@pytest.mark.parametrize(
    ("agent", "is_listed"),
    [
        ("friendly-scanner", True),
        ("Friendly-SCANNER 2.0", True),
        ("the friendly-scanner", True),
        ("sipcli/v1.8", True),
        ("SIPVicious", True),
        ("a sipcli", False),
        ("Acme v12.0", True),
        ("Acme v12.0 beta", False),
        ("Acme v12x0", False),
        ("x" * 128 + "friendly-scanner", False),
        ("Snom 300", False),
    ],
)
def test_a_list_keeps_out_what_is_on_it_or_all_else(agent: str, is_listed: bool) -> None:
    black = AgentFilter(BlockUserAgents(True, "blacklist", ua_patterns=LISTED))
    white = AgentFilter(BlockUserAgents(True, "whitelist", ua_patterns=LISTED))

    for _ in range(2):  # the second time from memory
        assert is_let_pass(black, agent) is not is_listed
        assert is_let_pass(white, agent) is is_listed


@pytest.mark.parametrize("mode", ["blacklist", "whitelist"])
@pytest.mark.parametrize(("empty", "absent"), [(False, True), (True, False)])
def test_empty_and_absent_are_choices_of_their_own(mode: str, empty: bool, absent: bool) -> None:
    agents = AgentFilter(BlockUserAgents(True, mode, block_empty=empty, block_absent=absent))

    assert is_let_pass(agents, "") is not empty
    assert is_let_pass(agents, None) is not absent


def test_ack_and_cancel_need_no_user_agent() -> None:
    agents = AgentFilter(BlockUserAgents(True, block_absent=True))

    assert [is_let_pass(agents, None, method) for method in ("ACK", "CANCEL", "BYE")] == [True, True, False]


def test_a_filter_that_is_off_lets_everybody_pass() -> None:
    agents = AgentFilter(BlockUserAgents(False, block_absent=True, block_empty=True))

    assert all(is_let_pass(agents, agent) for agent in ("friendly-scanner", "", None))


USUAL = (
    "friendly-scanner",
    "sip(cli|vicious)",
    r"v[0-9]+\.[0-9]+$",
    "[(*+]",
    ".*x.*y",
    "(a|b)?c",
    "x" * 128,
)
REFUSED = (
    ("", "1 to 128 characters"),
    ("x" * 129, "1 to 128 characters"),
    ("(a", "no regular expression"),
    ("a**", "no regular expression"),
    ("[z-a]", "no regular expression"),
    ("(a+)+b", "no group may be repeated"),
    ("(a|a)*b", "no group may be repeated"),
    ("((ab)?c){2,}", "no group may be repeated"),
    ("(a|a){30}", "no group may be repeated"),
    ("a?" * 30 + "a" * 30, "too many of"),
    (".*.*.*b", "too many of"),
    ("a{1,50}a{1,50}a{,50}", "too many of"),
    ("(a|a)" * 20, "too many of"),
    (r"(a)\1", "or be referred to"),
    ("(?P<x>a)(?P=x)", "begin with (?"),
)


@pytest.mark.parametrize("pattern", USUAL)
def test_a_usual_pattern_is_believed(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(("pattern", "problem"), REFUSED)
def test_a_pattern_that_is_wrong_or_could_take_for_ever_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        check_pattern(pattern)


def test_ngcpcfg_believes_the_same_patterns() -> None:
    """Else a value it accepts would keep the daemon from starting."""
    rule = SCHEMA["kamailio.lb.block_useragents.ua_patterns"]

    assert [pattern for pattern in USUAL if not rule.accepts([pattern])] == []
    assert [pattern for pattern, _ in REFUSED if rule.accepts([pattern])] == []
