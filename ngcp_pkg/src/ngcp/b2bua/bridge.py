"""A call with two legs: how it is set up and ended (RFC 7092 §3.2); `exchange.py` has what lies between."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ngcp.service.commands import Json
from ngcp.sip.core.forwarding import hops_left
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.refreshing import Refreshing
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.dialog import check
from ngcp.sip.dialog.reliability import OPTION, RAck, options_of, rseq_of
from ngcp.sip.dialog.session_timer import answer as agree
from ngcp.sip.dialog.session_timer import ask, least_of
from ngcp.sip.syntax import NameAddr, Request, Response
from ngcp.sip.transaction.timers import Alarm
from ngcp.voice.parameters import HEADER

from .exchange import Exchange
from .terms import terms_of
from .transfer import Transfer

if TYPE_CHECKING:
    from .sbc import Sbc

#: What is behind the Call-ID of the caller's leg on the callee's; the mediator takes it off.
SUFFIX: Final = "_b2b-1"
#: Seconds that a call may ring: the proxy gives up before, this is for one that is not there any more.
LONGEST_RING: Final = 600.0
#: Early dialogs of one call: so many phones ring at a time.
MAX_FORKS: Final = 64
ANONYMOUS: Final = NameAddr("Anonymous", "sip:anonymous@anonymous.invalid")


class Bridge(Exchange):
    """One call (a `ngcp.sip.core.leg.Caller`)."""

    __slots__ = (
        "_alarm",
        "_began",
        "_incoming",
        "_outgoing",
        "_pairs",
        "_transfer",
        "_uuids",
        "next_hop",
        "tag",
    )

    def __init__(self, sbc: "Sbc", incoming: Incoming, now: float) -> None:
        super().__init__(sbc, terms_of(incoming.request.get(HEADER) or ""))
        self._began = now
        self._incoming: Incoming | None = incoming
        """The caller's INVITE until it is answered."""
        self._outgoing: Outgoing | None = None
        """Ours, as long as it has no 2xx."""
        self._pairs: list[tuple[Leg, Leg]] = []
        """Legs of the caller and of the callee; more than one as long as several phones ring."""
        self._alarm: Alarm | None = None
        self._transfer: Transfer | None = None
        invite = incoming.request
        self._uuids = invite.get("p-caller-uuid"), invite.get("p-callee-uuid")
        proxy = invite.get("p-proxy-uri") or sbc.proxy
        self.next_hop = NameAddr.parse(proxy, "P-Proxy-Uri").address
        """The proxy, through which legs go."""
        self.tag = sbc.agent.ids()
        incoming.user = self

    @property
    def application(self) -> str:
        """The name of what serves it."""
        return "sbc"

    def describe(self, now: float) -> dict[str, Json]:
        """Return what operators see of it."""
        if self._incoming is not None:
            invite = self._incoming.request
            caller, callee, call_id = invite.first("from"), invite.first("to"), invite.call_id
            state = "ringing" if self._pairs else "calling"
        else:
            near = self._pairs[0][0]
            caller, callee, call_id, state = near.remote, near.local, near.call_id, "answered"
        return {
            "call_id": call_id,
            "from": NameAddr.parse(caller, "From").address,
            "to": NameAddr.parse(callee, "To").address,
            "state": state,
            "seconds": round(now - self._began, 1),
        }

    # Setting up

    def call(self, now: float) -> None:
        """Invite the callee; raises `SipError` if the caller's INVITE does not allow that."""
        assert self._incoming is not None, "already answered"
        sbc, terms, invite = self.sbc, self.terms, self._incoming.request
        agent = sbc.agent
        check(invite)
        if terms.near_timer is not None:
            agree(invite, terms.near_timer)
        flow, branch = agent.flow_to(self.next_hop), agent.new_branch()
        caller = ANONYMOUS if terms.hides_caller else NameAddr(invite.from_.display, invite.from_.address)
        body = self.session(invite)
        lines = (
            f"Via: {agent.via(branch)}",
            f"Route: <{self.next_hop}>",
            f"Max-Forwards: {hops_left(invite)}",
            f"From: {caller};tag={agent.ids()}",
            f"To: {NameAddr(invite.to.display, invite.to.address)}",
            f"Call-ID: {invite.call_id}{SUFFIX}",
            "CSeq: 1 INVITE",
            sbc.contact,
            *sbc.introduce(invite, terms),
            *(() if terms.far_timer is None else ask(terms.far_timer)),
            f"Content-Length: {len(body)}",
        )
        self._outgoing = agent.send(Request("INVITE", invite.uri, lines, body), flow, branch, self._hear, now)
        self._outgoing.secret = terms.secret
        self._alarm = agent.at(now + LONGEST_RING, self._give_up)

    def _hear(self, response: Response, now: float) -> None:
        """Take an answer to the first INVITE."""
        if response.status == 100:
            return
        if self._incoming is None:
            if self._outgoing is not None:
                self._decline(self._outgoing, response, now)
        elif response.status >= 300:
            self._fail(self._incoming, response, now)
        elif response.status >= 200:
            self._accept(self._incoming, response, now)
        else:
            self._progress(self._incoming, response, now)

    def _progress(self, incoming: Incoming, response: Response, now: float) -> None:
        rseq = rseq_of(response)
        to = self._to(incoming)
        origin = None
        if response.to.tag is not None:
            near, far = self._pair(incoming, response)
            to = near.local
            if rseq is not None:
                if rseq <= far.rseq:
                    return  # sent again as its PRACK is not there yet
                far.rseq = rseq
                origin = RAck(rseq, response.cseq.number, "INVITE")
        answer = self.answer(response, to)
        required = OPTION in options_of(incoming.request, "require")
        is_known = required or OPTION in options_of(incoming.request, "supported")
        if origin is not None and is_known and not self.terms.hides_prack:
            incoming.promise(answer, now, origin)
            return
        if origin is not None:
            far.send("PRACK", _unheard, now, (f"RAck: {origin}",))
        if required:
            incoming.promise(answer, now)
        else:
            incoming.respond(answer, now)

    def _accept(self, incoming: Incoming, response: Response, now: float) -> None:
        """Connect both sides; whoever answers after another one is hung up on (§13.2.2.4)."""
        outgoing = self._outgoing
        assert outgoing is not None, "an answer without a request"
        near, far = self._pair(incoming, response)
        far.settle(response)
        for pair in self._pairs:
            if pair[0] is not near:
                pair[0].invited = pair[1].inviting = None
                for leg in pair:
                    leg.leave(now)
        self._pairs = [(near, far)]
        incoming.leg = near
        self._incoming = self._outgoing = None
        outgoing.resume(partial(self._decline, outgoing))
        if outgoing.request.body:
            far.acknowledge(outgoing)
        self.learn(near, incoming.request)
        self.learn(far, response)
        extra = self._keep_alive(near, far, incoming, response, now)
        if far.timer is not None:
            far.timer.describe(outgoing.request)
        incoming.respond(self.answer(response, near.local, extra), now)
        self._wait(now + self.terms.calltimer, self._expire)

    def _keep_alive(
        self, near: Leg, far: Leg, incoming: Incoming, response: Response, now: float
    ) -> list[str]:
        """Start the timers of both legs; return what the caller is told of its own (RFC 4028)."""
        terms = self.terms
        lines: list[str] = []
        if terms.far_timer is not None:
            far.timer = Refreshing(far, terms.far_timer)
            far.timer.hear(response, now)
        if terms.near_timer is not None:
            near.timer = Refreshing(near, terms.near_timer)
            lines = near.timer.answer(incoming.request, now)
            near.timer.describe(response)
        return lines

    def _fail(self, incoming: Incoming, response: Response, now: float) -> None:
        outgoing, policy = self._outgoing, self.terms.far_timer
        if response.status == 422 and policy is not None and outgoing is not None:
            least = least_of(response)
            if str(least) != outgoing.request.get("min-se"):
                outgoing.resume(self._hear)
                outgoing.again([("Session-Expires", str(least)), ("Min-SE", str(least))], now)
                return
        lines = self.sbc.pass_on(response, self.terms)
        if response.status < 400:
            lines += (f"Contact: {value}" for value in response.all("contact"))
        self._incoming = None
        self._drop_legs(now)
        answer = Answer(response.status, response.reason, lines, response.body, self._to(incoming))
        incoming.respond(answer, now)
        self._leave(now)

    def _decline(self, outgoing: Outgoing, response: Response, now: float) -> None:
        """Acknowledge a 2xx that comes too late, and end what it began."""
        if 200 <= response.status < 300:
            leg = Leg.answered(outgoing.request, response).join(self.sbc.agent, self)
            leg.secret = self.terms.secret
            leg.acknowledge(outgoing)
            leg.hang_up(now)

    def _pair(self, incoming: Incoming, response: Response) -> tuple[Leg, Leg]:
        """Return the legs of the early dialog that `response` belongs to (§12.1)."""
        outgoing = self._outgoing
        assert outgoing is not None, "no call is being set up"
        tag = response.to.tag or ""
        for pair in self._pairs:
            if pair[1].tags[1] == tag:
                return pair
        agent = self.sbc.agent
        far = Leg.answered(outgoing.request, response).join(agent, self)
        near = Leg.answering(incoming.request, agent.ids() if self._pairs else self.tag).join(agent, self)
        near.invited, far.inviting = incoming, outgoing
        near.twin, far.twin = far, near
        far.secret = self.terms.secret
        if len(self._pairs) >= MAX_FORKS:
            for leg in self._pairs.pop():
                leg.invited = leg.inviting = None
                leg.leave(0)
        self._pairs.append((near, far))
        return near, far

    def _to(self, incoming: Incoming) -> str:
        """Return To of answers that belong to no phone of the callee's."""
        return f"{incoming.request.first('to')};tag={self.tag}"

    # Transfers

    @property
    def call_id(self) -> str:
        """The Call-ID of the caller's leg."""
        if self._incoming is not None:
            return self._incoming.request.call_id
        return self._pairs[0][0].call_id.removesuffix(SUFFIX)

    def uuid_of(self, leg: Leg) -> str | None:
        """Return by which identifier the proxy knows who is behind a leg."""
        return self._uuids[0 if leg is self._pairs[0][0] else 1]

    def transfer(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Execute a REFER, one at a time."""
        if self._transfer is not None or leg.twin is None or self._incoming is not None:
            incoming.refuse(491, now)
            return
        transfer = Transfer(self, leg, leg.twin)
        transfer.begin(incoming, now)
        self._transfer = transfer

    def reconnect(self, by: Leg, staying: Leg, other: Leg, now: float) -> None:
        """Let `other` take the place of who asked for it."""
        before, self._transfer = other.user, None
        if isinstance(before, Bridge) and before is not self:
            before.release(other, now)
        is_near = staying is self._pairs[0][0]
        if by.is_alive:
            by.hang_up(now)
        by.twin = None
        self._uuids = (self._uuids[0], None) if is_near else (None, self._uuids[1])
        self._pairs = [(staying, other) if is_near else (other, staying)]
        other.user, other.twin, staying.twin = self, staying, other

    def release(self, leg: Leg, now: float) -> None:
        """End without `leg`, which is another call's from now on."""
        for pair in self._pairs:
            for one in pair:
                if one is not leg and one.is_alive:
                    one.hang_up(now)
        self._leave(now)

    def keep(self, by: Leg, now: float) -> None:
        """Go on as before a transfer that failed; without who asked for it, there is nobody to talk to."""
        self._transfer = None
        if not by.is_alive:
            self.end(now)

    # Ending (a `Caller`)

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Let who asked for a transfer go; all else is the other side's."""
        transfer = self._transfer
        if transfer is not None and leg is transfer.by and incoming.request.method == "BYE":
            incoming.respond(Answer(200), now)
            leg.leave(now)
        else:
            super().requested(leg, incoming, now)

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """Take back the INVITE that this one became."""
        if incoming is self._incoming:
            self._abandon(487, now, reasons)
        else:
            super().cancelled(incoming, reasons, now)

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """End the call: the peer does not know that it has one, or that it rings."""
        if incoming is self._incoming:
            self._abandon(504, now)
        else:
            super().unacknowledged(incoming, now)

    def end(self, now: float, by: Leg | None = None, lines: Sequence[str] = ()) -> None:
        """End the call on both sides; `by` whom it was ended is not told."""
        if self._incoming is not None:
            self._abandon(487, now)
        if by is not None:
            by.leave(now)
        if self._transfer is not None:
            self._transfer.stop(now)
            self._transfer = None
        for pair in self._pairs:
            for leg in pair:
                if leg.is_alive:
                    leg.hang_up(now, lines)
        self._leave(now)

    def _wait(self, when: float, do: Callable[[float], None]) -> None:
        """Do something at `when`, and nothing else before."""
        if self._alarm is not None:
            self.sbc.agent.forget(self._alarm)
        self._alarm = self.sbc.agent.at(when, do)

    def _expire(self, now: float) -> None:
        self.end(now)

    def _give_up(self, now: float) -> None:
        self._abandon(408, now)

    def _abandon(self, status: int, now: float, reasons: Sequence[str] = ()) -> None:
        """Answer the caller, and take back what the callee was asked."""
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.respond(Answer(status, to=self._to(incoming)), now)
        if self._outgoing is not None:
            self._outgoing.cancel(now, reasons)
        self._drop_legs(now)
        self._leave(now)

    def _drop_legs(self, now: float) -> None:
        """Leave early dialogs, which end with the INVITE that made them."""
        for pair in self._pairs:
            for leg in pair:
                leg.invited = leg.inviting = None
                leg.leave(now)

    def _leave(self, now: float) -> None:
        """Be known no more; answers to our INVITE may still come."""
        for pair in self._pairs:
            for leg in pair:
                leg.twin = None
        self._pairs = []
        if self._alarm is not None:
            self.sbc.agent.forget(self._alarm)
            self._alarm = None
        self.sbc.registry.forget(self.tag)


def _unheard(response: Response, now: float) -> None:
    """Whatever comes of a PRACK of ours, the call goes on."""
