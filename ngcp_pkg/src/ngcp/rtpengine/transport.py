"""How we carry one media section with one of its sides: what we offer it, what we answer it, what holds.

Each side is served by itself: it may have SRTP and ICE while the other has neither. Offers and answers are
those of RFC 3264; keys are offered by RFC 4568 (SDES), certificates by RFC 5763 (DTLS), either beside plain
RTP by RFC 8643 (OSRTP). Our keys and credentials stay the same from one offer to the next.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from ngcp.rtp.suites import SUITES
from ngcp.sdp import Connection
from ngcp.sdp.candidate import Candidate
from ngcp.sdp.crypto import Crypto
from ngcp.sdp.fingerprint import HASHES, Fingerprint
from ngcp.stun.check import Credentials

from .carriage import PLAIN_CARRIAGES, PROFILES, Carriage, Profile
from .errors import Unprotected
from .flags import USUAL, Wishes
from .flows import Keys
from .ports import PortPair

#: What switches a kind of protection off.
OFF: Final = frozenset({"off", "no", "disable"})
#: What a client is told that need not care (RFC 5763 §5).
ANY_ROLE: Final = "actpass"


class Secrets(NamedTuple):
    """Where keys come from."""

    random: Callable[[int], bytes]
    """Returns so many bytes that nobody can guess."""
    fingerprint: Callable[[str], Fingerprint]
    """Returns what our certificate digests to, by a hash function of `HASHES`."""


class Outcome(NamedTuple):
    """What holds between us and one side."""

    decrypt: Keys | None = None
    """What it protects by, as SDES told."""
    encrypt: Keys | None = None
    """What we protect by."""
    role: str = ""
    """Ours in the DTLS handshake that tells keys, `active` or `passive`; empty without one."""
    certificate: Fingerprint | None = None
    """Its certificate."""
    is_muxed: bool = False
    """Whether RTP and RTCP share a port."""
    ice: Credentials | None = None
    """Ours, by which it checks our ports; None without ICE."""
    their_ufrag: str = ""
    """The user fragment by which its checks are known."""

    @property
    def is_protected(self) -> bool:
        """Whether media are SRTP."""
        return self.encrypt is not None or bool(self.role)

    @property
    def is_guarded(self) -> bool:
        """Whether STUN or DTLS may come."""
        return self.ice is not None or bool(self.role)


PLAIN: Final = Outcome()


class Carrier:
    """Negotiates with one side about one section. Nothing holds until the caller makes it `outcome`."""

    def __init__(self, secrets: Secrets) -> None:
        self.outcome = PLAIN
        self._secrets = secrets
        self._told: Carriage | None = None
        self._keys: dict[str, Crypto] = {}
        self._ice: Credentials | None = None
        self._their_ice: Credentials | None = None
        self._offering = USUAL
        """What was wished when this side offered."""
        self._is_mux_required = False

    def hear_offer(self, wishes: Wishes) -> None:
        """Take what is wished of the offer that this side makes."""
        self._offering = wishes

    def offer(self, offered: Carriage, wishes: Wishes) -> Carriage:
        """Return what the other side's offer becomes towards this one."""
        if _is_plain(offered) and not _carries(wishes):
            self._told = offered
            return offered
        profile, by_sdes, by_dtls = _protection(offered, wishes)
        self._is_mux_required = "require" in wishes.rtcp_mux
        told = Carriage(
            profile,
            tuple(self._cryptos(offered, wishes.sdes)) if by_sdes else (),
            self._fingerprint(offered, wishes) if by_dtls else None,
            ANY_ROLE if by_dtls else "",
            self._credentials() if _wants_ice(offered, wishes) else None,
            is_lite=True,
            is_muxed=_wants_mux(offered, wishes),
            is_single=self._is_mux_required,
        )
        self._told = told
        return told

    def hear_answer(self, said: Carriage) -> Outcome:
        """Return what holds after this side's answer to our offer, or raise `Unprotected`."""
        told = self._told or PLAIN_CARRIAGES[said.profile]
        if _is_plain(told) and _is_plain(said):
            return PLAIN
        outcome = PLAIN
        if told.fingerprint and said.fingerprint:
            role = "active" if said.setup in ("passive", ANY_ROLE) else "passive"
            outcome = Outcome(role=role, certificate=said.fingerprint)
        elif (pair := _matching(told.cryptos, said.cryptos)) is not None:
            ours, theirs = pair
            outcome = _sdes(theirs, ours)
        elif told.profile.is_secure:
            raise Unprotected
        is_muxed = told.is_muxed and (said.is_muxed or self._is_mux_required)
        return self._completed(outcome, said, is_muxed, told.ice)

    def answer(
        self, offered: Carriage, wishes: Wishes, *, is_other_protected: bool
    ) -> tuple[Carriage, Outcome]:
        """Return our answer to this side's offer, and what holds with it; or raise `Unprotected`.

        An opportunistic offer is accepted if the other side is protected as well, or if that is wished.
        """
        if _is_plain(offered):
            return offered, PLAIN
        if offered.ice != self._their_ice and self._their_ice is not None:
            self._ice = None  # it begins anew (RFC 8445 §9), so do we
        is_opportunistic = not offered.profile.is_secure
        outcome, answered = PLAIN, Carriage(offered.profile)
        if not is_opportunistic or is_other_protected or wishes.osrtp & {"accept", "accept-RFC"}:
            outcome, answered = self._accept(offered, wishes)
        if offered.profile.is_secure and not outcome.is_protected:
            raise Unprotected
        is_muxed = offered.is_muxed and "reject" not in self._offering.rtcp_mux | wishes.rtcp_mux
        ice = self._credentials() if offered.ice is not None and wishes.ice != "remove" else None
        answered = answered._replace(ice=ice, is_lite=True, is_muxed=is_muxed, is_single=is_muxed)
        return answered, self._completed(outcome, offered, is_muxed, ice)

    def commit(self, outcome: Outcome, said: Carriage) -> None:
        """Let `outcome` hold, which came of what this side `said`."""
        self.outcome = outcome
        self._their_ice = said.ice

    def _accept(self, offered: Carriage, wishes: Wishes) -> tuple[Outcome, Carriage]:
        """Choose among the certificate and the keys of an offer; the certificate is better."""
        is_off = bool(OFF & {self._offering.dtls, wishes.dtls}) and not offered.profile.is_dtls
        if offered.fingerprint and not is_off:
            role = _role(offered.setup, wishes.dtls or self._offering.dtls)
            fingerprint = self._fingerprint(offered, wishes)
            outcome = Outcome(role=role, certificate=offered.fingerprint)
            return outcome, Carriage(offered.profile, (), fingerprint, role)
        theirs = self._chosen(offered.cryptos)
        if theirs is None:
            return PLAIN, Carriage(offered.profile)
        ours = Crypto(theirs.tag, theirs.suite, self._key(theirs.suite).key)
        return _sdes(theirs, ours), Carriage(offered.profile, (ours,))

    def _chosen(self, offered: tuple[Crypto, ...]) -> Crypto | None:
        """Return the one in force if it is offered again, else the one that is wished or comes first."""
        current = self.outcome.encrypt
        wished = [current.suite] if current else []
        wished += _suites(self._offering.sdes, "offerer_pref:")
        ranks = {suite: rank for rank, suite in reversed(list(enumerate(wished)))}
        return min(offered, key=lambda crypto: ranks.get(crypto.suite, len(wished)), default=None)

    def _completed(
        self, outcome: Outcome, said: Carriage, is_muxed: bool, ours: Credentials | None
    ) -> Outcome:
        if ours is None or said.ice is None or said.is_lite:  # two lite agents check nothing
            return outcome._replace(is_muxed=is_muxed)
        return outcome._replace(is_muxed=is_muxed, ice=ours, their_ufrag=said.ice.ufrag)

    def _cryptos(self, offered: Carriage, words: tuple[str, ...]) -> Iterable[Crypto]:
        """Yield our keys of the suites that are to be offered, in their order."""
        theirs = [crypto.suite for crypto in offered.cryptos]
        first, only, without = (_suites(words, prefix) for prefix in ("order:", "only-", "no-"))
        if "nonew" in words and theirs:
            suites = theirs
        elif only:
            suites = [suite for suite in [*theirs, *SUITES] if suite in only]
        else:
            suites = [suite for suite in [*theirs, *SUITES] if suite not in without]
        ordered = [suite for suite in first if suite in suites] + suites
        return map(self._key, dict.fromkeys(ordered or SUITES))

    def _key(self, suite: str) -> Crypto:
        """Return our key of a suite, with the tag that it has in our offers."""
        known = self._keys.get(suite)
        if known is None:
            key = self._secrets.random(SUITES[suite].master_length)
            known = self._keys[suite] = Crypto(len(self._keys) + 1, suite, key)
        return known

    def _fingerprint(self, offered: Carriage, wishes: Wishes) -> Fingerprint:
        """Return ours: by the hash that is wished, or that the other side uses."""
        theirs = offered.fingerprint.function if offered.fingerprint else "sha-256"
        wished = wishes.fingerprint.lower()
        return self._secrets.fingerprint(wished if wished in HASHES else theirs)

    def _credentials(self) -> Credentials:
        """Return ours for ICE (RFC 8445 §5.3: 24 and 128 random bits at least)."""
        if self._ice is None:
            ufrag, password = (base64.b64encode(self._secrets.random(size)).decode() for size in (6, 18))
            self._ice = Credentials(ufrag, password)
        return self._ice


