"""Database accounts: named like the system users, known by the socket's peer, least in privileges."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, text

READ: Final = "SELECT"
WRITE: Final = "SELECT, INSERT, UPDATE, DELETE"

#: What each account may do where.
ACCOUNTS: Final[Mapping[str, Mapping[str, str]]] = {
    "kamailio-proxy": {
        "kamailio.dbaliases": READ,
        "kamailio.domain": READ,
        "kamailio.subscriber": READ,
        "kamailio.usr_preferences": READ,
        "kamailio.location": WRITE,
    },
    "ngcp-api": {
        "billing.*": WRITE,
        "provisioning.*": WRITE,
        "kamailio.dbaliases": WRITE,
        "kamailio.domain": WRITE,
        "kamailio.subscriber": WRITE,
        "kamailio.usr_preferences": WRITE,
        "kamailio.location": "SELECT, DELETE",
    },
}


def open_accounts(connection: Connection) -> Iterator[str]:
    """Make the accounts that are missing and grant each what it needs; yield what was made."""
    existing = set(connection.execute(text("SELECT User FROM mysql.user WHERE Host = 'localhost'")).scalars())
    for name, grants in ACCOUNTS.items():
        account = f"`{name}`@`localhost`"
        if name not in existing:
            connection.execute(text(f"CREATE USER {account} IDENTIFIED VIA unix_socket"))
            yield f"account {name}: created"
        for where, privileges in grants.items():
            connection.execute(text(f"GRANT {privileges} ON {where} TO {account}"))
