"""Our place in a dialog's route set, signed: nobody talks through us by a Route we did not hand out.

The signature binds the route to the call's Call-ID and the caller's tag, needs no memory and outlives a
restart (RFC 3261 §16.6 step 4, §16.12).
"""

import hashlib
import hmac
from dataclasses import dataclass

from ngcp.sip.syntax import NameAddr, Request
from ngcp.sip.transport.flow import Address, format_address


@dataclass(frozen=True, slots=True)
class Dialogs:
    """Writes and checks our Record-Route."""

    secret: bytes
    own: Address

    def record_route(self, request: Request) -> str:
        """Return the Record-Route value of a request that may form a dialog."""
        tag = request.from_.tag or ""
        did = self._sign(request.call_id, tag)
        return f"<sip:{format_address(self.own)};lr=on;ftag={tag};did={did}>"

    def pop_own_route(self, request: Request) -> bool:
        """Take our Route off; False if the request does not come along a route that we recorded."""
        if "Route" not in request:
            return False
        uri = NameAddr.parse(request.first("Route"), "Route").uri
        tag, did = uri.params.get("ftag") or "", uri.params.get("did") or ""
        expected = self._sign(request.call_id, tag)
        tags = (request.from_.tag, request.to.tag)
        if tag not in tags or not hmac.compare_digest(did.encode("utf-8", "replace"), expected.encode()):
            return False
        request.pop_first("Route")
        return True

    def _sign(self, call_id: str, tag: str) -> str:
        text = f"{call_id} {tag}".encode("utf-8", "surrogateescape")
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()[:16]