def candidates_at(carriage: Carriage, pair: PortPair, relay: Connection) -> tuple[Candidate, ...]:
    """Return our candidates at the address that bodies name; none without ICE."""
    if carriage.ice is None:
        return ()
    ports = (pair.rtp,) if carriage.is_single else pair
    return tuple(Candidate.of(number, relay.host, port) for number, (_, port) in enumerate(ports, 1))


def _is_plain(carriage: Carriage) -> bool:
    return carriage is PLAIN_CARRIAGES[carriage.profile]


def _carries(wishes: Wishes) -> bool:
    """Whether something is wished that can make more than a plain offer of one."""
    return bool(
        wishes.transport_protocol or wishes.osrtp or wishes.rtcp_mux or wishes.ice in ("force", "optional")
    )


def _protection(offered: Carriage, wishes: Wishes) -> tuple[Profile, bool, bool]:
    """Return the profile of an offer, whether it names keys, and whether it names our certificate."""
    profile = PROFILES.get(wishes.transport_protocol.upper(), offered.profile)
    is_open = bool(wishes.osrtp & {"offer", "offer-RFC"})
    is_open |= not offered.profile.is_secure and offered.is_protected
    by_dtls = (profile.is_secure or is_open) and wishes.dtls not in OFF
    profile = profile._replace(is_dtls=profile.is_dtls and by_dtls)
    by_sdes = (profile.is_secure or is_open) and not profile.is_dtls and not OFF & set(wishes.sdes)
    if not by_dtls and not by_sdes:
        profile = profile._replace(is_secure=False)
    return profile, by_sdes, by_dtls


