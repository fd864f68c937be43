"""What the stations need to know about a request before they begin: who sent it.

It is gathered from memory; where that does not know, `Unknown` says how to learn it, and one gathers again.
A request comes from an element of the node, a trusted source, a peer, or somebody who has to prove who he is.
"""

from collections.abc import Collection
from typing import Final

from ngcp.provisioning.runtime import Platform, Subscriber
from ngcp.sip.core.decision import Reply
from ngcp.sip.core.digest import Authenticator, Credentials, Verdict
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Uri
from ngcp.sip.transport.flow import Address

from .call import Call, Caller
from .directory import Directory
from .peers import Rejected, origin
from .sources import Sources, address_in, fields

#: An application that calls in the name of whoever asked it to, and has to prove who that is.
UNPROVEN: Final = "click2dial"
#: One that has asked whoever calls for a PIN: his call is as if he called by himself.
CALL_BACK: Final = "callback"


class Gatherer:
    """Asks the directory and the authenticator."""

    def __init__(
        self, directory: Directory, authenticator: Authenticator, elements: Collection[Address] = ()
    ) -> None:
        """`elements` are the addresses of application servers of the node, which need no password."""
        self.directory = directory
        self._authenticator = authenticator
        self._elements = frozenset(elements)
        self._sources = Sources(Platform())

    def gather(self, request: Request, now: float) -> Call:
        """Return the call as it begins; raises `Unknown`."""
        platform = self.directory.platform()
        if request.method == "REGISTER":
            caller = self._who_proves(request, request.to.uri, platform, now)
        else:
            caller = self._known(request, platform) or self._who_proves(
                request, _claimed(request, platform), platform, now
            )
        return Call(request, now, platform, caller, Uri.parse(request.uri))

    def _known(self, request: Request, platform: Platform) -> Caller | None:
        """Return the caller whom the way of the request tells: an element, a trusted source or a peer."""
        ip = request.get("p-ngcp-src-ip")
        if ip is None:
            return self._element(request, platform) if self._elements else None
        sources = self._sources
        if sources.platform is not platform:
            sources = self._sources = Sources(platform)
        trusted = sources.trusted(request, ip)
        if trusted is not None:
            subscriber = self.directory.by_uuid(trusted.uuid)
            if subscriber is not None:
                return _speaking_for(subscriber, platform)
        return _peer(request, ip, platform) if ip in sources.peers else None

    def _element(self, request: Request, platform: Platform) -> Caller | None:
        """Return whom an application server calls for (§18.2.1: the load-balancer puts a Via on top)."""
        application = request.get("p-app-name")
        if request.via.sent_by not in self._elements or application == UNPROVEN:
            return None
        uuid = request.get("p-caller-uuid")
        subscriber = None if uuid is None else self.directory.by_uuid(uuid)
        realm = request.from_.uri.host
        if subscriber is None and application != CALL_BACK:
            return Caller(realm, realm in platform.domains, is_inside=True)
        if subscriber is None:
            return None
        caller = _speaking_for(subscriber, platform)
        caller.is_inside = application != CALL_BACK
        return caller

    def _who_proves(self, request: Request, identity: Uri, platform: Platform, now: float) -> Caller:
        """Return what the credentials of a request are worth."""
        realm = identity.host
        if realm not in platform.domains:
            return Caller(realm)
        credentials = Credentials.find(request, realm)
        if credentials is None:
            return Caller(realm, is_local=True)
        subscriber = self.directory.subscriber(credentials.user, realm)
        if subscriber is None:
            return Caller(realm, is_local=True, verdict=Verdict.WRONG)
        verdict = self._authenticator.judge(request, credentials, subscriber, now)
        if verdict is not Verdict.GOOD:
            return Caller(realm, is_local=True, verdict=verdict)
        name = identity.name
        is_own = name == subscriber.username or name.removeprefix("+") in subscriber.aliases
        preferences = platform.preferences_of(subscriber)
        return Caller(realm, True, verdict, subscriber, is_own, preferences=preferences)


def _claimed(request: Request, platform: Platform) -> Uri:
    """Return whose password a request is about: From's, or, where that names no domain, another header's."""
    from_ = request.from_.uri
    if from_.host in platform.domains or not (from_.host.endswith(".invalid") or from_.scheme == "tel"):
        return from_
    for address in (address_in(request, "p-preferred-identity"), request.uri):
        try:
            uri = None if address is None else Uri.parse(address)
        except SipError:
            continue
        if uri is not None and uri.host in platform.domains:
            return uri
    return from_


def _speaking_for(subscriber: Subscriber, platform: Platform) -> Caller:
    preferences = platform.preferences_of(subscriber)
    return Caller(
        subscriber.domain,
        True,
        subscriber=subscriber,
        owns_identity=True,
        preferences=preferences,
        is_trusted=True,
    )


def _peer(request: Request, ip: str, platform: Platform) -> Caller | None:
    found = origin(platform.peer_groups, ip, fields(request))
    realm = request.from_.uri.host
    if found is None:
        return None
    if isinstance(found, Rejected):
        return Caller(realm, rejection=Reply(found.status, found.reason or None))
    return Caller(realm, peer=found.peer, preferences=found.peer.preferences)
