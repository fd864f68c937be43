"""Applications by name: the proxy decides which one serves a call and says so in `P-App-Name`.

`sbc` takes the INVITE itself and makes a second leg of it. An application that serves the caller by itself,
like an announcement or a conference, is a function that is given a `Conversation` and returns its `Listener`:

    def busy(call: Conversation, now: float) -> Listener:
        call.progress(now, session)          # 183 with a session description: early media
        call.at(now + 5, lambda then: call.refuse(486, then, "Busy"))
        return BusyListener()

    B2bua(configuration, ids, lambda agent, registry: {"busy": Answering(agent, registry, busy)})

Whoever acts later than in one of these calls, as it awaited something, calls `B2bua.progressed()` afterwards.
"""

from collections.abc import Callable
from typing import Protocol

from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.uas import Incoming
from ngcp.sip.errors import SipError

from .conversation import Conversation, Listener
from .registry import Registry

__all__ = ["Answering", "Application", "Conversation", "Listener"]


class Application(Protocol):
    """What a call is given to."""

    def invited(self, incoming: Incoming, now: float) -> None:
        """Take an INVITE that has no answer yet; a `SipError` becomes one."""


class Answering:
    """An application that serves each caller by itself."""

    def __init__(
        self, agent: UserAgent, registry: Registry, begin: Callable[[Conversation, float], Listener]
    ) -> None:
        self._agent = agent
        self._registry = registry
        self._begin = begin

    def invited(self, incoming: Incoming, now: float) -> None:
        """Begin a conversation."""
        call = Conversation(self._agent, self._registry, incoming, now)
        try:
            call.listener = self._begin(call, now)
        except SipError as error:
            call.refuse(error.status, now, error.reason)
            return
        if call.is_over:  # refused at once
            call.listener.ended(now)
