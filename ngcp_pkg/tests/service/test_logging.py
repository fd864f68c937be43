"""What a peer makes us log can neither fill the disk nor forge lines."""

import logging
import sys

import pytest

from ngcp.service.logging import BURST, LONGEST_LINE, FloodFilter, JournalFormatter


def record(template: str, *arguments: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("ngcp.lb", level, __file__, 1, template, arguments, None)


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.CRITICAL, 2)],
)
def test_a_line_carries_its_journal_priority(level: int, priority: int) -> None:
    assert JournalFormatter().format(record("up", level=level)) == f"<{priority}>ngcp.lb: up"


def test_control_characters_are_escaped_and_long_lines_cut() -> None:
    line = JournalFormatter().format(record("dropped %s", "a\r\n<2>forged\x1b[31m" + "x" * 5000))

    assert "\n" not in line
    assert "a\\x0d\\x0a<2>forged\\x1b[31m" in line
    assert len(line) == len("<4>") + LONGEST_LINE


def test_every_line_of_a_traceback_has_a_priority() -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        failed = logging.LogRecord("ngcp.lb", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())

    lines = JournalFormatter().format(failed).splitlines()

    assert lines[0] == "<3>ngcp.lb: failed"
    assert lines[-1] == "<3>RuntimeError: boom"
    assert all(line.startswith("<3>") for line in lines)


def test_a_flood_of_one_kind_is_a_burst_and_then_one_line_a_second() -> None:
    now = 0.0
    flood = FloodFilter(lambda: now)
    burst = [flood.filter(record("dropped %d", i)) for i in range(1000)]
    assert sum(burst) == BURST

    now = 1.0
    passing = record("dropped %d", 7)
    assert flood.filter(passing)
    assert passing.getMessage() == "dropped 7 (990 more like this were not logged)"
    assert not flood.filter(record("dropped %d", 8))
    assert flood.filter(record("another kind"))
