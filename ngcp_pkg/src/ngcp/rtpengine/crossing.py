"""How one media section crosses the relay: a carrier on either side, and what offer and answer agree on."""

from collections.abc import Mapping
from typing import NamedTuple

from ngcp.sdp import Connection, Description

from .carriage import Carriage, is_as_told, prepare_session, write_carriage
from .errors import Unprotected
from .flags import Wishes
from .ports import PortPair
from .transport import PLAIN, Carrier, Outcome, Secrets, candidates_at


class Agreement(NamedTuple):
    """What an answer leads to."""

    answered: Carriage
    """What the offerer is told."""
    offerer: Outcome
    """What holds with the offerer."""
    answerer: Outcome
    """What holds with the answerer."""


class Crossing:
    """The carriers of one section, by side."""

    def __init__(self, secrets: Secrets) -> None:
        self._carriers = Carrier(secrets), Carrier(secrets)

    def outcome(self, side: int) -> Outcome:
        """Return what holds with `side`."""
        return self._carriers[side].outcome

    def offer(self, side: int, offered: Carriage | None, wishes: Wishes) -> Carriage | None:
        """Return what an offer of `side` becomes; None leaves it as it is."""
        if offered is None:
            return None
        self._carriers[side].hear_offer(wishes)
        return self._carriers[1 - side].offer(offered, wishes)

    def agree(
        self, side: int, offered: Carriage | None, answered: Carriage | None, wishes: Wishes
    ) -> Agreement | None:
        """Return what comes of an answer to the offer of `side`, or raise `Unprotected`.

        None leaves the answer as it is, since the offer was left so.
        """
        if offered is None:
            return None
        if answered is None:
            raise Unprotected
        there = self._carriers[1 - side].hear_answer(answered)
        told, here = self._carriers[side].answer(offered, wishes, is_other_protected=there.is_protected)
        return Agreement(told, here, there)

    def settle(
        self, side: int, said: tuple[Carriage | None, Carriage | None], agreed: Agreement | None
    ) -> None:
        """Let hold what was agreed on when `side` offered; `said` is the offer and the answer."""
        offered, answered = said
        if agreed is None or offered is None or answered is None:
            for carrier in self._carriers:
                carrier.outcome = PLAIN
        else:
            self._carriers[side].commit(agreed.offerer, offered)
            self._carriers[1 - side].commit(agreed.answerer, answered)


def write(
    body: Description,
    told: Mapping[int, Carriage],
    ports: Mapping[int, PortPair],
    relay: Connection,
    wishes: Wishes,
) -> None:
    """Let the sections at the places in `told` say so; candidates are their `ports` at the address `relay`.

    Those without ports are rejected ones, whose protocol is that of the offer all the same (RFC 3264 §6).
    """
    if all(is_as_told(body, body.media[index], told[index]) for index in told if index < len(body.media)):
        return
    prepare_session(body, is_lite=any(carriage.ice is not None for carriage in told.values()))
    is_padded = "pad" in wishes.sdes or "pad-crypto" in wishes.flags
    lifetime = "2^31" if "lifetime" in wishes.sdes else ""
    for index, media in enumerate(body.media):
        carriage = told.get(index)
        if carriage is not None and index in ports:
            here = carriage._replace(candidates=candidates_at(carriage, ports[index], relay))
            write_carriage(media, here, is_padded=is_padded, lifetime=lifetime)
            if carriage.is_single:
                media.replace_rtcp(ports[index].rtp[1], relay)
        elif carriage is not None and media.is_rejected:
            write_carriage(media, carriage)
