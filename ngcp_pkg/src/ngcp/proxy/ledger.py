"""The book of calls: who is in a call now, how many each may have, and what is written of each.

It is told what becomes of an INVITE and decides, from memory, whether a call may be: counters follow from the
calls in the book and from nothing else. Redis is a mirror of it, which lets a proxy that starts again know
its calls; call records go to Redis and the database.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ngcp.provisioning.acc import AccRow
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.names import phrase

from .books import Books
from .call import Call
from .credit import FREE, MARGIN, Credits
from .deadlines import Deadlines
from .legs import FULL, Leg, Place, counters_of, legs_of, limits_of, longest
from .livecall import LiveCall, Side, Stage
from .mirror import Change
from .records import SILENT, Ending, describe, start_records, stop_record
from .sessions import session_expiry

_log = logging.getLogger(__name__)

#: Calls that are over and whose BYE may still be repeated.
REMEMBERED: Final = 10_000
#: No call is over by them: it is asked again.
CHALLENGES: Final = (401, 407)
#: A call that rang when the proxy died: nobody can be told its answer any more.
LOST: Final = (408, "Request Timeout")
NO_CREDIT: Final = "no_credit"


class Refusal(NamedTuple):
    """Why a call may not be."""

    place: Place
    counter: str
    """The one that is full; empty: somebody has no credit."""

    @property
    def kind(self) -> str:
        """In which words it is refused (`refusals`)."""
        return FULL[self.place] if self.counter else NO_CREDIT


@dataclass(frozen=True, slots=True)
class Terms:
    """What a ledger needs beside its books."""

    monotonic: Callable[[], float]
    unix: Callable[[], float]
    own_route: str
    """What our Record-Route begins with."""
    longest: float
    """Seconds that a call may last."""
    spare: float = 0.0
    """Seconds that others have to end it before we do."""


class Ledger:
    """All calls."""

    def __init__(self, books: Books, terms: Terms, credits: Credits | None = None) -> None:
        self.hang_up: Callable[[LiveCall], None] = lambda live: None
        """Ends a call on the wire, for both sides."""
        self.counts: Counter[str] = Counter()
        self.statistics: Counter[str] = Counter()
        self._books = books
        self._terms = terms
        self._credits = credits or Credits()
        self._calls: dict[str, LiveCall] = {}
        self._begun: dict[int, LiveCall] = {}
        """Those that ring, by the identity of their INVITE."""
        self._turned_away: dict[int, Call] = {}
        """Those that may not be, as things are; likewise."""
        self._stops: dict[str, AccRow] = {}
        """Stop records that wait for how the call sounded, by Call-ID."""
        self._number = 0
        self._deadlines = Deadlines()
        self._over: dict[str, None] = {}
        books.mirror.source = self

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(self._calls.values())

    @property
    def status(self) -> str:
        """What an operator sees at a glance."""
        return f"{len(self)} calls{self._books.status}"

    async def settle(self) -> None:
        """Have the books written, if that is possible."""
        for call_id in list(self._stops):
            self.conclude(call_id)
        await self._books.settle()

    async def differences(self) -> dict[str, tuple[int, int]]:
        """Return what is right and what Redis has, by key, where they differ; raises `StateUnavailable`."""
        found = dict(zip(("", "call:"), await self._books.mirror.found(), strict=True))
        right = {"": self.counts, "call:": Counter({live.name: len(live.moved) for live in self})}
        return {
            prefix + key: (right[prefix][key], has.get(key, 0))
            for prefix, has in found.items()
            for key in {**right[prefix], **has}
            if right[prefix][key] != has.get(key, 0)
        }

    async def repair(self) -> None:
        """Write Redis anew."""
        await self._books.mirror.repair()

    # Whether a call may be

    def admit(self, call: Call) -> Refusal | None:
        """Count a call with its present attempt; if somebody has too many calls, leave all as it was."""
        if call.request.method != "INVITE" or call.request.to.tag is not None:
            return None
        legs = legs_of(call)
        moved = counters_of(legs, call.uri)
        live = self._begun.get(id(call.request))
        more = Counter(moved)
        more.subtract(live.moved if live else ())
        refusal, grant = self._refusal(call, legs, more), FREE
        if refusal is None:
            grant = self._credits.grant(call, legs, live.name if live else "", self._terms.unix())
            if grant.refused is not None:
                refusal = Refusal(Place.FORWARDER if grant.refused else Place.CALLER, "")
        if refusal is not None:
            if live is None:
                self._turned_away[id(call.request)] = call
            kind = f"over_limit.{refusal.place.value}" if refusal.counter else NO_CREDIT
            self.statistics[kind] += 1
            return refusal
        if live is None:
            self._turned_away.pop(id(call.request), None)
            live = self._begin(call)
        live.ends = live.began + longest(legs, self._terms.longest) + self._terms.spare
        self._credits.take(live.name, grant)
        call.allowance = grant.alone - MARGIN
        changed, live.moved = self._count(more), moved
        live.legs = describe(call, legs, live.began, self.counts)
        self._books.move(live, changed)
        return None

    def _refusal(self, call: Call, legs: Sequence[Leg], more: Counter[str]) -> Refusal | None:
        for limit in limits_of(legs, call.platform):
            if call.is_emergency and limit.place is not Place.PEER:
                continue
            growth, count = more[limit.counter], self.counts[limit.counter]
            if limit.minus is not None:
                growth, count = growth - more[limit.minus], count - self.counts[limit.minus]
            if growth > 0 and count + growth > limit.most:
                return Refusal(limit.place, limit.counter)
        return None

    def _begin(self, call: Call) -> LiveCall:
        request, now = call.request, self._terms.unix()
        name = request.call_id
        while name in self._calls:  # whoever repeats a Call-ID gets no call for nothing
            name += f";{request.from_.tag}"
        self._number += 1
        live = LiveCall.begin(request, name, self._number, (now, now + self._terms.longest))
        self._calls[name] = self._begun[id(request)] = live
        return live

    def _count(self, more: Counter[str]) -> dict[str, int]:
        """Change counters, and return those that did change."""
        changed = {}
        for key, growth in more.items():
            if growth:
                count = changed[key] = self.counts[key] + growth
                if count:
                    self.counts[key] = count
                else:
                    del self.counts[key]
        return changed

    # What becomes of it

    def rings(self, request: Request) -> bool:
        """Tell whether the call that an INVITE began has no final answer yet."""
        return id(request) in self._begun

    def hear(self, request: Request, response: Response) -> None:
        """Learn what somebody is answered."""
        if response.status < 200:
            return
        live = self._begun.pop(id(request), None)
        if live is None:
            self._follow_response(request, response)
            return
        if response.status >= 300:
            self._fail(live, Ending(response.status, response.reason, self._terms.unix()))
        else:
            self._answer(live, response)

    def refuse(self, request: Request, status: int, reason: str | None) -> None:
        """Learn that we answer an INVITE ourselves."""
        live, call = self._begun.pop(id(request), None), self._turned_away.pop(id(request), None)
        if live is not None:
            self._fail(live, Ending(status, phrase(status) if reason is None else reason, self._terms.unix()))
        elif call is not None:
            self.record_refusal(call, status, reason)

    def note_end(self, request: Request) -> None:
        """Learn that an INVITE's transaction is gone."""
        self.refuse(request, *LOST)

    def record_refusal(self, call: Call, status: int, reason: str | None) -> None:
        """Write a record of a call that got no attempt, if it is known whose it was."""
        request, caller = call.request, call.caller
        if request.method != "INVITE" or status in CHALLENGES or not (caller.subscriber or caller.peer):
            return
        ending = Ending(status, phrase(status) if reason is None else reason, self._terms.unix())
        legs = describe(call, legs_of(call), ending.unix, self.counts)
        self._books.record(start_records(request.call_id, (request.from_.tag or "", ""), legs, ending))

    def _answer(self, live: LiveCall, response: Response) -> None:
        now = self._terms.unix()
        lasts = live.ends - live.began
        try:
            live.confirm(response, self._terms.own_route, now, self._terms.monotonic())
        except SipError as error:  # it cannot be ended by us; all else goes on
            _log.warning("%s: %s", live.call_id, error)
        live.ends = now + lasts
        live.session_ends = session_expiry(response, now)
        self._await_deadline(live)
        self._limit(self._credits.answer(live.name, now, live.ends))
        self.statistics["answered"] += 1
        ending = Ending(200, response.reason, now)
        self._books.record(start_records(live.call_id, live.tags, live.legs, ending))
        live.legs = []
        self._books.save(live)

    def _fail(self, live: LiveCall, ending: Ending) -> None:
        self.statistics["failed"] += 1
        self._books.record(start_records(live.call_id, live.tags, live.legs, ending))
        self._close(live)

    # In the dialog

    def follow_request(self, request: Request, *, is_measured: bool = False) -> LiveCall | None:
        """Learn of a request in a dialog; a BYE ends its call. Return the call, if it is one of ours.

        If it `is_measured`, its stop record waits until `conclude` tells how it sounded.
        """
        found = self._find(request)
        if request.method == "BYE" and request.from_.tag:
            self._end(request, found, is_measured=is_measured)
        elif found is not None and request.method not in ("ACK", "CANCEL"):
            live, sender, _ = found
            sender.cseq = max(sender.cseq, request.cseq.number)
            self._books.save(live)
        return found[0] if found else None

    def _follow_response(self, request: Request, response: Response) -> None:
        """Learn of an answer in a dialog: it may refresh the session and move a side (§12.2, RFC 4028)."""
        if request.method not in ("INVITE", "UPDATE") or not 200 <= response.status < 300:
            return
        found = self._find(request)
        if found is None:
            return
        live, sender, receiver = found
        sender.move(request)
        receiver.move(response)
        live.session_ends = session_expiry(response, self._terms.unix())
        self._await_deadline(live)
        self._books.save(live)

    def _find(self, request: Request) -> tuple[LiveCall, Side, Side] | None:
        for tag in ("", f";{request.from_.tag}", f";{request.to.tag}"):
            live = self._calls.get(request.call_id + tag)
            if live is not None and (sides := live.sides(request)) is not None:
                return live, *sides
        return None

    def _end(self, request: Request, found: tuple[LiveCall, Side, Side] | None, *, is_measured: bool) -> None:
        now = self._terms.unix()
        if found is not None:
            if found[0].stage is Stage.CONFIRMED:
                self.end(found[0], now, is_measured=is_measured)
        elif request.call_id not in self._calls and request.call_id not in self._over:
            # Of a proxy before us, and Redis did not keep it: the mediator knows whose end this is.
            self._remember(request.call_id)
            tags = (request.from_.tag or "", request.to.tag or "")
            self._books.record([stop_record(request.call_id, tags, Ending(200, "OK", now))])

    def end(self, live: LiveCall, now: float, *, is_measured: bool = False) -> None:
        """Close an answered call; if it `is_measured`, its record waits for `conclude`."""
        ended = live.until(now, self._terms.monotonic())
        record = stop_record(live.call_id, live.tags, Ending(200, "OK", ended))
        self.conclude(live.call_id)
        if is_measured:
            self._stops[live.call_id] = record
        else:
            self._books.record([record])
        self._close(live)

    def conclude(self, call_id: str, sound: str = SILENT) -> None:
        """Write the stop record that waits for how a call sounded, if one does."""
        record = self._stops.pop(call_id, None)
        if record is not None:
            self._books.record([record._replace(dst_leg=sound)])

    def terminate(self, live: LiveCall) -> None:
        """End an answered call, also for those who are in it."""
        self.end(live, self._terms.unix())
        self.hang_up(live)

    def note_loss(self, call_id: str) -> None:
        """Learn that the other leg of a call is gone: nobody will say so on the caller's."""
        live = self._calls.get(call_id)
        if live is not None and live.stage is Stage.CONFIRMED:
            _log.warning("%s: ended, the back-to-back user agent does not know it any more", call_id)
            self.terminate(live)

    # Time

    @property
    def due(self) -> float:
        """When `tick` wants to be called, in monotonic time."""
        return min(self._books.due, self._deadlines.next)

    def tick(self, now: float) -> None:
        """End calls that last too long or whose session nobody refreshed; look after the books."""
        self._books.tick(now)
        while (name := self._deadlines.pop(now)) is not None:
            live = self._calls[name]
            self.statistics["expired"] += 1
            _log.warning("%s: ended, it lasted %.0f s", live.call_id, self._terms.unix() - live.answered)
            self.terminate(live)

    def _await_deadline(self, live: LiveCall) -> None:
        """Wait on the clock that nobody sets."""
        wait = max(0.0, live.deadline - self._terms.unix())
        self._deadlines.set(live.name, self._terms.monotonic() + wait)

    def _limit(self, deadlines: Mapping[str, float]) -> None:
        """End calls when the credit of who pays for them does."""
        for name, ends in deadlines.items():
            live = self._calls.get(name)
            if live is not None and live.ends != ends:
                live.ends = ends
                self._await_deadline(live)
                self._books.save(live)

    # The books

    def _close(self, live: LiveCall) -> None:
        live.stage = Stage.ENDED
        less = Counter(dict.fromkeys(live.moved, 0))
        less.subtract(live.moved)
        del self._calls[live.name]
        self._deadlines.forget(live.name)
        self._limit(self._credits.end(live.name, self._terms.unix()))
        self._remember(live.call_id)
        self._books.close(live, self._count(less))

    def _remember(self, call_id: str) -> None:
        self._over[call_id] = None
        if len(self._over) > REMEMBERED:
            del self._over[next(iter(self._over))]

    # ngcp.proxy.mirror.Source

    def adopt(self, calls: Sequence[str], records: Sequence[str]) -> None:
        """Take over the calls of an earlier proxy; those that rang are lost."""
        for text in calls:
            try:
                self._adopt(LiveCall.read(text))
            except ValueError as error:
                _log.error("a call that was kept cannot be read: %s", error)
        self._books.take_over(records)

    def _adopt(self, live: LiveCall) -> None:
        if live.name in self._calls or live.call_id in self._over or live.stage is Stage.ENDED:
            return
        if live.stage is not Stage.CONFIRMED:
            ending = Ending(*LOST, self._terms.unix())
            self._books.record(start_records(live.call_id, live.tags, live.legs, ending))
            return
        self._number += 1
        live = replace(live, number=self._number)
        self._calls[live.name] = live
        self._count(Counter(live.moved))
        self._await_deadline(live)

    def picture(self) -> Iterator[Change]:
        """Yield everything that Redis must have."""
        return self._books.picture(self, self.counts)
