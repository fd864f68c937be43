"""What a proxy does to a request on its way and to the responses on theirs (RFC 3261 §16.6, §16.7)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from ..errors import InvalidHeader, SipError
from ..syntax.message import Request, Response
from ..syntax.names import phrase
from ..transport.flow import Address, Flow, format_address
from .decision import Relay, Target

#: §16.6 step 3: the count where a request came without one.
MAX_FORWARDS: Final = 70

#: As nearly everybody writes it.
_HOPS: Final = {str(hops): hops for hops in range(256)}

#: §16.7 step 6: answers that tell the client how to ask better.
_INSTRUCTIVE: Final = {401: 0, 407: 0, 415: 1, 420: 1, 484: 1}
#: Answers that say nothing about the callee: any other one of their class is better.
_EMPTY: Final = frozenset({408, 430, 481, 487, 503})
_CHALLENGES: Final = ("WWW-Authenticate", "Proxy-Authenticate")


class TooManyHops(SipError):
    """Max-Forwards reached zero (§16.3 step 3)."""

    status = 483
    reason = "Too Many Hops"


def hops_left(request: Request) -> int:
    """Return the Max-Forwards to send on; raises `TooManyHops` or `InvalidHeader`."""
    value = request.get("max-forwards")
    if value is None:
        return MAX_FORWARDS
    hops = _HOPS.get(value)
    if hops is None:
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) < 256):
            raise InvalidHeader("Max-Forwards", value)
        hops = int(value)  # with zeros in front
    if hops == 0:
        raise TooManyHops("Max-Forwards is 0")
    return hops - 1


def prepare(relay: Relay) -> Request:
    """Return a copy with what all branches have in common (§16.6 steps 1, 3 and 4); raises as `hops_left`."""
    copy = relay.request.copy()
    copy.set("Max-Forwards", str(hops_left(relay.request)))
    if relay.hides_path:
        copy.remove("via")
        copy.remove("record-route")
    for value in reversed(relay.record_route):
        copy.prepend("Record-Route", value)
    return copy


def branch_request(request: Request, target: Target, branch: str) -> Request:
    """Make of a request what one target gets (§16.6 steps 2, 6 and 8)."""
    request.uri = target.uri
    for value in reversed(target.route):
        request.prepend("Route", value)
    request.prepend("Via", via_value(target.flow, branch) + target.via_params)
    return request


def via_value(flow: Flow, branch: str) -> str:
    """Write our Via for a request that leaves by `flow`."""
    return f"{_sent_by(flow.transport, flow.local)}{branch}"


@lru_cache(256)
def _sent_by(transport: str, local: Address) -> str:
    return f"SIP/2.0/{transport.upper()} {format_address(local)};branch="


def restore_via(response: Response, request: Request) -> None:
    """Give a response, our own Via gone, the Via values of the request that stayed here (§16.7 step 3)."""
    response.remove("Via")
    response.prepend("Via", ", ".join(request.all("via")))


def best(responses: Sequence[Response]) -> int:
    """Return the index of the final response to send upstream (§16.7 step 6)."""
    return min(range(len(responses)), key=lambda index: _rank(responses[index].status))


def _rank(status: int) -> tuple[int, int]:
    """Order by class, 6xx first, then by what the answer is worth to the client."""
    worth = 3 if status in _EMPTY else _INSTRUCTIVE.get(status, 2)
    return (0 if status >= 600 else status // 100), worth


def add_challenges(response: Response, others: Sequence[Response]) -> None:
    """Let a 401 or 407 carry the challenges of all branches (§16.7 step 7)."""
    if response.status not in (401, 407):
        return
    for other in others:
        if other is not response and other.status in (401, 407):
            for name in _CHALLENGES:
                for value in other.all(name):
                    response.append(name, value)


def hide_overload(response: Response) -> None:
    """Turn 503 into 500: the client would take it for our own overload and leave us (§16.7 step 6)."""
    if response.status == 503:
        response.status, response.reason = 500, phrase(500)
        response.remove("Retry-After")
