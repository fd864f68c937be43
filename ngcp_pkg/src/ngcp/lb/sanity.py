"""The first station: what is no sane SIP is refused here, before it costs a transaction (RFC 3261 §16.3).

A message comes in; it is let pass, or a `SipError` says what the sender did wrong.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from ngcp.sip.errors import InvalidHeader, InvalidUri, MissingHeader, SipError
from ngcp.sip.syntax.fields import NameAddr, parse_auth, parse_username
from ngcp.sip.syntax.memory import remembered, remembered_shape
from ngcp.sip.syntax.message import Message, Request
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import parse_host

#: Headers that every message has exactly once (§8.1.1, §8.2.6.2).
SINGLE: Final = {"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
AT_MOST_ONCE: Final = {"max-forwards": "Max-Forwards", "content-length": "Content-Length"}
SCHEMES: Final = ("sip", "sips", "tel")
#: What digest credentials cannot do without (§25.1).
DIGEST: Final = frozenset({"realm", "nonce", "uri", "response"})
#: A tag is a token (§25.1); longer ones than this come from nobody.
LONGEST_TAG: Final = 256

#: Enough of a Via to be answered: a sender, of whatever version (RFC 4475 §3.1.2.16).
_SENDER: Final = re.compile(
    r"SIP\s*+/\s*+\d\.\d\s*+/\s*+[\w-]++\s++(?:\[[0-9A-F:.]++\]|[A-Z0-9_.-]++)\s*+(?::\s*+\d{1,5}\s*+)?(?:;|$)",
    re.IGNORECASE | re.ASCII,
)
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


class BadExtension(SipError):
    """A Proxy-Require: we support no extension that must be known on the way (§16.3 step 5)."""

    status = 420
    reason = "Bad Extension"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"required of proxies: {wanted[:100]}")
        self.headers = (("Unsupported", wanted),)


def check_message(message: Message) -> None:
    """Check what requests and responses share."""
    _check_shape(message.shape)
    length = message.content_length
    if length is not None and length > len(message.body):
        raise BadBody(f"{length} bytes announced, {len(message.body)} received")


@remembered_shape
def _check_shape(names: tuple[str, ...]) -> None:
    """Check which headers there are."""
    for name, spelling in SINGLE.items():
        count = names.count(name)
        if count != 1:
            raise DuplicateHeader(spelling) if count else MissingHeader(spelling)
    for name, spelling in AT_MOST_ONCE.items():
        if names.count(name) > 1:
            raise DuplicateHeader(spelling)


def check_request(request: Request) -> None:
    """Check what only requests have."""
    if request.cseq.method != request.method:
        raise InvalidHeader("CSeq", str(request.cseq))
    hops = request.get("max-forwards")
    if hops is not None and not (hops.isascii() and hops.isdigit() and len(hops) <= 10 and int(hops) < 256):
        raise InvalidHeader("Max-Forwards", hops)
    if read_target(request.uri)[0] not in SCHEMES:
        raise UnsupportedScheme(request.uri)
    if not request.call_id:
        raise InvalidHeader("Call-ID", "")
    _check_from(request.first("from"))
    _check_to(request.first("to"))
    for header in ("authorization", "proxy-authorization"):
        for credentials in request.all(header):
            _check_credentials(credentials)


def check_extensions(request: Request) -> None:
    """Refuse what must not be relayed by somebody who does not know the extension; ACK is exempt."""
    if "proxy-require" in request and request.method != "ACK":
        raise BadExtension(", ".join(request.all("proxy-require")))


def is_answerable(request: Request) -> bool:
    """Whether the topmost Via names a sender, whatever else is wrong with it."""
    try:
        return bool(request.via)
    except InvalidHeader:
        return _SENDER.match(request.first("via")) is not None
    except MissingHeader:
        return False


@remembered
def read_target(text: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    """Return scheme and, where the host is no name, IP address of a Request-URI, or raise `InvalidUri`."""
    uri = Uri.parse(text)
    if uri.headers is not None:  # §19.1.1: they mean something in a Contact, in a Request-URI nothing
        raise InvalidUri(text)
    address = _read_host(uri.host)
    if address is None and uri.host.startswith("["):
        raise InvalidUri(text)
    return uri.scheme, address


@remembered
def _read_host(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(parse_host(host))
    except ValueError:
        return None


def _check_party(header: str, text: str) -> None:
    """Check the URI and the tag of a From or To."""
    party = NameAddr.parse(text, header)
    try:
        Uri.parse(party.address)
    except InvalidUri as error:
        raise InvalidHeader(header, party.address) from error
    tag = party.tag
    if tag is not None and not (0 < len(tag) <= LONGEST_TAG and _TOKEN.issuperset(tag)):
        raise InvalidHeader(header, party.address)


_check_from: Final = remembered(lambda text: _check_party("From", text))
_check_to: Final = remembered(lambda text: _check_party("To", text))


def _check_credentials(credentials: str) -> None:
    try:
        scheme, params = parse_auth(credentials)
        username = parse_username(params)
    except InvalidHeader as error:
        raise BadAuthorization(str(error)) from error
    missing = sorted(DIGEST - params.keys()) + ["username"] * (username is None)
    if scheme == "digest" and missing:
        raise BadAuthorization(f"digest credentials lack {', '.join(missing)}")
