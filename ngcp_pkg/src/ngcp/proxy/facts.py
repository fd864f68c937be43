"""What the stations need to know about a request, gathered once: who calls, and whom.

It is gathered from memory; where that does not know, `Unknown` says how to learn it, and one gathers again.
"""

from dataclasses import dataclass
from typing import Final

from ngcp.provisioning.runtime import Subscriber
from ngcp.sip.core.digest import Authenticator, Credentials, Verdict
from ngcp.sip.core.registrar import AddressOfRecord, Binding, Registrar
from ngcp.sip.syntax import Request, Uri

from .directory import Directory


@dataclass(slots=True)
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


#: Nobody of ours, or of no interest.
NOBODY: Final = Callee()


@dataclass(slots=True)
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

    def gather(self, request: Request, now: float) -> Facts:
        """Return the facts; of the callee only if the caller may learn them. Raises `Unknown`."""
        caller = self._caller(request, now)
        if caller.verdict is not Verdict.GOOD or request.method == "REGISTER":
            return Facts(caller, NOBODY, now)
        return Facts(caller, self._callee(Uri.parse(request.uri), now), now)

    def _caller(self, request: Request, now: float) -> Caller:
        identity = (request.to if request.method == "REGISTER" else request.from_).uri
        realm = identity.host
        if not self.directory.is_local_domain(realm):
            return Caller(realm)
        credentials = Credentials.find(request, realm)
        if credentials is None:
            return Caller(realm, is_local=True)
        subscriber = self.directory.subscriber(credentials.username, realm)
        if subscriber is None:
            return Caller(realm, is_local=True, verdict=Verdict.WRONG)
        verdict = self.authenticator.judge(credentials, request.method, subscriber.ha1, now)
        if verdict is not Verdict.GOOD:
            return Caller(realm, is_local=True, verdict=verdict)
        name = identity.name
        is_own = name == subscriber.username or name.removeprefix("+") in subscriber.aliases
        return Caller(realm, True, verdict, subscriber, is_own)

    def _callee(self, uri: Uri, now: float) -> Callee:
        if not self.directory.is_local_domain(uri.host):
            return NOBODY
        found = self.directory.subscriber(uri.name, uri.host)
        subscriber = found or self.directory.by_number(uri.name.removeprefix("+"), uri.host)
        if subscriber is None:
            return Callee(is_local=True)
        aor = AddressOfRecord(subscriber.username, subscriber.domain)
        return Callee(True, subscriber, tuple(self.registrar.bindings(aor, now)))
