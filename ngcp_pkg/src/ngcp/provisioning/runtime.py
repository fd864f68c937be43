"""What the SIP proxy asks about requests: whose domain, which subscriber (database `kamailio`)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import Line, Row, tuple_of

__all__ = ["DatabaseUnavailable", "Directory", "Name", "Subscriber"]

#: Names asked for in one statement.
MOST: Final = 200


class Name(NamedTuple):
    """A user name or number in a domain; the domain in lower case (RFC 3261 §19.1.4)."""

    user: str
    domain: str


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A SIP account as the proxy sees it."""

    uuid: str
    username: str
    domain: str
    ha1: str = field(repr=False)
    """MD5(username:domain:password) in hexadecimal (RFC 7616 §3.4.2)."""
    password: str = field(repr=False)
    """Needed for digests other than MD5."""
    lock: int = 0
    """0 none, 1 calls to foreign domains, 2 outgoing calls, 3 all calls, 4 everything."""
    aliases: frozenset[str] = frozenset()
    """The E.164 numbers, without "+", that lead here; those of another domain as `number@domain`."""

    @property
    def name(self) -> Name:
        """The user name in its domain."""
        return Name(self.username, self.domain)


_ACCOUNTS: Final = """
SELECT s.uuid, s.username, s.domain, s.ha1, s.password,
 (SELECT MAX(p.value) FROM kamailio.usr_preferences p WHERE p.uuid = s.uuid AND p.attribute = 'lock'),
 (SELECT GROUP_CONCAT(IF(a.alias_domain = s.domain, a.alias_username,
    CONCAT(a.alias_username, '@', a.alias_domain)) SEPARATOR ' ')
  FROM kamailio.dbaliases a WHERE a.username = s.username AND a.domain = s.domain)
FROM kamailio.subscriber s WHERE """
_OWNERS: Final = "SELECT alias_username, alias_domain, username, domain FROM kamailio.dbaliases WHERE "


class Directory:
    """Subscribers, the numbers that lead to them, and the domains that are ours.

    Each question is one statement for any number of names, and raises DatabaseUnavailable if the database
    cannot answer it.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    async def domains(self) -> frozenset[str]:
        """Return all domains that we are responsible for, in lower case."""
        rows = await self._line.fetch("SELECT domain FROM kamailio.domain")
        return frozenset(str(row[0]).lower() for row in rows)

    async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:
        """Return those of the named subscribers that exist."""
        found = map(_subscriber, await self._fetch(_ACCOUNTS, "s.domain", "s.username", names))
        return {subscriber.name: subscriber for subscriber in found}

    async def owners(self, numbers: Collection[Name]) -> Mapping[Name, Name]:
        """Return whom each of these numbers, E.164 without "+", leads to, as far as to anybody."""
        rows = await self._fetch(_OWNERS, "alias_domain", "alias_username", numbers)
        return {Name(str(row[0]), str(row[1])): Name(str(row[2]), str(row[3])) for row in rows}

    async def _fetch(self, query: str, domain: str, user: str, names: Collection[Name]) -> list[Row]:
        asked = sorted(filter(_is_text, names), key=lambda name: name.domain)
        rows: list[Row] = []
        for start in range(0, len(asked), MOST):
            by_domain = groupby(asked[start : start + MOST], key=lambda name: name.domain)
            conditions = (_condition(domain, user, key, group) for key, group in by_domain)
            rows += await self._line.fetch(query + " OR ".join(conditions))
        return rows


def _condition(domain: str, user: str, name: str, members: Iterable[Name]) -> str:
    """Look in the unique index of both columns."""
    return f"({domain}={tuple_of([name])} AND {user} IN {tuple_of([member.user for member in members])})"


def _is_text(name: Name) -> bool:
    """Whether it can be asked for: text off the wire that is no UTF-8 names nobody here."""
    try:
        return bool("".join(name).encode())
    except UnicodeEncodeError:
        return False


def _subscriber(row: Row) -> Subscriber:
    uuid, username, domain, ha1, password, lock, aliases = (value or "" for value in row)
    numbers = frozenset(str(aliases).split())
    return Subscriber(str(uuid), str(username), str(domain), str(ha1), str(password), int(lock or 0), numbers)
