"""What keeps attackers out, as one thing: three questions, asked in the order given here.

`refuses` before a message is read, `check` before a request costs a transaction, `note_answer` when the
proxy's answer passes on its way out.
"""

from collections.abc import Callable, Mapping

from ngcp.lb.agents import AgentFilter
from ngcp.lb.config import Configuration
from ngcp.lb.density import Density
from ngcp.lb.expiring import ExpiringTable
from ngcp.lb.logins import Logins
from ngcp.sip.syntax.message import Request, Response


class Protection:
    """Bans of sources and of users, and the filter of user agents."""

    def __init__(self, configuration: Configuration, today: Callable[[], float]) -> None:
        inside = (configuration.internal.address, *(proxy.address for proxy in configuration.proxies))
        own = (configuration.public.address, *inside)
        self._density = Density(configuration.security, own)
        self._logins = Logins(configuration.security, today)
        self._agents = AgentFilter(configuration.block_useragents)
        self.refuses = self._density.refuses
        """Whether a message from outside (data, host, now) is to be dropped unread."""
        self.is_banned = self._density.is_banned
        """Whether no connection is to be had with an address (host, now)."""

    @property
    def tables(self) -> Mapping[str, ExpiringTable]:
        """What operators see and edit, and what processes tell each other."""
        tables = self._density.bans, self._logins.failures
        return {table.name: table for table in tables}

    @property
    def shared(self) -> tuple[ExpiringTable, ...]:
        """What processes of one load-balancer tell each other."""
        return *self.tables.values(), self._density.trusted

    @property
    def is_silent(self) -> bool:
        """Whether an unwanted user agent gets no answer."""
        return self._agents.is_silent

    def check(self, request: Request, now: float) -> None:
        """Raise the `SipError` that refuses a request from outside; what is in a dialog may go on."""
        if request.to.tag is None:
            self._agents.check(request)
            self._logins.check(request, now)

    def note_answer(self, request: Request, host: str, response: Response, now: float) -> None:
        """Learn from an answer to a request that came from `host`, before it loses its private headers.

        In a dialog nobody is asked for a password, so nothing follows from an answer there.
        """
        if 200 <= response.status < 300:
            if request.to.tag is None and _has_credentials(request):
                self._logins.note_answer(request, response, now)
                self._density.trust(host, now)
        elif response.status in (401, 407):
            self._logins.note_answer(request, response, now)


def _has_credentials(request: Request) -> bool:
    return "proxy-authorization" in request or "authorization" in request
