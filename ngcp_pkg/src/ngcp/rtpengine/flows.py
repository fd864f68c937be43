"""What the core says and a forwarding plane executes."""

from typing import NamedTuple, Protocol, TypeAlias

#: Host and port; the host is a literal IPv4 or IPv6 address.
Address: TypeAlias = tuple[str, int]


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


class Binder(Protocol):
    """Something that holds ports for us."""

    def bind(self, address: Address) -> bool:
        """Claim `address`; False if somebody else has it."""

    def close(self, address: Address) -> None:
        """Let go of a claimed address."""
