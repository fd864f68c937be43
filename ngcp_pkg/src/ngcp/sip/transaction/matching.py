"""Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3).

A merged request (§8.2.2.2: the same request by two paths) is a transaction of its own here: refusing it
is a user agent's duty, and a proxy that did so would break every fork and every spiral upstream of it.
"""

from collections.abc import Hashable
from typing import Final

from ..syntax.message import Request, Response

#: How a branch of RFC 3261 begins; those of RFC 2543 promise nothing (§8.1.1.7).
COOKIE: Final = "z9hG4bK"


def server_key(request: Request, method: str | None = None) -> Hashable:
    """Return what a request is matched by; `method` asks for another one's, as CANCEL for its INVITE (§9.2).

    Without a branch of RFC 3261 the whole Via, From tag, Call-ID and CSeq number identify the sender's
    transaction. That is less than §17.2.3 lists (To tag and Request-URI are left out): no two requests
    of one sender that differ only in those share a CSeq number, and so the ACK of a 2xx finds its INVITE.
    """
    via = request.via
    method = method or request.method
    if method == "ACK":
        method = "INVITE"
    if via.branch.startswith(COOKIE) and via.branch != COOKIE:
        return via.branch, via.sent_by, method
    return request.first("via"), request.from_.tag, request.call_id, request.cseq.number, method


def client_key(response: Response) -> Hashable:
    """Return what a response is matched by: the branch we gave, and the method."""
    return response.via.branch, response.cseq.method
