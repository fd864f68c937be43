"""The first station: what is no sane SIP is refused here, before it costs a transaction (RFC 3261 §16.3).

A message comes in; it is let pass, or a `SipError` says what the sender did wrong.
"""

from collections.abc import Collection
from typing import Final

from ngcp.sip.errors import InvalidHeader, InvalidUri, MissingHeader, SipError
from ngcp.sip.syntax.fields import Via, parse_auth
from ngcp.sip.syntax.memory import remembered
from ngcp.sip.syntax.message import Message, Request
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Address, parse_host

#: Headers that every message has exactly once (§8.1.1, §8.2.6.2).
SINGLE: Final = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
AT_MOST_ONCE: Final = {"max-forwards": "Max-Forwards", "content-length": "Content-Length"}
SCHEMES: Final = ("sip", "sips", "tel")
#: What digest credentials cannot do without (§25.1).
DIGEST: Final = frozenset({"username", "realm", "nonce", "uri", "response"})
#: A tag is a token (§25.1); longer ones than this come from nobody.
LONGEST_TAG: Final = 256
#: How often a request may leave us and come back by the public side: each time to another user, so it is
#: a spiral (§16.3 step 4); a loop goes on.
SPIRALS: Final = 2

_TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!%*_+`'~-")


class DuplicateHeader(SipError):
    """A header of which there is one, twice: two elements could believe different ones."""

    def __init__(self, name: str) -> None:
        super().__init__(f"header {name} is there more than once")
        self.reason = f"Duplicate {name} Header"


class BadAuthorization(SipError):
    """Credentials that nobody can read."""

    reason = "Bad Auth Header"


class BadBody(SipError):
    """Content-Length announces more than there is (§18.3)."""

    reason = "Content-Length Mismatch"


class UnsupportedScheme(SipError):
    """A Request-URI that no SIP element serves (§16.3 step 2)."""

    status = 416
    reason = "Unsupported URI Scheme"


class LoopDetected(SipError):
    """A request that comes back again and again (§16.3 step 4)."""

    status = 482
    reason = "Loop Detected"


def check_message(message: Message) -> None:
    """Check what requests and responses share."""
    names = message.shape
    for name, spelling in SINGLE.items():
        count = names.count(name)
        if count != 1:
            raise DuplicateHeader(spelling) if count else MissingHeader(spelling)
    for name, spelling in AT_MOST_ONCE.items():
        if names.count(name) > 1:
            raise DuplicateHeader(spelling)
    length = message.content_length
    if length is not None and length > len(message.body):
        raise BadBody(f"{length} bytes announced, {len(message.body)} received")


def check_request(request: Request) -> None:
    """Check what only requests have."""
    if request.cseq.method != request.method:
        raise InvalidHeader("CSeq", str(request.cseq))
    hops = request.get("max-forwards")
    if hops is not None and not (hops.isascii() and hops.isdigit() and len(hops) <= 3 and int(hops) < 256):
        raise InvalidHeader("Max-Forwards", hops)
    if Uri.parse(request.uri).scheme not in SCHEMES:
        raise UnsupportedScheme(request.uri)
    for header, party in (("From", request.from_), ("To", request.to)):
        _check_uri(header, party.address)
        tag = party.tag
        if tag is not None and not (0 < len(tag) <= LONGEST_TAG and _TOKEN.issuperset(tag)):
            raise InvalidHeader(header, party.address)
    for header in ("authorization", "proxy-authorization"):
        for credentials in request.all(header):
            _check_credentials(credentials)


def check_loop(request: Request, own: Collection[Address]) -> None:
    """Refuse what has left us by our public sockets `own` more often than a call is forwarded."""
    vias = request.all("via")
    if len(vias) > SPIRALS and sum(_sent_by(via) in own for via in vias) > SPIRALS:
        raise LoopDetected(request.uri)


def _sent_by(via: str) -> Address:
    host, port = Via.parse(via).sent_by
    return parse_host(host), port


def _check_uri(header: str, address: str) -> None:
    if not _is_uri(address):
        raise InvalidHeader(header, address)


@remembered
def _is_uri(text: str) -> bool:
    try:
        Uri.parse(text)
    except InvalidUri:
        return False
    return True


def _check_credentials(credentials: str) -> None:
    try:
        scheme, params = parse_auth(credentials)
    except InvalidHeader as error:
        raise BadAuthorization(str(error)) from error
    if scheme == "digest" and not DIGEST.issubset(params):
        raise BadAuthorization(f"digest credentials lack {', '.join(sorted(DIGEST - params.keys()))}")
