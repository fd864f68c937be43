"""Our place in a dialog's route set, signed: nobody talks through us by a Route we did not hand out.

The signature binds the route to the call's Call-ID and the caller's tag, needs no memory and outlives a
restart (RFC 3261 §16.6 step 4, §16.12). Where From or To leave with other addresses than they came with, the
route also says, sealed, what each side knows: so an anonymous caller stays anonymous in every later request.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Response
from ngcp.sip.syntax.message import Message
from ngcp.sip.syntax.seal import Seal
from ngcp.sip.transport.flow import Address, format_address

#: The parameter that holds the names, as in the platform's routes.
NAMES: Final = "vsf"
#: The mark of a leg that the back-to-back user agent made, and what its signature has in the place of names.
LEG_B: Final = ";leg_b=1"


class Dialogs:
    """Writes and checks our Record-Route."""

    def __init__(self, secret: bytes, own: Address) -> None:
        self._host = format_address(own)
        self.rekey(secret, ())

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Sign with another secret from now on; what `earlier` ones signed stays valid."""
        self._secret, self._earlier = secret, tuple(earlier)
        self._seal = Seal(secret, "names", earlier)

    def record_route(self, received: Request, leaving: Request | None = None) -> str:
        """Return the Record-Route value of a request that may form a dialog, and leaves as `leaving`."""
        tag = received.from_.tag or ""
        token = "" if leaving is None else self._names(received, leaving)
        names = f";{NAMES}={token}" if token else ""
        return f"<sip:{self._host};lr=on;ftag={tag};did={self._sign(received.call_id, tag, token)}{names}>"

    def record_leg_b(self, request: Request) -> str:
        """Return the Record-Route value of an INVITE that the back-to-back user agent made."""
        tag = request.from_.tag or ""
        return f"<sip:{self._host};lr=on;ftag={tag}{LEG_B};did={self._sign(request.call_id, tag, LEG_B)}>"

    def follow(self, request: Request) -> Request | None:
        """Return a request in a dialog as it goes on behind us: without our Route, in the receiver's names.

        None: it does not come along a route that we recorded. Else `request` loses it, but keeps its names.
        """
        if "route" not in request:
            return None
        params = NameAddr.parse(request.first("route"), "Route").uri.params
        tag, did, token = (params.get(name) or "" for name in ("ftag", "did", NAMES))
        names = LEG_B if "leg_b" in params else token
        if tag not in (request.from_.tag, request.to.tag) or not self._is_ours(
            did, request.call_id, tag, names
        ):
            return None
        request.pop_first("Route")
        return self._renamed(request, token, request.from_.tag == tag) if token else request

    def _names(self, received: Request, leaving: Request) -> str:
        """Seal what From and To say on both sides; empty if they say the same."""
        if received.get("from") == leaving.get("from") and received.get("to") == leaving.get("to"):
            return ""
        addresses = (received.from_, received.to, leaving.from_, leaving.to)
        return self._seal.close("\n".join(map(_without_params, addresses)))

    def _renamed(self, request: Request, token: str, is_callers: bool) -> Request:
        caller_from, caller_to, callee_from, callee_to = self._seal.open(token).split("\n")
        renamed = request.copy()
        from_, to = (callee_from, callee_to) if is_callers else (caller_to, caller_from)
        _rename(renamed, "From", from_, request.from_.tag)
        _rename(renamed, "To", to, request.to.tag)
        return renamed

    def _sign(self, call_id: str, tag: str, token: str) -> str:
        return _sign(self._secret, call_id, tag, token)

    def _is_ours(self, did: str, call_id: str, tag: str, token: str) -> bool:
        given = did.encode("utf-8", "replace")
        signed = (_sign(secret, call_id, tag, token) for secret in (self._secret, *self._earlier))
        return any(hmac.compare_digest(given, one.encode()) for one in signed)


def _sign(secret: bytes, call_id: str, tag: str, token: str) -> str:
    text = f"{call_id} {tag} {token}".encode("utf-8", "surrogateescape")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:16]


def is_of_leg_b(request: Request) -> bool:
    """Tell whether a request in a dialog came along the route of `record_leg_b`."""
    return "route" in request and LEG_B in request.first("route")


def restore_names(response: Response, request: Request) -> None:
    """Let an answer name both sides as its request did, with the answerer's tag (§8.2.6.2)."""
    if response.get("from") != request.get("from"):
        response.set("From", request.first("from"))
    try:
        tag = None if request.to.tag else response.to.tag
    except SipError:
        return  # what cannot be read has no tag to keep
    to = request.first("to")
    expected = f"{to};tag={tag}" if tag else to
    if response.get("to") != expected:
        response.set("To", expected)


def _without_params(address: NameAddr) -> str:
    return str(NameAddr(address.display, address.address))


def _rename(message: Message, header: str, address: str, tag: str | None) -> None:
    value = f"{address};tag={tag}" if tag else address
    if message.get(header) != value:
        message.set(header, value)
