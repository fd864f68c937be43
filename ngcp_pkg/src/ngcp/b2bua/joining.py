"""New sessions for legs that live: how two of them that have one each come to talk (RFC 3725)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.syntax import Response

SDP: Final = "Content-Type: application/sdp"
#: Seconds until we try again while the peer or we have an INVITE under way.
BUSY: Final = 1.0

#: Told once what came of an offer; None: the leg is gone.
Heard = Callable[[Response | None, float], None]


def offer(leg: Leg, contact: str, session: bytes, heard: Heard, now: float) -> None:
    """Offer `session` to the peer as soon as it may be, and acknowledge its answer (RFC 3261 §14.1)."""
    again = partial(offer, leg, contact, session, heard)
    if not leg.is_alive:
        heard(None, now)
        return
    if (leg.inviting or leg.invited) is not None:
        leg.agent.at(now + BUSY, again)
        return
    asked: list[Outgoing] = []

    def hear(response: Response, later: float) -> None:
        if 200 <= response.status < 300:
            leg.acknowledge(asked[0])
            heard(response, later)
        elif response.status == 491:
            leg.agent.at(later + leg.pause(), again)
        elif response.status >= 300:
            heard(response, later)

    asked.append(leg.send("INVITE", hear, now, (contact, SDP), session))


def join(staying: Leg, other: Leg, contact: str, heard: Heard, now: float) -> None:
    """Offer the session of `other` to who stays, and tell `other` if the answer is not what it knows."""

    def hear(response: Response | None, later: float) -> None:
        is_changed = False
        if response is not None and response.status < 300:
            is_changed = response.body not in (b"", staying.session)
            staying.session = response.body or staying.session
        heard(response, later)
        if is_changed:
            offer(other, contact, staying.session, _unheard, later)

    offer(staying, contact, other.session, hear, now)


def _unheard(response: Response | None, now: float) -> None:
    """Whatever comes of it, the call goes on with what was agreed before."""
