"""Registrations (RFC 3261 §10)."""

from ngcp.provisioning.location import PINGING
from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome, Store
from ngcp.sip.core.bindings import Source
from ngcp.sip.core.registration import options_of
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request
from ngcp.sip.transport.flow import format_address

from .location import address_of


class NoOutboundSupport(SipError):
    """The first hop cannot bring requests back over the phone's flow (RFC 5626 §11.6)."""

    status = 439
    reason = "First Hop Lacks Outbound Support"


def register(call: Call, floor: Floor) -> Outcome | None:
    """Plan a REGISTER (§10.3)."""
    subscriber = call.caller.subscriber
    if call.request.method != "REGISTER" or subscriber is None:
        return None
    identity = call.request.to.uri
    aor = address_of(subscriber, identity.name.removeprefix("+"), identity.host)
    _check_first_hop(call.request)
    pinging = call.caller.preferences.text("nat_sipping") or ""
    source = source_of(call.request, pinging if pinging in PINGING else "")
    return Store(floor.registrar.plan(aor, call.request, source, call.now))


def _check_first_hop(request: Request) -> None:
    """Refuse a flow to somebody who does not keep it (RFC 5626 §6)."""
    if "reg-id=" not in (request.get("contact") or "") or "outbound" not in options_of(request):
        return
    path = request.all("path")
    if path and not NameAddr.parse(path[-1], "Path").uri.params.keys() & {"ob"}:
        raise NoOutboundSupport("the phone came by a proxy that does not keep its flow")


def source_of(request: Request, pinging: str = "") -> Source:
    """Read what the load-balancer noted about where a REGISTER came from; see `Source` for `pinging`."""
    path = ", ".join(request.all("path")) or None
    host, port = request.get("p-ngcp-src-ip"), request.get("p-ngcp-src-port")
    transport = (request.get("p-ngcp-src-proto") or "udp").lower()
    received = None
    if host and port and port.isdigit():
        received = f"sip:{format_address((host, int(port)))};transport={transport}"
    return Source(path, received, None, request.get("p-ngcp-src-nat") == "1", pinging)
