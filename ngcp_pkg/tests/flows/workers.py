"""The workers of one load-balancer on the wire: their public sockets are shared, the others are their own."""

import functools

from flows.wire import Wire
from ngcp.lb.channel import between
from ngcp.lb.config import Configuration
from ngcp.lb.core import LoadBalancer
from ngcp.lb.exchange import Exchange
from ngcp.sip.transport.flow import Address, Flow

SECRET = b"edge secret"


def by_tens(peer: Address) -> int:
    """Give 192.0.2.10 to worker 1, 192.0.2.20 to worker 2 …, so that a test knows who has whom."""
    return int(peer[0].rpartition(".")[2]) // 10


def start(wire: Wire, configuration: Configuration, size: int, before: int = 1) -> list[LoadBalancer]:
    """Put a load-balancer of `size` workers on the wire; `before` there were so many."""
    if size == 1:
        cores = [LoadBalancer(configuration, SECRET, wire.ids(f"lb{len(wire.packets)}-"))]
    else:
        wire.spread = by_tens
        cores = [
            LoadBalancer(
                configuration,
                SECRET,
                wire.ids(f"lb{len(wire.packets)}-{number}-"),
                exchange=Exchange(number, size),
            )
            for number in range(size)
        ]
    public = configuration.public
    for transport, address in (("udp", public.socket), ("tcp", public.socket)):
        wire.share(cores, transport, address)
    wire.share(cores, "tls", (public.address, public.tls_port))
    sockets = configuration.internal.sockets[: max(size, before)]
    for number, core in enumerate(cores):
        own, *others = sockets[number::size]
        wire.attach(core, "udp", own)
        for address in others:
            wire.attach_to(functools.partial(_receive_as, core, own), core, "udp", address)
        if size > 1:
            wire.attach_to(functools.partial(_receive_packet, core), core, *between(number, 0)[:2])
    return cores


def _receive_as(core: LoadBalancer, own: Address, data: bytes, flow: Flow, now: float) -> None:
    core.receive(data, flow._replace(local=own), now)


def _receive_packet(core: LoadBalancer, data: bytes, flow: Flow, now: float) -> None:
    core.receive_packet(data, flow.remote[1], now)
