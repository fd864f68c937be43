"""What a transaction changes of the proxy's copy: noted as it happens, announced once it is committed."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

_KEY: Final = "ngcp_changes"


def note(connection: AsyncConnection, name: str) -> None:
    """Note that `user@domain`, or a domain, is not any more what it was."""
    connection.info.setdefault(_KEY, set()).add(name)


def take(connection: AsyncConnection) -> frozenset[str]:
    """Return what was noted, and note it no longer: the connection outlives the transaction."""
    return frozenset(connection.info.pop(_KEY, ()))
