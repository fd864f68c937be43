"""Fixtures for every room, and the choice between the compiled module and its specification."""

import sys

import pytest

pytest_plugins = ("private_mariadb",)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pure", action="store_true", help="leave the compiled module out")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--pure"):
        sys.modules["ngcp_speed"] = None  # type: ignore[assignment] # importing it is then an ImportError
