"""Fixtures for every room, and the choice between the compiled modules and their specification."""

import sys
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ("private_mariadb", "private_redis")


#: No example is late: a machine may be busy with something else. They are the same ones each time: what
#: passed today passes tomorrow; `--hypothesis-profile=curious` looks for others.
settings.register_profile("patient", deadline=None, derandomize=True)
settings.register_profile("curious", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pure", action="store_true", help="leave the compiled modules out")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--pure"):
        for name in ("ngcp_bencode", "ngcp_media", "ngcp_speed"):
            sys.modules[name] = None  # type: ignore[assignment] # importing it is then an ImportError


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Spell out what was logged of bytes that are no text: reports travel between processes (xdist)."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
