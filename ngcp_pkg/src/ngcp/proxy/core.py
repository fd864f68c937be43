"""The proxy without sockets and clock: messages in, decisions carried out, messages out.

A request goes through the corridor and what it decided through the exit door here: a registration is
stored before it is answered, a session is anchored at the media relay before it goes on. When an attempt
failed, the call goes through the corridor again, which may know another one.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

from ngcp.service.statistics import name_of_request
from ngcp.sip.core.decision import Decision, Relay, Reply
from ngcp.sip.core.proxy import Ended, Forsaken, Incoming, ProxyEvent, Returning
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address

from .answers import answer_to
from .call import USUAL, Call, Continued, Routed, Terms
from .desk import Desk, Visit
from .dialogs import is_of_leg_b, restore_names
from .directory import Directory, Unknown
from .floor import Outcome, Store
from .lanes import Lanes, Work
from .ledger import Ledger, Refusal
from .legs import Place
from .loops import Loops
from .media import has_session
from .parts import Parts
from .passes import Passes
from .pings import BRANCH
from .probes import BRANCH as PROBE
from .refusals import refuse
from .rounds import Rounds

_log = logging.getLogger(__name__)

FORWARDED: Final = (181, "Call Is Being Forwarded")


class ProxyCore:
    """Drives one `StatefulProxy` along the corridor (a `ngcp.net.driver.Core`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._lanes = Lanes(parts.spawn)
        self._desk = Desk(parts.corridor, parts.locations, parts.clock.unix, self._answer)
        self._calls: dict[Incoming, Call] = {}
        self._terms: dict[Incoming, Terms] = {}
        self._loops = Loops()
        self._outbox: list[tuple[bytes, Flow]] = []
        self._is_driven = False
        """Whether somebody is calling who lets the messages go afterwards."""
        self._is_taking = False
        self._rounds = Rounds(parts.locations, parts.pings, parts.round, self._ping, parts.clock.monotonic())
        self.progressed: Callable[[], None] = lambda: None
        """Called when work that had to wait left messages to send."""
        self.counters: Counter[str] = Counter()
        """Requests by method, own replies by status class, drops."""

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        return self._engine.transactions

    @property
    def directory(self) -> Directory:
        """What is remembered of subscribers."""
        return self._parts.corridor.gatherer.directory

    @property
    def ledger(self) -> Ledger:
        """The book of calls."""
        return self._parts.ledger

    @property
    def passes(self) -> Passes:
        """Attempts that are at the back-to-back user agent."""
        return self._parts.passes

    @property
    def registered_users(self) -> int:
        """Addresses-of-record that are registered now."""
        return self._parts.locations.registrar.users

    @property
    def registrations(self) -> int:
        """Bindings held now."""
        return len(self._parts.locations.registrar)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram; what cannot be parsed is dropped with one log line, or answered if it can be."""
        self._is_driven = True
        try:
            message = parse(data)
            if isinstance(message, Request) and message.method == "REGISTER":
                self.counters["requests.REGISTER"] += 1
                self._desk.receive(message, flow)
                return
            if isinstance(message, Response) and message.via.branch.startswith(BRANCH):
                self._rounds.hear(message, self._parts.clock.unix())
                return
            if isinstance(message, Response) and message.via.branch.startswith(PROBE):
                self._parts.probes.hear(message)
                return
            self._engine.receive(message, flow, now)
            self._take_events()
        except SipError as error:
            self.counters["malformed"] += 1
            _log.warning("malformed message from %s:%d: %s", *flow.remote, error)
            if error.request is not None:
                self._engine.reject(error.request, flow, error.status, error.reason)
        finally:
            self._is_driven = False

    def handle_timer(self, now: float) -> None:
        """Let transactions time out, expired registrations go and pings leave."""
        unix = self._parts.clock.unix()
        if self._rounds.visit(now, unix):
            self._parts.spawn(self._parts.locations.sweep(unix))
        self._parts.ledger.tick(now)
        for probe in self._parts.probes.visit(now):
            self._ping(*probe)
        self._engine.handle_timer(now)
        self._take_driven()

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called."""
        due = min(self._rounds.due, self._parts.ledger.due, self._parts.probes.due)
        return min(due, self._engine.next_timer() or due)

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over what goes out."""
        messages, self._outbox = self._outbox + self._engine.messages_to_send(), []
        return messages

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Let the transactions over `flow` fail."""
        self._engine.transport_failed(flow, now)
        self._take_driven()

    def target_unreachable(self, remote: Address, now: float) -> None:
        """Let calls that wait for the back-to-back user agent fail if nobody listens at its port."""
        if remote == self._parts.passes.way.remote:
            self.transport_failed(self._parts.passes.way, now)

    def _take_driven(self) -> None:
        self._is_driven = True
        try:
            self._take_events()
        finally:
            self._is_driven = False

    def _take_events(self) -> None:
        """Let what the engine tells into the lanes; what needs no waiting is done when this returns."""
        if self._is_taking:  # whoever is further up goes on
            return
        self._is_taking = True
        try:
            while (event := self._engine.next_event()) is not None:
                self._take(event)
        finally:
            self._is_taking = False

    def _take(self, event: ProxyEvent) -> None:
        match event:
            case Incoming() | Returning() if self._parts.passes.take(event):
                pass
            case Incoming():
                if not is_of_leg_b(event.request):
                    self.counters[name_of_request(event.request.method)] += 1
                self._enter(event, partial(self._decide, event))
            case Returning():
                self._enter(event.context.incoming, partial(self._return, event))
            case Ended():
                self._forget(event.context.incoming)
            case Forsaken():
                pass

    def _forget(self, incoming: Incoming) -> None:
        """Let go of a request of which nothing more will come."""
        self._calls.pop(incoming, None)
        self._terms.pop(incoming, None)
        self._parts.passes.forget(incoming)
        self._parts.ledger.note_end(incoming.request)

    def _enter(self, incoming: Incoming, work: Work) -> None:
        self._lanes.enter(incoming.request.get("Call-ID") or "", work)

    # A request on its way in

    def _decide(self, incoming: Incoming) -> Awaitable[None] | None:
        """Let a request through the corridor."""
        request, unix = incoming.request, self._parts.clock.unix()
        try:
            outcome = self._parts.corridor.decide_now(request, unix)
        except Unknown:
            return self._carry_out(incoming, self._parts.corridor.decide(request, unix))
        except Exception as error:
            outcome = answer_to(request, error)
        return self._do(incoming, outcome)

    async def _carry_out(self, incoming: Incoming, asked: Awaitable[Outcome]) -> None:
        """Do what the corridor decides once memory knows enough."""
        try:
            outcome = await asked
        except Exception as error:
            outcome = answer_to(incoming.request, error)
        rest = self._do(incoming, outcome)
        if rest is not None:
            await rest

    def _do(self, incoming: Incoming, outcome: Outcome) -> Awaitable[None] | None:
        """Do what was decided, or return the work that must be done before it becomes visible."""
        assert not isinstance(outcome, Store), "a REGISTER goes to the desk"
        if isinstance(outcome, Routed):
            return self._start(incoming, outcome.call)
        if isinstance(outcome, Continued) and outcome.is_leg_b:
            self._parts.passes.carry_out(incoming, outcome)
            self._finish()
            return None
        if isinstance(outcome, Relay):
            is_bye = outcome.request.method == "BYE"
            self._parts.ledger.follow_request(incoming.request, is_measured=is_bye)
            if is_bye:
                self._parts.spawn(self._parts.media.follow_request(outcome.request))
            elif has_session(outcome.request):
                return self._anchor(
                    incoming, outcome, outcome.media if isinstance(outcome, Continued) else USUAL
                )
        elif isinstance(outcome, Reply) and incoming in self._calls:
            self._end_media(incoming, Response(outcome.status))
        self._execute(incoming, outcome)
        return None

    def _start(self, incoming: Incoming, call: Call) -> Awaitable[None] | None:
        """Begin the call's attempt."""
        attempt = call.attempt
        assert attempt is not None, "a routed call has an attempt"
        announced, corridor = attempt.announced, self._parts.corridor
        if announced is not None:  # in the books it has failed
            self._parts.ledger.refuse(incoming.request, announced.status, announced.reason)
        elif not self._tell_forward(incoming, call):
            return self._do(incoming, corridor.announce(call, refuse(call, "cf_loop")))
        elif (refusal := self._parts.ledger.admit(call)) is not None:
            return self._pass_over(incoming, call, refusal)
        call.is_full = False
        if incoming.transaction is not None:
            call.before = self._calls.get(incoming)
            self._calls[incoming] = call
            self._terms[incoming] = attempt.media
        relay = self._parts.passes.relay(incoming, call)
        if has_session(attempt.request):
            return self._anchor(incoming, relay, attempt.media)
        self._execute(incoming, relay)
        return None

    def _tell_forward(self, incoming: Incoming, call: Call) -> bool:
        """Let the caller know if the call was forwarded just now; False if it goes in a circle."""
        before = self._calls.get(incoming)
        if len(call.diversions) <= len(before.diversions if before else ()):
            return True
        now = self._parts.clock.monotonic()
        if self._loops.closes(call, now):
            return False
        self._engine.inform(incoming, *FORWARDED, now)
        return True

    async def _pass_over(self, incoming: Incoming, call: Call, refusal: Refusal) -> None:
        """Go on as if who has too many calls had refused this one; if it is the caller, that is all."""
        reply = refuse(call, refusal.kind)
        outcome: Outcome | None = None
        if refusal.place is not Place.CALLER:
            full, response = replace(call, is_full=True), Response(reply.status, reply.reason)
            try:
                outcome = await self._parts.corridor.proceed(full, response, self._parts.clock.unix())
            except Exception as error:
                outcome = answer_to(incoming.request, error)
        rest = self._do(incoming, outcome or self._parts.corridor.announce(call, reply))
        if rest is not None:
            await rest

    async def _anchor(self, incoming: Incoming, relay: Relay, terms: Terms) -> None:
        """Anchor the session that a request describes, and relay it."""
        decision: Decision = relay
        if incoming.transaction is not None:
            self._terms[incoming] = terms
        try:
            await self._parts.media.follow_request(relay.request, terms)
        except Exception as error:
            decision = answer_to(incoming.request, error)
        self._execute(incoming, decision)

    def _execute(self, incoming: Incoming, decision: Decision) -> None:
        if isinstance(decision, Reply):
            self.counters[f"replies.{decision.status // 100}xx"] += 1
            self._parts.ledger.refuse(incoming.request, decision.status, decision.reason)
        self._engine.execute(incoming, decision, self._parts.clock.monotonic())
        if incoming.context is None:  # refused at once, or it travelled too far: nobody will tell its end
            self._forget(incoming)
        self._finish()

    # A response on its way back

    def _return(self, returning: Returning) -> Awaitable[None] | None:
        """Bring an answer to the caller, unless it is a failure that the corridor knows better than."""
        incoming, response = returning.context.incoming, returning.response
        if response.status >= 200 and (reply := self._parts.passes.conclude(returning)) is not None:
            return self._do(incoming, reply)
        if response.status >= 300:
            call = self._calls.get(incoming)
            if call is not None and not incoming.is_cancelled:
                return self._proceed(call, returning)
            self._end_media(incoming, response)
        else:
            if 200 <= response.status < 300:
                self._note_late_answer(returning)
            if has_session(response):
                return self._follow(returning)
        self._forward(returning)
        return None

    def _note_late_answer(self, returning: Returning) -> None:
        """Let the call be with who answers, though others were asked since: his media, his records."""
        context, branch = returning.context, returning.branch
        call = self._calls.get(context.incoming)
        if branch is None or call is None or branch.round == context.round:
            return
        for _ in range(context.round - branch.round):
            call = call.before or call
        self._calls[context.incoming] = call
        self._terms[context.incoming] = call.attempt.media if call.attempt else USUAL
        if self._parts.ledger.rings(context.incoming.request):
            self._parts.ledger.admit(call)

    async def _proceed(self, call: Call, returning: Returning) -> None:
        """Try what the corridor knows to do about a failure."""
        incoming, response = returning.context.incoming, returning.response
        try:
            outcome = await self._parts.corridor.proceed(call, response, self._parts.clock.unix())
        except Exception as error:
            outcome = answer_to(incoming.request, error)
        if outcome is None:
            self._end_media(incoming, response)
            self._forward(returning)
            return
        rest = self._do(incoming, outcome)
        if rest is not None:
            await rest

    async def _follow(self, returning: Returning) -> None:
        """Anchor the session that a response describes, and bring it to the caller."""
        incoming = returning.context.incoming
        terms = self._terms.get(incoming, USUAL)
        try:
            await self._parts.media.follow_response(incoming.request, returning.response, terms)
        except Exception:
            _log.exception("%s: media of a response", returning.response.get("Call-ID"))
        self._forward(returning)

    def _end_media(self, incoming: Incoming, response: Response) -> None:
        """Let the relay know of a failure; the caller need not wait for that."""
        self._parts.spawn(self._parts.media.follow_response(incoming.request, response))

    def _forward(self, returning: Returning) -> None:
        response = returning.response
        if response.status == 430:  # the edge lost the flow of every phone that was left (RFC 5626 §5.3)
            response.status, response.reason = 480, "Offline"
        self._parts.ledger.hear(returning.context.incoming.request, response)
        restore_names(response, returning.context.incoming.request)
        self._engine.forward(returning, self._parts.clock.monotonic())
        self._finish()

    def _answer(self, visit: Visit, reply: Reply) -> None:
        """Answer without a transaction."""
        self.counters[f"replies.{reply.status // 100}xx"] += 1
        self._outbox.append((self._parts.answers.write(visit.request, reply), visit.flow))
        if not self._is_driven:
            self.progressed()

    def _ping(self, data: bytes, flow: Flow) -> None:
        self.counters["pings"] += 1
        self._outbox.append((data, flow))

    def _finish(self) -> None:
        """Go on with what that work caused, and let it be sent."""
        self._take_events()
        if not self._is_driven:
            self.progressed()
