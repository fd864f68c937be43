"""Readings of proc(5)."""

import os

import pytest

from bench.accounting import cpu_of_stat, cpu_seconds, family, pss, pss_of_rollup

STAT = (
    "4711 (a (bad) name) S 1 4711 4711 0 -1 4194560 9 8 7 6 250 130 40 50 20 0 3 0 123456 1000000 500 "
    "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0"
)
ROLLUP = """\
55d0c8a00000-7ffc1a9f2000 ---p 00000000 00:00 0                          [rollup]
Rss:               12000 kB
Pss:                7500 kB
Pss_Anon:           5000 kB
"""


def test_cpu_is_user_and_system_time_whatever_the_command_is_called() -> None:
    assert cpu_of_stat(STAT) == 250 + 130  # and not what its dead children used


def test_memory_is_the_proportional_set_size() -> None:
    assert pss_of_rollup(ROLLUP) == 7500 * 1024


def test_a_text_without_pss_is_refused() -> None:
    with pytest.raises(ValueError, match="Pss"):
        pss_of_rollup("Rss: 1 kB\n")


def test_this_very_process_can_be_read() -> None:
    pids = family(os.getpid())

    assert pids[0] == os.getpid()
    assert cpu_seconds([os.getpid()]) > 0
    assert pss([os.getpid()]) > 1024 * 1024
