"""How a session description says that one media section is carried: profile, keys, certificate, ICE, mux.

Read into a `Carriage`, written back from one; other lines of the section stay as they are. Only sections of
RTP have one: what else runs over UDP is carried as it came.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

from ngcp.rtp.suites import SUITES
from ngcp.sdp import Media, SdpError
from ngcp.sdp.candidate import Candidate
from ngcp.sdp.crypto import Crypto
from ngcp.sdp.description import Description, Section
from ngcp.sdp.fingerprint import Fingerprint
from ngcp.stun.check import PASSWORD, UFRAG, Credentials

#: Attributes of ICE (RFC 8839 §5).
ICE_ATTRIBUTES: Final = frozenset(
    {
        "candidate",
        "end-of-candidates",
        "ice-lite",
        "ice-mismatch",
        "ice-options",
        "ice-pacing",
        "ice-pwd",
        "ice-ufrag",
        "remote-candidates",
    }
)
#: Attributes that say how a section is protected (RFC 4568, RFC 8122, RFC 8842).
SECURITY_ATTRIBUTES: Final = frozenset({"crypto", "fingerprint", "setup", "tls-id", "connection"})
MUX_ATTRIBUTES: Final = frozenset({"rtcp-mux", "rtcp-mux-only"})
#: Feedback that only some profiles have (RFC 4585 §3.6).
FEEDBACK_ATTRIBUTES: Final = frozenset({"rtcp-fb"})
#: Lines of one kind in a section that are looked at.
MAX_LINES: Final = 32
#: The roles of RFC 4145 §4.
ROLES: Final = frozenset({"active", "passive", "actpass", "holdconn"})


T = TypeVar("T")


class Profile(NamedTuple):
    """One of the profiles of RTP: what the name in m= says (RFC 3551, 3711, 4585, 5124, 5764)."""

    is_secure: bool
    has_feedback: bool
    is_dtls: bool

    def __str__(self) -> str:
        return f"{'UDP/TLS/' * self.is_dtls}RTP/{'S' * self.is_secure}AVP{'F' * self.has_feedback}"


#: By their names in m=.
PROFILES: Final = {
    str(profile): profile
    for profile in (
        Profile(False, False, False),
        Profile(False, True, False),
        Profile(True, False, False),
        Profile(True, True, False),
        Profile(True, False, True),
        Profile(True, True, True),
    )
}


class Carriage(NamedTuple):
    """What one side says, or is told, of how a section is carried."""

    profile: Profile
    cryptos: tuple[Crypto, ...] = ()
    """Keys, the most preferred first: those of suites that we have."""
    fingerprint: Fingerprint | None = None
    """Of the certificate for DTLS."""
    setup: str = ""
    """The role for DTLS; empty: not said."""
    ice: Credentials | None = None
    """Of the one who said this, if they do ICE."""
    candidates: tuple[Candidate, ...] = ()
    """Where else than in m= and c= media may go."""
    is_lite: bool = False
    """Whether they wait for checks only."""
    is_muxed: bool = False
    """Whether RTCP may come on the port of RTP."""
    is_single: bool = False
    """Whether there is no other port for it."""

    @property
    def is_protected(self) -> bool:
        """Whether there are keys or a certificate."""
        return bool(self.cryptos or self.fingerprint)


#: What plain RTP says, by profile: nothing.
PLAIN_CARRIAGES: Final = {profile: Carriage(profile) for profile in PROFILES.values()}
#: Attributes that make a carriage more than that, and those that it may not have.
_SPECIAL: Final = SECURITY_ATTRIBUTES | MUX_ATTRIBUTES | ICE_ATTRIBUTES
_UNFIT: Final = _SPECIAL | FEEDBACK_ATTRIBUTES | {"group", "bundle-only"}


def read_carriage(body: Description, media: Media) -> Carriage | None:
    """Read a section; None if it is none of RTP, or protected by nothing that we know.

    Lines that cannot be used are as if they were not there: the next one may be better.
    """
    profile = PROFILES.get(media.protocol.upper())
    if profile is None:
        return None
    if _SPECIAL.isdisjoint(media.names) and _SPECIAL.isdisjoint(body.session.names):
        return None if profile.is_secure else PLAIN_CARRIAGES[profile]
    fingerprints = _read(Fingerprint.parse, media, body.session, "fingerprint")
    setup = (_inherited(media, body.session, "setup") or "").lower()
    carriage = Carriage(
        profile,
        tuple(crypto for crypto in _read(Crypto.parse, media, media, "crypto") if _is_usable(crypto)),
        fingerprints[0] if fingerprints else None,
        setup if setup in ROLES else "",
        _credentials(media, body.session),
        tuple(_read(Candidate.parse, media, media, "candidate")),
        body.session.has_attribute("ice-lite"),
        media.has_attribute("rtcp-mux"),
    )
    return None if profile.is_secure and not carriage.is_protected else carriage


def write_carriage(media: Media, carriage: Carriage, *, is_padded: bool = False, lifetime: str = "") -> None:
    """Let a section say `carriage` in place of what it says; `unbundle` has been there before."""
    media.remove_attributes(SECURITY_ATTRIBUTES | MUX_ATTRIBUTES | ICE_ATTRIBUTES)
    if not carriage.profile.has_feedback:
        media.remove_attributes(FEEDBACK_ATTRIBUTES)
    if PROFILES.get(media.protocol.upper()) != carriage.profile:
        media.replace_protocol(str(carriage.profile))
    if carriage.is_muxed:
        media.append_attribute("rtcp-mux")
    for crypto in carriage.cryptos:
        media.append_attribute("crypto", crypto.write(is_padded=is_padded, lifetime=lifetime))
    if carriage.fingerprint is not None:
        media.append_attribute("setup", carriage.setup)
        media.append_attribute("fingerprint", str(carriage.fingerprint))
    if carriage.ice is not None:
        media.append_attribute("ice-ufrag", carriage.ice.ufrag)
        media.append_attribute("ice-pwd", carriage.ice.password)
        for candidate in carriage.candidates:
            media.append_attribute("candidate", str(candidate))


def is_as_told(body: Description, media: Media, carriage: Carriage) -> bool:
    """Whether a section says `carriage` already, which is a plain one."""
    is_same = media.protocol == str(carriage.profile) and carriage is PLAIN_CARRIAGES[carriage.profile]
    return is_same and _UNFIT.isdisjoint(media.names) and _UNFIT.isdisjoint(body.session.names)


def prepare_session(body: Description, *, is_lite: bool) -> None:
    """Take out of the session what each section says by itself, and bundles: each section has its own ports.

    RFC 9143 §7.3.3: whoever offers a bundle sees by its absence that there is none. Sections that only make
    sense within one have port 0.
    """
    _keep_groups(body.session)
    body.session.remove_attributes(SECURITY_ATTRIBUTES | ICE_ATTRIBUTES)
    for media in body.media:
        media.remove_attributes({"bundle-only"})
    if is_lite:
        body.session.append_attribute("ice-lite")


def _keep_groups(session: Section) -> None:
    groups = list(session.attributes("group"))
    if any(group.startswith("BUNDLE") for group in groups):
        session.remove_attributes({"group"})
        for group in groups:
            if not group.startswith("BUNDLE"):
                session.append_attribute("group", group)


def _is_usable(crypto: Crypto) -> bool:
    """Whether we have the suite, the key fits it, and nothing is wished of us that we do not do (§6.3)."""
    suite = SUITES.get(crypto.suite)
    is_plain = all(name.startswith(("-", "WSH=")) for name in crypto.parameters)
    return suite is not None and len(crypto.key) == suite.master_length and is_plain


def _inherited(media: Media, session: Section, name: str) -> str | None:
    value = media.attribute(name)
    return session.attribute(name) if value is None else value


def _read(parse: Callable[[str], T], media: Section, session: Section, name: str) -> list[T]:
    """Return what can be read of the attributes called `name`: the section's, else the session's."""
    found = []
    values = list(media.attributes(name)) or list(session.attributes(name))
    for value in values[:MAX_LINES]:
        with suppress(SdpError):
            found.append(parse(value))
    return found


def _credentials(media: Media, session: Section) -> Credentials | None:
    ufrag, password = (_inherited(media, session, name) or "" for name in ("ice-ufrag", "ice-pwd"))
    if len(ufrag) not in UFRAG or len(password) not in PASSWORD:
        return None
    return Credentials(ufrag, password)
