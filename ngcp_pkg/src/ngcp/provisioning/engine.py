"""Connections to MariaDB over its unix socket: every transaction is bounded in time.

The database account carries the name of the system user and is recognised by the socket's peer credentials,
so that there is no password to keep. A driver's error never leaves this room: callers see
`DatabaseUnavailable`, except for the two that tell something about the data (`IntegrityError`, `DataError`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ngcp.provisioning.session import DatabaseUnavailable, session_settings

__all__ = ["DatabaseUnavailable", "connect", "session_settings", "transaction"]

POOL_SIZE: Final = 8
_TIMEOUT: Final = "ngcp_timeout"


def connect(socket: str, user: str, timeout: float) -> AsyncEngine:
    """Return an engine for `user` on the unix socket at path `socket`; it connects when first used.

    `timeout` (seconds) bounds each transaction as a whole, waiting for a free connection included. The
    server is told the same bound for each statement, so that it does not go on working for nobody.
    """
    return create_async_engine(
        URL.create("mysql+aiomysql", username=user, query={"unix_socket": socket, "charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",  # what the proxy writes meanwhile is seen
        connect_args={"connect_timeout": timeout, "init_command": session_settings(timeout)},
        execution_options={_TIMEOUT: timeout},
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        hide_parameters=True,
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Commit what the block does, or nothing of it if the block raises.

    Raises DatabaseUnavailable, also when the whole lasts longer than the engine's time-out.
    """
    options: dict[str, Any] = dict(engine.get_execution_options())
    try:
        async with asyncio.timeout(options[_TIMEOUT]), engine.begin() as connection:
            yield connection
    except (IntegrityError, DataError):
        raise
    except (DBAPIError, SQLAlchemyError, TimeoutError, OSError) as error:
        raise DatabaseUnavailable(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Say in one line what happened, without the statement and its parameters."""
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split()) or type(original).__name__
