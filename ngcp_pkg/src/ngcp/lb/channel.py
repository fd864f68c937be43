"""What the workers of one load-balancer say to each other, one packet a time: values to bytes and back.

A packet is a line of text, `KIND transport host port host port` (the flow it is about, our own side first),
and then the message that is passed on, if any; or `KIND` and JSON.
"""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ngcp.sip.transport.flow import Flow

#: The transport of flows between workers; the address of one is this and its number.
TRANSPORT: Final = "worker"


class Kind(Enum):
    """What a packet is."""

    RESPONSE = "response"
    """A response that came to the sender; the receiver has its transaction."""
    SEND = "send"
    """A message to be sent by a connection that the receiver has."""
    OPENED = "opened"
    """The sender has a connection now."""
    CLOSED = "closed"
    """The sender has a connection no more."""
    NEWS = "news"
    """A change of a table that all workers have."""
    ASK = "ask"
    """A control command."""
    ANSWER = "answer"
    """A part of what became of it."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A packet about a flow."""

    kind: Kind
    flow: Flow
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Told:
    """A packet with a value: whatever JSON can say."""

    kind: Kind
    value: object


#: The kinds that carry a value.
TOLD: Final = frozenset({Kind.NEWS, Kind.ASK, Kind.ANSWER})


def write(packet: Passed | Told) -> bytes:
    """Return the bytes of a packet."""
    if isinstance(packet, Told):
        return f"{packet.kind.value}\n{json.dumps(packet.value)}".encode()
    transport, (host, port), (peer, peer_port) = packet.flow
    return f"{packet.kind.value} {transport} {host} {port} {peer} {peer_port}\n".encode() + packet.data


def read(data: bytes) -> Passed | Told:
    """Return the packet in `data`; `ValueError` if there is none."""
    head, line_end, rest = data.partition(b"\n")
    if not line_end:
        raise ValueError("a packet without its first line")
    name, *words = head.decode().split(" ")
    kind = Kind(name)
    if kind in TOLD:
        return Told(kind, json.loads(rest))
    transport, host, port, peer, peer_port = words
    return Passed(kind, Flow(transport, (host, int(port)), (peer, int(peer_port))), rest)


def between(own: int, other: int) -> Flow:
    """Return the flow from worker `own` to worker `other`."""
    return Flow(TRANSPORT, (TRANSPORT, own), (TRANSPORT, other))
