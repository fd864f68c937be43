"""Bytes that reach MariaDB piece by piece are the same there."""

import asyncio

import pytest
from sqlalchemy import select

from ngcp.provisioning.blobs import PIECE, uploaded
from ngcp.provisioning.engine import connect, transaction
from private_mariadb import Server


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7])
def test_bytes_arrive(database: Server, size: int) -> None:
    """Whatever they are; and nothing of them stays behind in the connection."""
    blob = bytes(range(256)) * (size // 256 + 1)

    async def send() -> tuple[object, object]:
        engine = connect(database.socket, database.user, 10.0)
        try:
            async with transaction(engine) as connection:
                async with uploaded(connection, blob[:size]) as there:
                    during = (await connection.execute(select(there))).scalar()
                return during, (await connection.execute(select(there))).scalar()
        finally:
            await engine.dispose()

    assert asyncio.run(send()) == (blob[:size], None)
