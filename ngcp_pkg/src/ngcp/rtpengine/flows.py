"""What the core says and a forwarding plane executes."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

from ngcp.rtp import suites

#: What protects one direction of a stream.
Keys: TypeAlias = suites.Keys
#: Host and port; the host is a literal IPv4 or IPv6 address.
Address: TypeAlias = tuple[str, int]


class Kind(IntEnum):
    """What arrives at a port."""

    OPAQUE = 0
    """Anything: fax data, or what nobody told us of."""
    RTP = 1
    RTCP = 2
    MUXED = 3
    """Both on one port (RFC 5761)."""


class Exit(NamedTuple):
    """Where packets leave."""

    send_from: Address
    send_to: Address | None


class Process(Protocol):
    """What user space does with the packets of a flow, beyond relaying them: transcode, record, block …."""

    def __call__(self, packet: bytes, now: float) -> Sequence[bytes]:
        """Return what leaves in place of `packet`, plain RTP or RTCP: nothing, itself, or others."""


class Flow(NamedTuple):
    """The way of the packets that arrive at one local port."""

    local: Address
    """The port they arrive at; it names the flow."""
    expect_from: Address | None
    """The only source whose packets are relayed; the core is asked about all others."""
    send_from: Address
    """The local port they leave from: the one at which their receiver sends to us."""
    send_to: Address | None
    """Where they go; None while the receiver is unknown or wants none: they are counted and dropped."""
    tos: int
    """The TOS byte (traffic class) of the packets that leave."""
    kind: Kind = Kind.OPAQUE
    """What arrives."""
    rtcp: Exit | None = None
    """Where the RTCP of a multiplexed port leaves, if its receiver has a port for it."""
    decrypt: Keys | None = None
    """What arrives is SRTP and SRTCP under these."""
    encrypt: Keys | None = None
    """What leaves is SRTP and SRTCP under these."""
    is_guarded: bool = False
    """Whether STUN and DTLS may come (RFC 7983 §7); they go to the core, whoever sent them."""
    process: Process | None = None
    """What is done with each packet, unprotected."""


class Position(NamedTuple):
    """How far a source of SRTP is: its highest packet indexes (RFC 3711 §3.3.1), -1 before the first."""

    came: int
    left: int


class Counters(NamedTuple):
    """What arrived at one local port."""

    packets: int = 0
    """Packets from the expected source."""
    bytes: int = 0
    """Their payload."""
    errors: int = 0
    """Packets from anybody else, and packets that could not be sent."""
    last_packet: float | None = None
    """When the last packet from the expected source came, on the clock of `now`."""


class Plane(Protocol):
    """Something that forwards packets. Both ports of a flow are bound before it is added."""

    def add(self, flow: Flow) -> None:
        """Execute `flow` from now on, in place of the one with the same `local`, whose counters go on."""

    def remove(self, local: Address) -> None:
        """Forward nothing more that arrives at `local`, and forget its counters."""

    def counters(self, local: Address) -> Counters:
        """Return what has arrived at `local` since its flow was added."""

    def send(self, local: Address, to: Address, packet: bytes) -> None:
        """Send a packet of the core's own, as it is, from the port `local`."""

    def inject(self, local: Address, packet: bytes) -> None:
        """Send plain RTP or RTCP of the core's own on the way of what arrives at `local`."""


class Handover(Protocol):
    """User space, which has counted the packets of protected flows so far, and will again.

    Under one key no index may ever be used twice.
    """

    def positions(self, local: Address) -> Mapping[int, Position]:
        """Return how far each source is that sends RTP to `local`; the newest last."""

    def resume(self, local: Address, positions: Mapping[int, Position]) -> None:
        """Take over: so far have the packets come that arrived at `local`."""


class PlaneLost(Exception):
    """A fast plane cannot do its work any more; the text says what is missing."""


class FastPlane(Protocol):
    """Something outside this process that forwards plain flows; user space stands behind it."""

    name: str
    """For the operator: `kernel module`, `eBPF`."""

    def can(self, flow: Flow) -> bool:
        """Whether it is able to forward such a flow, which expects a source and has somewhere to go."""

    def add(self, flow: Flow) -> None:
        """Forward `flow` from now on, or raise `PlaneLost`. What does not fit it goes to our socket."""

    def remove(self, local: Address) -> None:
        """Let all that arrives at `local` come to our socket; nothing is wrong if it does already."""

    def counters(self, local: Address) -> Counters:
        """Return what it has forwarded from `local` since the flow was added."""

    def check(self) -> str | None:
        """Return what keeps it from working, None if nothing does; it takes up its work again here."""


class Binder(Protocol):
    """Something that holds ports for us."""

    def bind(self, address: Address) -> bool:
        """Claim `address`; False if somebody else has it."""

    def close(self, address: Address) -> None:
        """Let go of a claimed address."""
