"""The databases' history, revision by revision (alembic); it only goes forward.

MariaDB commits each definition by itself, so that a revision may be interrupted in the middle: each one can
be run again over its own remains.
"""

from collections.abc import Iterable
from typing import Final

from alembic import op

#: Written out, because what a server has as default differs between its versions.
OPTIONS: Final = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"


def create_tables(definitions: Iterable[str]) -> None:
    """Make each table that is not there yet."""
    for definition in definitions:
        op.execute(f"{definition.strip()} {OPTIONS}")
