"""The back-to-back user agent without sockets and clock."""

from collections.abc import Callable, Mapping

from ngcp.sip.core.agent import UserAgent
from ngcp.voice.application import Application
from ngcp.voice.registry import Registry
from ngcp.voice.switchboard import Applications, Switchboard

from .config import Configuration
from .dial import Dial, Order
from .sbc import Sbc


class B2bua(Switchboard):
    """A switchboard whose application `sbc` makes a second leg of a call."""

    def __init__(
        self,
        configuration: Configuration,
        ids: Callable[[], str],
        applications: Applications = lambda agent, registry: {},
    ) -> None:
        """Offer `sbc` and whatever else `applications` makes of the user agent."""
        proxy = configuration.proxy.pair

        def with_sbc(agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
            self._sbc = Sbc(agent, registry, configuration.profile, proxy)
            return {"sbc": self._sbc, **applications(agent, registry)}

        server = configuration.server_header
        super().__init__(ids, configuration.listen.pair, proxy, with_sbc, server=server)
        self._allow = self._sbc.allow

    def dial(self, order: Order, now: float) -> str:
        """Connect two parties; return the identifier of the call."""
        self.counters["calls.click2dial"] += 1
        return Dial(self._sbc, order, now).tag