def _wants_mux(offered: Carriage, wishes: Wishes) -> bool:
    if wishes.rtcp_mux & {"offer", "require"}:
        return True
    return offered.is_muxed and not wishes.rtcp_mux & {"demux", "reject"}


def _wants_ice(offered: Carriage, wishes: Wishes) -> bool:
    """Whether to offer ICE: where it is offered, unless something else is wished."""
    always = {"remove": False, "force": True, "optional": True}
    return always.get(wishes.ice, offered.ice is not None)


def _role(offered: str, wished: str) -> str:
    """Return our role beside the one that an offer takes (RFC 5763 §5, RFC 4145 §4.1)."""
    if offered == ANY_ROLE:
        return "passive" if wished == "passive" else "active"
    return "active" if offered == "passive" else "passive"


def _matching(told: tuple[Crypto, ...], said: tuple[Crypto, ...]) -> tuple[Crypto, Crypto] | None:
    """Return our key and theirs: the one that the answer names by its tag and suite (RFC 4568 §5.1.3)."""
    for theirs in said:
        for ours in told:
            if (ours.tag, ours.suite) == (theirs.tag, theirs.suite):
                return ours, theirs
    return None


def _sdes(theirs: Crypto, ours: Crypto) -> Outcome:
    return Outcome(Keys(theirs.suite, theirs.key, theirs.mki), Keys(ours.suite, ours.key, ours.mki))


def _suites(words: Iterable[str], prefix: str) -> list[str]:
    """Return the suites that words beginning with `prefix` name; several stand between semicolons."""
    return [
        suite
        for word in words
        if word.startswith(prefix)
        for suite in word.removeprefix(prefix).split(";")
        if suite in SUITES
    ]
