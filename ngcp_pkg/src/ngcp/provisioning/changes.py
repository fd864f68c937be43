"""What a transaction changes of the proxy's copy: noted as it happens, announced once it is committed."""

from collections.abc import Collection
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

#: Names that the proxy is told at once; more than that are told as everything.
MOST: Final = 100

_KEY: Final = "ngcp_changes"
#: Noted where registrations at peers changed, which the B2BUA keeps.
REGISTRATIONS: Final = "registrations"
#: Noted where more changed than can be named.
EVERYTHING: Final = "*"
#: What words begin with that say a customer has another credit, or a billing profile is another.
CREDIT: Final = "credit:"
TARIFF: Final = "tariff:"


def credit_of(contract: int) -> str:
    """Return the word for what a customer has to spend."""
    return f"{CREDIT}{contract}"


def tariff_of(profile: int) -> str:
    """Return the word for what a billing profile says that calls cost."""
    return f"{TARIFF}{profile}"


def note(connection: AsyncConnection, name: str) -> None:
    """Note that `user@domain`, a domain, a credit or tariff is not any more what it was."""
    connection.info.setdefault(_KEY, set()).add(name)


def take(connection: AsyncConnection) -> frozenset[str]:
    """Return what was noted, and note it no longer: the connection outlives the transaction."""
    return frozenset(connection.info.pop(_KEY, ()))


def words(changed: Collection[str]) -> list[str]:
    """Return what the proxy is told to forget (`directory.drop`)."""
    return sorted(changed) if len(changed) <= MOST else [EVERYTHING]
