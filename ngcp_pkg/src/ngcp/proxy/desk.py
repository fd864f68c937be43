"""The registrar's desk: REGISTER requests, answered without a transaction (RFC 3261 §8.2.7, §10.3).

A challenge leaves at once and nothing is kept. A registration leaves when its binding is in the table; until
then further requests about the same address-of-record wait in a queue, in their order, and repetitions of
one that waits are swallowed. Doing a REGISTER twice does what doing it once does, so nobody misses the
transaction that would absorb a repetition that comes later.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.acceptance import headers_for
from ngcp.sip.core.bindings import Update
from ngcp.sip.core.decision import Reply
from ngcp.sip.errors import InvalidHeader, SipError
from ngcp.sip.syntax import Request
from ngcp.sip.transport import Flow

from .answers import LATER, answer_to
from .corridor import ATTEMPTS, Corridor
from .directory import Unknown
from .floor import Store
from .locations import WAITING, Locations

_log = logging.getLogger(__name__)

#: Requests about one address-of-record that may wait; a phone sends one at a time (§10.2).
QUEUE: Final = 16


@dataclass(slots=True)
class Visit:
    """One REGISTER and the way that its answer goes."""

    request: Request
    flow: Flow
    attempts: int = 0
    """How often memory did not know enough to decide it."""


class Desk:
    """Serves one visit of an address-of-record at a time."""

    def __init__(
        self,
        corridor: Corridor,
        locations: Locations,
        unix: Callable[[], float],
        answer: Callable[[Visit, Reply], None],
    ) -> None:
        self._corridor = corridor
        self._locations = locations
        self._unix = unix
        self._answer = answer
        self._queues: dict[str, deque[Visit]] = {}

    def receive(self, request: Request, flow: Flow) -> None:
        """Take a REGISTER out of a dialog, or raise the `SipError` that refuses it."""
        _check(request)
        key, visit = request.to.address, Visit(request, flow)
        queue = self._queues.get(key)
        if queue is None:
            if len(self._queues) >= WAITING:
                self._answer(visit, LATER)
            else:
                self._serve(key, visit)
        elif len(queue) < QUEUE and not any(known.request.via == request.via for known in queue):
            queue.append(visit)

    def _serve(self, key: str, visit: Visit) -> None:
        try:
            outcome = self._corridor.decide_now(visit.request, self._unix())
        except Unknown as unknown:
            self._queues.setdefault(key, deque((visit,)))
            unknown.learn(partial(self._serve_again, key, visit))
        except Exception as error:
            self._end(key, visit, answer_to(visit.request, error))
        else:
            if isinstance(outcome, Store):
                self._queues.setdefault(key, deque((visit,)))
                self._locations.store(outcome.update, partial(self._confirm, key, visit, outcome.update))
            else:
                assert isinstance(outcome, Reply), "a REGISTER is never relayed"
                self._end(key, visit, outcome)

    def _serve_again(self, key: str, visit: Visit, error: Exception | None) -> None:
        """Decide, now that memory knows more."""
        visit.attempts += 1
        if error is None and visit.attempts > ATTEMPTS:
            error = DatabaseUnavailable("what is learnt is forgotten at once")
        if error is None:
            self._serve(key, visit)
        else:
            self._end(key, visit, answer_to(visit.request, error))

    def _confirm(self, key: str, visit: Visit, update: Update, error: Exception | None) -> None:
        """Answer: the update is in the table now, or cannot be."""
        if error is not None:
            self._end(key, visit, answer_to(visit.request, error))
            return
        now = self._unix()
        bindings = self._locations.registrar.bindings(update.aor, now)
        headers = headers_for(visit.request, bindings, self._corridor.floor.gruus, now)
        self._end(key, visit, Reply(200, headers=tuple(headers)))

    def _end(self, key: str, visit: Visit, reply: Reply) -> None:
        """Answer, and turn to the next one in the queue."""
        self._answer(visit, reply)
        queue = self._queues.get(key)
        if queue is None:
            return
        queue.popleft()
        if queue:
            self._serve(key, queue[0])
        else:
            del self._queues[key]


def _check(request: Request) -> None:
    """Make sure that the request can be answered and judged (§8.1.1); the error names it."""
    try:
        _ = request.via, request.from_, request.to, request.call_id
        if request.cseq.method != request.method:
            raise InvalidHeader("CSeq", str(request.cseq))
    except SipError as error:
        error.request = request
        raise
