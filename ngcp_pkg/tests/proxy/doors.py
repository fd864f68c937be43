"""Doors of a proxy that lead nowhere: a directory, a location table and a media relay in memory."""

from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import dataclass, field, replace

from ngcp.ng.bencode import Value
from ngcp.provisioning.location import LocationRow
from ngcp.provisioning.runtime import DatabaseUnavailable, Name, Subscriber
from ngcp.proxy.media import MediaRelayUnavailable
from ngcp.sip.core.digest import Credentials, md5_ha1, response_of
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.fields import parse_auth

PASSWORD = "secret"


def make_subscriber(username: str, domain: str = "example.org", *, lock: int = 0) -> Subscriber:
    return Subscriber(
        f"uuid-{username}", username, domain, md5_ha1(username, domain, PASSWORD), PASSWORD, lock
    )


@dataclass
class MemoryDirectory:
    """Subscribers by name, aliases to names; can be told to be dead."""

    accounts: dict[str, Subscriber] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    known_domains: set[str] = field(default_factory=lambda: {"example.org"})
    dead: bool = False
    asked: list[list[Name]] = field(default_factory=list)
    """The names of each question for subscribers."""

    def add(self, username: str, *aliases: str, lock: int = 0) -> None:
        self.accounts[username] = make_subscriber(username, lock=lock)
        self.aliases.update(dict.fromkeys(aliases, username))

    async def domains(self) -> frozenset[str]:
        self._check()
        return frozenset(self.known_domains)

    async def subscribers(self, names: Collection[Name]) -> dict[Name, Subscriber]:
        self._check()
        self.asked.append(sorted(names))
        found = {}
        for name in names:
            subscriber = self.accounts.get(name.user)
            if subscriber is not None and name.domain == subscriber.domain:
                numbers = (number for number, user in self.aliases.items() if user == name.user)
                found[name] = replace(subscriber, aliases=frozenset(numbers))
        return found

    async def owners(self, numbers: Collection[Name]) -> dict[Name, Name]:
        self._check()
        return {
            number: self.accounts[self.aliases[number.user]].name
            for number in numbers
            if number.user in self.aliases and number.domain in self.known_domains
        }

    def _check(self) -> None:
        if self.dead:
            raise DatabaseUnavailable("gone away")


@dataclass
class MemoryTable:
    """The location table; can be told to be dead."""

    rows: dict[str, LocationRow] = field(default_factory=dict)
    dead: bool = False

    async def load(self) -> AsyncIterator[LocationRow]:
        self._check()
        for row in self.rows.values():
            yield row

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        self._check()
        for ruid in removed_ruids:
            self.rows.pop(ruid, None)
        self.rows.update((row.ruid, row) for row in rows)

    async def remove_expired(self, now: float) -> None:
        self._check()
        self.rows = {ruid: row for ruid, row in self.rows.items() if row.expires > now}

    def _check(self) -> None:
        if self.dead:
            raise DatabaseUnavailable("gone away")


@dataclass
class MemoryRelay:
    """A media relay that marks every session it anchors; can be told to be dead."""

    commands: list[dict[str, Value]] = field(default_factory=list)
    dead: bool = False

    async def ask(self, command: dict[str, Value]) -> dict[str, Value]:
        if self.dead:
            raise MediaRelayUnavailable(f"{command['command']}: no answer in time")
        self.commands.append(command)
        return {"result": "ok", "sdp": f"{command.get('sdp', '')}a=relayed\r\n"}

    @property
    def log(self) -> list[tuple[Value, ...]]:
        """Command, from-tag and to-tag of each command, in order."""
        return [(c["command"], c["from-tag"], c.get("to-tag", "")) for c in self.commands]


def run_now(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine that never has to wait, as all do behind these doors."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("the coroutine waits")


def add_credentials(request: Request, challenge: Response, username: str, password: str = PASSWORD) -> None:
    """Answer a challenge as a phone does."""
    proxy = challenge.status == 407
    _, params = parse_auth(challenge.first("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
    realm, nonce = params["realm"], params["nonce"]
    answer = Credentials(username, realm, nonce, request.uri, "", "auth", "00000001", "c")
    answer.response = response_of(answer, request.method, md5_ha1(username, realm, password))
    request.set(
        "Proxy-Authorization" if proxy else "Authorization",
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{request.uri}", '
        f'response="{answer.response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"',
    )
