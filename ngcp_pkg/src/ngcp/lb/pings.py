"""Keep-alives from the proxy to phones behind NAT (RFC 5626 §4.4): nothing is kept of them here.

The proxy sends OPTIONS along a phone's Path and says in P-NGCP-Ping what the phone shall get: the `options`
itself, or only the empty lines (`crlf`), for which we answer. 100,000 phones mean 3,000 of them a second, and
each would stay as a transaction for 32 s.
"""

from typing import Final

from ngcp.lb import corridor
from ngcp.lb.edge import Edge
from ngcp.lb.headers import FROM_OUTSIDE, TO_OUTSIDE, keep_private
from ngcp.lb.stations import FlowFailed
from ngcp.sip.core.decision import Relay, Target
from ngcp.sip.core.forwarding import branch_request, prepare, via_value
from ngcp.sip.syntax.message import Request, Response
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport.flow import Flow

HEADER: Final = "p-ngcp-ping"
#: The empty lines that keep a NAT's binding, or a connection, alive.
CRLF: Final = b"\r\n\r\n"
#: How the branches begin by which answers are known; number and branch of the proxy behind it prove them.
BRANCH: Final = f"{COOKIE}ngcp-ping-"


class Pings:
    """Passes pings on, and their answers back."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._outbox: list[tuple[bytes, Flow]] = []

    def receive(self, request: Request, flow: Flow) -> bool:
        """Take a ping of the proxy; whether we are to answer it 200. Raises `FlowFailed` and the like."""
        target = corridor.locate(request, flow, self.edge)
        if request.get(HEADER) == "crlf":
            self._outbox.append((CRLF, target))
            return True
        keep_private(request, TO_OUTSIDE)
        proxies = list(self.edge.dispatcher.destinations)
        number = proxies.index(flow.remote) if flow.remote in proxies else 0
        branch = f"{BRANCH}{number}-{request.via.branch.removeprefix(COOKIE)}"
        relay = Relay(request, (Target(request.uri, target),), hides_path=True)
        self._outbox.append((bytes(branch_request(prepare(relay), relay.targets[0], branch)), target))
        return False

    def receive_answer(self, response: Response) -> bool:
        """Whether this was the answer to a ping; it goes to the proxy whose number stands in the branch.

        That a flow failed is ours to say: from outside, who has seen a ping could end the registration by it.
        """
        if not response.via.branch.startswith(BRANCH):
            return False
        number, _, branch = response.via.branch.removeprefix(BRANCH).partition("-")
        proxies = dict(enumerate(self.edge.dispatcher.destinations.values()))
        destination = proxies.get(int(number)) if number.isascii() and number.isdigit() else None
        if destination is not None and response.status != FlowFailed.status:
            keep_private(response, FROM_OUTSIDE)
            response.set(
                "Via",
                via_value(Flow("udp", destination.flow.remote, destination.flow.local), COOKIE + branch),
            )
            self._outbox.append((bytes(response), destination.flow))
        return True

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what goes out."""
        outbox, self._outbox = self._outbox, []
        return outbox
