"""Fixtures for every room."""

pytest_plugins = ("private_mariadb",)
