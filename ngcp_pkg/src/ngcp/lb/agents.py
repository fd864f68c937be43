"""Whose telephone is not wanted: requests are kept out by what they say in User-Agent."""

import re
from typing import Final

from ngcp.lb.agent_patterns import MOST
from ngcp.lb.security import BlockUserAgents
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.memory import remembered
from ngcp.sip.syntax.message import Request

#: What carries no User-Agent where other requests of the same phone do.
EXEMPT: Final = frozenset({"ACK", "CANCEL"})


class Unwanted(SipError):
    """A user agent that the operator keeps out."""

    status = 403
    reason = "Forbidden"


class AgentFilter:
    """The operator's choice."""

    def __init__(self, choice: BlockUserAgents) -> None:
        self.is_silent = choice.action == "drop"
        """Whether those kept out get no answer."""
        self._choice = choice
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in choice.ua_patterns]
        self._is_listed = remembered(self._matches)

    def check(self, request: Request) -> None:
        """Raise `Unwanted` if a request that begins something is to be kept out."""
        if self._choice.enable and request.method not in EXEMPT and self._blocks(request.get("user-agent")):
            raise Unwanted(f"User-Agent {(request.get('user-agent') or '')[:MOST]!r}")

    def _blocks(self, agent: str | None) -> bool:
        if agent is None:
            return self._choice.block_absent
        if not agent:
            return self._choice.block_empty
        return self._is_listed(agent[:MOST]) == (self._choice.mode == "blacklist")

    def _matches(self, agent: str) -> bool:
        return any(pattern.search(agent) for pattern in self._patterns)
