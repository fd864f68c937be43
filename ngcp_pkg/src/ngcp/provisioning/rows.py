"""Single rows."""

from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def add_row(connection: AsyncConnection, table: Table, **values: Any) -> int:  # noqa: ANN401 - any column
    """Insert a row and return its number."""
    key = (await connection.execute(insert(table).values(**values))).inserted_primary_key
    assert key is not None, "a single row was inserted"
    return int(key[0])
