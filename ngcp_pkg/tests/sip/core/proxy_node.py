"""A stateful proxy on the wire, with the simplest corridor: users live at addresses, all else is refused."""

import math
from collections.abc import Callable

from ngcp.sip.core.decision import Decision, Relay, Reply, Target
from ngcp.sip.core.proxy import Ended, Forsaken, Incoming, Returning, StatefulProxy
from ngcp.sip.syntax import Request, Uri, parse
from ngcp.sip.transport import Flow
from sip.messages import Ids

Address = tuple[str, int]


class ProxyNode:
    """Decides at once, unless `holds` says that decisions wait for `decide_all`."""

    def __init__(self, address: Address, users: dict[str, list[tuple[Address, float]]]) -> None:
        self.address = address
        self.users = users
        """Where each user is: addresses with their q."""
        self.engine = StatefulProxy(Ids("p"), server="Test", translate_503=False)
        self.timer_c = 180.0
        self.limit = math.inf
        self.stops: frozenset[int] = frozenset()
        self.patience = 0.0
        self.has_spares = False
        """Whether all places of a user after the first are spares of that one."""
        self.holds = False
        self.held: list[Incoming] = []
        self.returned: list[int] = []
        """Statuses of the `Returning` events."""
        self.forsaken: list[Address] = []
        self.ended = 0
        self.edit: Callable[[Returning], None] = lambda returning: None
        self.second_thought: Callable[[Returning], Decision | None] = lambda returning: None
        """What to do instead of forwarding a response, None to forward it."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.engine.receive(parse(data), flow, now)
        self._work(now)

    def handle_timer(self, now: float) -> None:
        self.engine.handle_timer(now)
        self._work(now)

    def next_timer(self) -> float | None:
        return self.engine.next_timer()

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        return self.engine.messages_to_send()

    def transport_failed(self, remote: Address, now: float, transport: str = "udp") -> None:
        self.engine.transport_failed(Flow(transport, self.address, remote), now)
        self._work(now)

    def decide_all(self, now: float) -> None:
        """Decide what was held."""
        held, self.held = self.held, []
        for incoming in held:
            self.engine.execute(incoming, self._decide(incoming.request), now)
        self._work(now)

    def _work(self, now: float) -> None:
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, Incoming):
                if self.holds:
                    self.held.append(event)
                else:
                    self.engine.execute(event, self._decide(event.request), now)
            elif isinstance(event, Returning):
                self.returned.append(event.response.status)
                self.edit(event)
                decision = self.second_thought(event)
                if decision is None:
                    self.engine.forward(event, now)
                else:
                    self.engine.execute(event.context.incoming, decision, now)
            elif isinstance(event, Forsaken):
                self.forsaken.append(event.flow.remote)
            elif isinstance(event, Ended):
                self.ended += 1

    def _decide(self, request: Request) -> Decision:
        uri = Uri.parse(request.uri)
        if uri.host != "example.org":
            return Relay(request, (self._target(str(uri), (uri.host, uri.port or 5060), 1.0),))
        places = self.users.get(uri.user or "")
        if places is None:
            return Reply(404)
        if self.has_spares:
            first, *others = [Flow("udp", self.address, place) for place, _ in places]
            target = Target(request.uri, first, spares=tuple(others), patience=self.patience)
            return Relay(request, (target,), timer_c=self.timer_c)
        targets = [self._target(f"sip:{uri.user}@{place[0]}:{place[1]}", place, q) for place, q in places]
        return Relay(request, tuple(targets), timer_c=self.timer_c, limit=self.limit, stops=self.stops)

    def _target(self, uri: str, remote: Address, q: float) -> Target:
        return Target(uri, Flow("udp", self.address, remote), q=q)
