"""What a peer makes us log can neither fill the disk nor forge lines."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ngcp.service.logging import (
    BURST,
    LONGEST_LINE,
    MOST_LINES,
    FloodFilter,
    JournalFormatter,
    JournalHandler,
)


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


def test_a_traceback_has_an_end() -> None:
    def ping(depth: int) -> None:
        pong(depth)

    def pong(depth: int) -> None:
        if depth == 0:
            raise RuntimeError("boom")
        ping(depth - 1)

    try:
        ping(200)
    except RuntimeError:
        failed = logging.LogRecord("ngcp.lb", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())

    lines = JournalFormatter().format(failed).splitlines()
    assert len(lines) == 1 + MOST_LINES
    assert (lines[0], lines[-1]) == ("<3>ngcp.lb: failed", "<3>RuntimeError: boom")


@pytest.fixture
def journal() -> Iterator[tuple[JournalHandler, socket.socket]]:
    """Return a handler, and the journal's end of its socket."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    handler = JournalHandler(ours)
    handler.setFormatter(JournalFormatter())
    theirs.setblocking(False)
    yield handler, theirs
    ours.close()
    theirs.close()


def test_a_busy_journal_makes_nobody_wait(journal: tuple[JournalHandler, socket.socket]) -> None:
    """What it does not take is lost; as soon as it takes lines again, it is told how many."""
    handler, theirs = journal
    for number in range(1000):  # a handler that waits would never come to the end
        handler.handle(record("%s", f"{number:03} {'x' * 500}"))
    early = theirs.recv(1_000_000).decode()
    handler.handle(record("after"))
    late = theirs.recv(1_000_000).decode()

    taken = [line for line in early.splitlines() if line.endswith("x" * 500)]
    assert 0 < len(taken) < 1000
    warning, after = late.removeprefix("\n").splitlines()
    lost = 1000 - len(taken)
    assert warning == f"<4>ngcp.service.logging: {lost} lines were lost: the journal was busy"
    assert after == "<4>ngcp.lb: after"


def test_a_journal_that_is_gone_harms_nobody(journal: tuple[JournalHandler, socket.socket]) -> None:
    handler, theirs = journal
    theirs.close()

    handler.handle(record("alone"))
    handler.handle(record("still alone"))


def test_a_daemon_under_systemd_writes_to_the_socket_it_is_given() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        program = "from ngcp.service.logging import *; configure(); logging.warning('up')"
        environment = {**os.environ, "PYTHONPATH": "src"}
        subprocess.run([sys.executable, "-c", program], stderr=theirs.fileno(), env=environment, check=True)

        assert ours.recv(1000) == b"<4>root: up\n"
