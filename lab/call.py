"""Calls through a node: two phones, media both ways, every packet counted."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

from lab import nodes, relay, sipp
from lab.errors import LabError
from lab.machines import Machine
from lab.rest import RestClient
from lab.rtp import RtpEndpoint, stream
from lab.sipp import Phone
from lab.subscribers import provision

#: Packets each side sends in a call: four seconds.
PACKETS: Final = 200
EXPIRES: Final = 600


@dataclass(frozen=True, slots=True)
class CallReport:
    """What a call carried."""

    #: Packets of the caller, and what arrived of them at the callee.
    caller_sent: int
    callee_received: int
    #: Packets of the callee, and what arrived of them at the caller.
    callee_sent: int
    caller_received: int
    #: Packets that the media relay says it relayed, both ways together.
    relayed: int
    #: TOS bytes of the packets that arrived.
    tos: frozenset[int]
    #: UDP ports of the node that they came from.
    ports: frozenset[int]

    def check(self) -> None:
        """Raise a LabError unless every packet arrived and the relay counted the same."""
        sent = self.caller_sent + self.callee_sent
        arrived = (self.caller_sent, self.callee_sent) == (self.callee_received, self.caller_received)
        if not arrived or self.relayed != sent:
            raise LabError(f"packets were lost: {self}")


def register(phone: Phone, server: str, expires: int = EXPIRES) -> None:
    """Bind a phone's address to its subscriber for `expires` seconds; 0 unbinds it."""
    sipp.play("register", phone, server, expires=expires)


def call(
    node: Machine, caller: Phone, callee: Phone, *, dial: str = "", packets: int = PACKETS
) -> CallReport:
    """Call from one registered phone to another and stream `packets` each way; `dial` may be its alias."""
    server = node.address
    with (
        closing(RtpEndpoint(caller.address, caller.rtp_port)) as caller_end,
        closing(RtpEndpoint(callee.address, callee.rtp_port)) as callee_end,
        sipp.playing("answer", callee, server) as answering,
        sipp.playing("call", caller, server, service=dial or callee.user) as calling,
    ):
        to_caller, to_callee = answering.media(), calling.media()
        stream([(caller_end, to_callee.remote), (callee_end, to_caller.remote)], packets)
        relayed = relay.query(node, to_callee.call_id).packets
        calling.hang_up(to_callee.call_id)
        calling.finish()
        answering.finish()
    return _report(caller_end, callee_end, relayed)


def _report(caller: RtpEndpoint, callee: RtpEndpoint, relayed: int) -> CallReport:
    return CallReport(
        caller_sent=caller.sent,
        callee_received=callee.received,
        callee_sent=callee.sent,
        caller_received=caller.received,
        relayed=relayed,
        tos=frozenset(caller.tos | callee.tos),
        ports=frozenset(port for _, port in caller.sources | callee.sources),
    )


def first_call(target: nodes.Node) -> CallReport:
    """Provision two subscribers on a node, register their phones, and let one call the other."""
    machine = target.machine
    caller, callee = provision(RestClient(machine.address, nodes.password(target)))
    register(caller, machine.address)
    register(callee, machine.address)
    report = call(machine, caller, callee)
    report.check()
    return report
