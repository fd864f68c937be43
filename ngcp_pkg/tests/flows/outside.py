"""What no packet to the outside may show: every flow test with an edge runs through this.

`watch(wire, …)` looks at each packet when it leaves a public socket of the load-balancer.
"""

import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterable

from flows.wire import Packet, Wire
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Message, Request, Response, parse
from ngcp.sip.transport.flow import Address

#: Tokens of ours: what they hold must not be there to read.
TOKEN = re.compile(r"ngcp(?:ct|rr)=([\w-]+)")
#: Headers between the elements.
INNER = {"path", "service-route"}
#: P- headers that phones may see (RFC 3325).
SHOWN = {"p-asserted-identity", "p-preferred-identity"}


def watch(wire: Wire, public: Iterable[Address], hosts: Iterable[str]) -> None:
    """Fail as soon as a packet leaves a socket of `public` that names one of the inner `hosts`."""
    sockets, inner = set(public), set(hosts)
    said: defaultdict[Address, set[str]] = defaultdict(set)

    def inspect(packet: Packet) -> None:
        if packet.destination in sockets:  # who names an address itself gets it back in its own Via and tags
            said[packet.source] |= {host for host in inner if host in packet.text}
        if packet.source in sockets:
            problem = find_leak(packet, inner - said[packet.destination])
            assert problem is None, f"{problem} leaves for {packet.destination}:\n{packet.text}"

    wire.inspectors.append(inspect)


def find_leak(packet: Packet, hosts: set[str]) -> str | None:
    """Say what a packet shows of the inside, None if nothing."""
    if not packet.data.strip(b"\r\n"):  # a keep-alive
        return None
    try:
        message = parse(packet.data)
    except SipError:
        return "no SIP"
    message.remove("Call-ID")  # it is an identifier, whatever it looks like, and must stay the same
    readable = bytes(message).decode(errors="replace") + "".join(
        _decoded(token) for token in TOKEN.findall(packet.text)
    )
    for host in hosts:
        if re.search(rf"(?<![\d.]){re.escape(host)}(?![\d.])", readable):
            return f"the inner host {host}"
    return _find_header(message)


def _find_header(message: Message) -> str | None:
    inner = {name for name in message.shape if name in INNER or (name.startswith("p-") and name not in SHOWN)}
    if inner:
        return f"the header {inner.pop()}"
    if isinstance(message, Request) and len(message.all("via")) != 1:
        return "the Via of another hop"
    if isinstance(message, Response) and message.get("server") == "Sipwise NGCP Proxy":
        return None if message.status in (401, 407) else "the Server of an inner hop"
    return None


def _decoded(token: str) -> str:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode(errors="replace")
