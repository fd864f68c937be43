"""A line to MariaDB: one connection that stays open, one statement at a time, as cheap as the driver allows.

For the proxy's few statements, which are many a second; everybody else asks through `engine`. Statements are
bounded in time. A line that broke is made anew by the next statement, without the caller's noticing.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import aiomysql
from pymysql.constants import CR, ER
from pymysql.converters import escape_string
from pymysql.err import DataError, Error, IntegrityError, OperationalError, ProgrammingError

from ngcp.provisioning.session import DatabaseUnavailable, session_settings

Value = str | int | float | Decimal | None
Row = tuple[Value, ...]

#: The server had hung up before it saw the statement, or in the middle of it: worth one more attempt.
_HUNG_UP: Final = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 0})
#: Values that no column takes, where the driver does not say so.
_UNFIT: Final = frozenset(
    {ER.TRUNCATED_WRONG_VALUE, ER.TRUNCATED_WRONG_VALUE_FOR_FIELD, ER.WARN_DATA_TRUNCATED}
)


class StatementRefused(Exception):
    """The server does not take these values; others are not concerned."""


class Line:
    """A connection to `socket` for system user `user`; `timeout` (seconds) bounds each call as a whole."""

    def __init__(self, socket: str, user: str, timeout: float) -> None:
        self._options = {
            "unix_socket": socket,
            "user": user,
            "charset": "utf8mb4",
            "autocommit": True,
            "init_command": session_settings(timeout),
        }
        self._timeout = timeout
        self._connection: aiomysql.Connection | None = None
        self._turn = asyncio.Lock()

    async def fetch(self, statement: str) -> Sequence[Row]:
        """Return the rows of a query; raises DatabaseUnavailable and StatementRefused."""
        return await self._do((statement,))

    async def run(self, *statements: str) -> None:
        """Execute statements, all of them or none: several are a transaction."""
        if len(statements) > 1:
            statements = ("BEGIN", *statements, "COMMIT")
        await self._do(statements)

    def close(self) -> None:
        """Hang up; an open transaction is undone by the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _do(self, statements: Sequence[str]) -> Sequence[Row]:
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await self._attempt(statements)
        except (DataError, IntegrityError, ProgrammingError, UnicodeEncodeError) as error:
            raise StatementRefused(_reason(error)) from error
        except (Error, OSError, TimeoutError, EOFError) as error:
            if isinstance(error, Error) and error.args[:1] and error.args[0] in _UNFIT:
                raise StatementRefused(_reason(error)) from error
            raise DatabaseUnavailable(_reason(error)) from error

    async def _attempt(self, statements: Sequence[str]) -> Sequence[Row]:
        if self._connection is not None:
            try:
                return await self._execute(self._connection, statements)
            except OperationalError as error:
                if error.args[:1] and error.args[0] not in _HUNG_UP:
                    raise
            except (OSError, EOFError):  # as above: found out by our system instead of the driver
                pass
        self._connection = await aiomysql.connect(**self._options)
        return await self._execute(self._connection, statements)

    async def _execute(self, connection: aiomysql.Connection, statements: Sequence[str]) -> Sequence[Row]:
        rows: Sequence[Row] = ()
        try:
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement)
                    rows = await cursor.fetchall()
        except BaseException:  # a time-out, too: what the server says next would answer the wrong question
            self.close()
            raise
        return rows


def literal(value: Value) -> str:
    """Write a value as SQL; the session's mode knows backslashes. What is no Unicode text cannot be sent."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"'{value if value.isalnum() else escape_string(value)}'"
    return str(value)


def tuple_of(values: Sequence[Value]) -> str:
    """Write values as SQL, in parentheses."""
    return f"({','.join(map(literal, values))})"


def _reason(error: BaseException) -> str:
    """Say in one line what happened."""
    return " ".join(str(error).split()) or type(error).__name__
