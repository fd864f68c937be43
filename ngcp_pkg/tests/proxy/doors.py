"""Doors of a proxy that lead nowhere: a directory, a location table and a media relay in memory."""

from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from ngcp.ng.bencode import Value
from ngcp.provisioning.location import LocationRow
from ngcp.provisioning.rating.profiles import Known
from ngcp.provisioning.runtime import (
    ANYWHERE,
    Credit,
    DatabaseUnavailable,
    Domain,
    Name,
    Platform,
    Ported,
    Subscriber,
)
from ngcp.proxy.media import MediaRelayUnavailable
from ngcp.sip.core.digest import MD5, Credentials, ha1_of, response_of
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.fields import parse_auth

PASSWORD = "secret"


def make_subscriber(
    username: str, domain: str = "example.org", *, lock: int = 0, password: str = PASSWORD
) -> Subscriber:
    return Subscriber(
        f"uuid-{username}",
        username,
        domain,
        ha1_of(MD5, username, domain, password),
        password,
        preferences={"lock": (str(lock),)} if lock else {},
    )


@dataclass
class MemoryDirectory:
    """Subscribers by name, aliases to names; can be told to be dead."""

    accounts: dict[str, Subscriber] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    shared: Platform = field(default_factory=lambda: Platform({"example.org": Domain()}))
    """What all calls share."""
    ported_numbers: dict[str, Ported] = field(default_factory=dict)
    funds: dict[int, Credit] = field(default_factory=dict)
    """What customers have who pay in advance."""
    prices: dict[int, Known] = field(default_factory=dict)
    """Their billing profiles."""
    dead: bool = False
    asked: list[list[Name]] = field(default_factory=list)
    """The names of each question for subscribers."""

    def add(self, username: str, *aliases: str, lock: int = 0) -> None:
        self.accounts[username] = make_subscriber(username, lock=lock)
        self.aliases.update(dict.fromkeys(aliases, username))

    def change(self, username: str, **fields: Any) -> None:  # noqa: ANN401 - whatever a subscriber has
        """Provision something else for a subscriber."""
        self.accounts[username] = replace(self.accounts[username], **fields)

    def prefer(self, username: str, **values: str) -> None:
        """Set preferences of a subscriber."""
        set_ = {name: tuple(value.split()) for name, value in values.items()}
        self.change(username, preferences={**self.accounts[username].preferences, **set_})

    async def platform(self) -> Platform:
        self._check()
        return self.shared

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
            if number.user in self.aliases
            and (number.domain == ANYWHERE or number.domain in self.shared.domains)
        }

    async def named(self, uuids: Collection[Name]) -> dict[Name, Name]:
        self._check()
        return {
            Name(known.uuid, ""): known.name for known in self.accounts.values() if (known.uuid, "") in uuids
        }

    async def credits(self, contracts: Collection[Name]) -> dict[Name, Credit]:
        self._check()
        return {one: self.funds[int(one.user)] for one in contracts if int(one.user) in self.funds}

    async def tariffs(self, profiles: Collection[Name]) -> dict[Name, Known]:
        self._check()
        return {one: self.prices[int(one.user)] for one in profiles if int(one.user) in self.prices}

    async def ported(self, numbers: Collection[Name]) -> dict[Name, Ported]:
        self._check()
        known = self.ported_numbers
        return {number: known[number.user] for number in numbers if number.user in known}

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
    scores: list[Value] = field(default_factory=list)
    """How the sources of a call sounded, told when it ends."""

    async def ask(self, command: dict[str, Value]) -> dict[str, Value]:
        if self.dead:
            raise MediaRelayUnavailable(f"{command['command']}: no answer in time")
        self.commands.append(command)
        if command["command"] == "delete":
            return {"result": "ok", "MOS": self.scores}
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
    answer.response = response_of(answer, request.method, ha1_of(MD5, username, realm, password))
    request.set(
        "Proxy-Authorization" if proxy else "Authorization",
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{request.uri}", '
        f'response="{answer.response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"',
    )
