"""Via on the way in and back: received, rport and where a response goes (RFC 3261 §18.2, RFC 3581)."""

import re
from typing import Final

from ..syntax.fields import Via
from ..syntax.message import Request
from .flow import Address, Flow, parse_host

#: What a Via may not have if a port is to be put in by a cut: `rport` with a value or as a part of a longer
#: name, a `received` of its own, or quotes.
_UNUSUAL: Final = re.compile(r';rport(?!;|$)|received|"', re.IGNORECASE)


def stamp_via(request: Request, flow: Flow) -> None:
    """Note in the topmost Via where the request really came from (§18.2.1, RFC 3581 §4).

    The port is noted even where the client did not ask for it: behind a NAT nothing else reaches it.
    """
    via = request.via
    host, port = flow.remote
    wants_rport = "rport" in via.params
    if not wants_rport and parse_host(via.host) == host and via.sent_by[1] == port:
        return
    received = f"[{host}]" if ":" in host else host
    value = request.first("via")
    if wants_rport and value.count(";rport") == 1 and not _UNUSUAL.search(value):
        request.replace_first("Via", f"{value.replace(';rport', f';rport={port}')};received={received}")
        return
    params = {**via.params, "received": received, "rport": str(port)}
    request.replace_first("Via", str(Via(via.transport, via.host, via.port, params)))


def response_flow(via: Via, local: Address) -> Flow:
    """Return the way of a response whose topmost Via is `via` (§18.2.2, RFC 3581 §4)."""
    host = parse_host(via.params.get("received") or via.host)
    rport = via.params.get("rport")
    port = int(rport) if rport and rport.isascii() and rport.isdigit() and len(rport) <= 5 else via.sent_by[1]
    return Flow(via.transport, local, (host, port))
