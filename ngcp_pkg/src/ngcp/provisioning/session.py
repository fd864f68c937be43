"""What all connections to MariaDB have in common, whichever driver they go by."""


class DatabaseUnavailable(Exception):
    """The database did not answer, refused, or was too slow: the caller must do without it."""


def session_settings(timeout: float) -> str:
    """Return the statement that a new connection runs first: strict values, UTC, bounded statements."""
    strict = "sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'"
    return f"SET SESSION {strict}, max_statement_time = {timeout:.3f}"
