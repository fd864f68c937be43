"""Column types that every database shares."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column
from sqlalchemy.dialects.mysql import CHAR, INTEGER, VARCHAR

#: Identities are compared byte by byte: SIP user parts are case-sensitive (RFC 3261 §19.1.4), and neither
#: accents nor trailing spaces may be folded, or one subscriber could pass for another.
EXACT: Final = "utf8mb4_nopad_bin"

#: What a table says of itself beyond its columns.
TABLE_OPTIONS: Final[Mapping[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_general_ci",
}


def exact(length: int) -> VARCHAR:
    """Return the type of a text that identifies something."""
    return VARCHAR(length, charset="utf8mb4", collation=EXACT)


def uuid() -> CHAR:
    """Return the type of a subscriber's UUID in its 36 characters."""
    return CHAR(36, charset="utf8mb4", collation=EXACT)


def unsigned() -> INTEGER:
    """Return the type of a row number."""
    return INTEGER(unsigned=True)


def primary_key(name: str = "id") -> Column[Any]:
    """Return the column that numbers a table's rows."""
    return Column(name, unsigned(), primary_key=True)
