"""Via on the way in and back: received, rport and where a response goes (RFC 3261 §18.2, RFC 3581)."""

from ..syntax.fields import Via
from ..syntax.message import Request
from .flow import Address, Flow, parse_host


def stamp_via(request: Request, flow: Flow) -> None:
    """Note in the topmost Via where the request really came from (§18.2.1, RFC 3581 §4).

    The port is noted even where the client did not ask for it: behind a NAT nothing else reaches it.
    """
    via = request.via
    host, port = flow.remote
    wants_rport = "rport" in via.params
    if not wants_rport and parse_host(via.host) == host and via.sent_by[1] == port:
        return
    params = {**via.params, "received": f"[{host}]" if ":" in host else host, "rport": str(port)}
    request.replace_first("Via", str(Via(via.transport, via.host, via.port, params)))


def response_flow(via: Via, local: Address) -> Flow:
    """Return the way of a response whose topmost Via is `via` (§18.2.2, RFC 3581 §4)."""
    host = parse_host(via.params.get("received") or via.host)
    rport = via.params.get("rport")
    port = int(rport) if rport and rport.isascii() and rport.isdigit() and len(rport) <= 5 else via.sent_by[1]
    return Flow(via.transport, local, (host, port))
