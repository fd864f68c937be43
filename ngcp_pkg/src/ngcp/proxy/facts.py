"""What the stations need to know about a request, gathered once: who calls, and whom.

This is the corridor's only question to MariaDB; everything behind it is pure.
"""

from dataclasses import dataclass
from typing import Protocol

from ngcp.provisioning.runtime import Subscriber
from ngcp.sip.core.digest import Authenticator, Credentials, Verdict
from ngcp.sip.core.registrar import AddressOfRecord, Binding, Registrar
from ngcp.sip.syntax import Request, Uri


class Directory(Protocol):
    """Whose domain, which subscriber: `ngcp.provisioning.runtime.Directory` in the daemon."""

    async def is_local_domain(self, domain: str) -> bool:
        """Tell whether we are responsible for `domain`."""

    async def subscriber(self, username: str, domain: str) -> Subscriber | None:
        """Return the subscriber with that user name."""

    async def by_alias(self, alias: str, domain: str) -> Subscriber | None:
        """Return the subscriber that a number leads to."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request."""

    realm: str
    """Host of the identity claimed: From, or To of a REGISTER (§10.2)."""
    is_local: bool = False
    """Whether the realm is one of our domains."""
    verdict: Verdict | None = None
    """What the credentials are worth; None without any for our realm."""
    subscriber: Subscriber | None = None
    """Who the credentials name; set only where the verdict is good."""
    owns_identity: bool = False
    """Whether the identity claimed is the subscriber's user name or one of the aliases."""


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom the Request-URI names."""

    is_local: bool = False
    """Whether its domain is ours."""
    subscriber: Subscriber | None = None
    """None: no such user name or number."""
    bindings: tuple[Binding, ...] = ()
    """Where the subscriber is registered now, the best first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the stations decide upon."""

    caller: Caller
    callee: Callee
    now: float
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Asks the directory and the registrar."""

    directory: Directory
    registrar: Registrar
    authenticator: Authenticator

    async def gather(self, request: Request, now: float) -> Facts:
        """Return the facts; of the callee only if the caller may learn them. Raises DatabaseUnavailable."""
        caller = await self._caller(request, now)
        if caller.verdict is not Verdict.GOOD or request.method == "REGISTER":
            return Facts(caller, Callee(), now)
        return Facts(caller, await self._callee(Uri.parse(request.uri), now), now)

    async def _caller(self, request: Request, now: float) -> Caller:
        identity = (request.to if request.method == "REGISTER" else request.from_).uri
        realm = identity.host
        if not await self.directory.is_local_domain(realm):
            return Caller(realm)
        credentials = Credentials.find(request, realm)
        if credentials is None:
            return Caller(realm, is_local=True)
        subscriber = await self.directory.subscriber(credentials.username, realm)
        if subscriber is None:
            return Caller(realm, is_local=True, verdict=Verdict.WRONG)
        verdict = self.authenticator.judge(credentials, request.method, subscriber.ha1, now)
        if verdict is not Verdict.GOOD:
            return Caller(realm, is_local=True, verdict=verdict)
        named = await self._find(identity)
        return Caller(realm, True, verdict, subscriber, named is not None and named.uuid == subscriber.uuid)

    async def _callee(self, uri: Uri, now: float) -> Callee:
        if not await self.directory.is_local_domain(uri.host):
            return Callee()
        subscriber = await self._find(uri)
        if subscriber is None:
            return Callee(is_local=True)
        aor = AddressOfRecord(subscriber.username, subscriber.domain)
        return Callee(True, subscriber, tuple(self.registrar.bindings(aor, now)))

    async def _find(self, uri: Uri) -> Subscriber | None:
        """Look a user part up as a user name, then as a number with or without its plus sign."""
        found = await self.directory.subscriber(uri.name, uri.host)
        return found or await self.directory.by_alias(uri.name.removeprefix("+"), uri.host)
