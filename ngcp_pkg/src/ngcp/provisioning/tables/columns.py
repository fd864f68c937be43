"""Column types and habits that every database shares."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Column, DateTime, ForeignKey, text
from sqlalchemy.dialects.mysql import CHAR, ENUM, INTEGER, TINYINT, VARCHAR

#: Identities are compared byte by byte: SIP user parts are case-sensitive (RFC 3261 §19.1.4), and neither
#: accents nor trailing spaces may be folded, or one subscriber could pass for another.
EXACT: Final = "utf8mb4_nopad_bin"

#: What a table says of itself beyond its columns.
TABLE_OPTIONS: Final[Mapping[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_general_ci",
}

NOW: Final = text("CURRENT_TIMESTAMP")


def exact(length: int) -> VARCHAR:
    """Return the type of a text that identifies something."""
    return VARCHAR(length, charset="utf8mb4", collation=EXACT)


def uuid() -> CHAR:
    """Return the type of a subscriber's UUID in its 36 characters."""
    return CHAR(36, charset="utf8mb4", collation=EXACT)


def unsigned() -> INTEGER:
    """Return the type of a row number."""
    return INTEGER(unsigned=True)


def primary_key() -> Column[Any]:
    """Return the column that numbers a table's rows."""
    return Column("id", unsigned(), primary_key=True)


def reference(
    name: str, target: str | Column[Any], *, constraint: str, nullable: bool = False, cascade: bool = False
) -> Column[Any]:
    """Return a column that points to the row `target`: "database.table.id", or another database's column."""
    key = ForeignKey(target, name=constraint, ondelete="CASCADE" if cascade else None)
    return Column(name, unsigned(), key, nullable=nullable)


def flag(name: str, *, default: bool = False) -> Column[Any]:
    """Return a yes-or-no column."""
    return Column(name, TINYINT(1), nullable=False, server_default=str(int(default)))


def status(*values: str, default: str = "active") -> Column[Any]:
    """Return the column that says in which of the states `values` a row is."""
    return Column("status", ENUM(*values), nullable=False, server_default=default)


def created() -> Column[Any]:
    """Return the column that keeps when a row was made."""
    return Column("create_timestamp", DateTime, nullable=False, server_default=NOW)


def modified() -> Column[Any]:
    """Return the column that keeps when a row was last changed."""
    default = text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP")
    return Column("modify_timestamp", DateTime, nullable=False, server_default=default)
