"""What the relay reads in a session description, and what it writes there.

A body is concealed first (whatever names the sender's addresses apart from its streams) and redirected
then (its streams lead to our ports). Concealing may refuse the body; redirecting cannot fail, so it may
follow the opening of ports.
"""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ngcp.sdp import Connection, Description, Media, SdpError
from ngcp.sdp.formats import Format, read_formats, read_ptime, write_formats, write_ptime

from .carriage import ICE_ATTRIBUTES, Carriage, read_carriage
from .ports import PortPair
from .streams import Endpoint

#: What protocols end with whose formats are payload types of RTP.
_RTP_PROFILES: Final = ("/AVP", "/AVPF", "/SAVP", "/SAVPF")
#: Everybody on the network at once.
BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")


class Announcement(NamedTuple):
    """What a participant says of one media section that we relay."""

    kind: str
    """`audio`, `video`, `image` …"""
    protocol: str
    """`RTP/AVP`, `udptl` …"""
    can_send: bool
    """Whether its direction lets it send (RFC 3264 §5.1)."""
    can_receive: bool
    """Whether its direction lets it receive."""
    rtp: Endpoint
    """Where it wants media."""
    rtcp: Endpoint
    """Where it wants RTCP."""
    formats: Sequence[Format] = ()
    """What it speaks, the best first; nothing where we do not understand it."""
    ptime: int | None = None
    """Milliseconds of media that it wants in a packet, if it says so."""
    carriage: Carriage | None = None
    """How it is carried; None if that passes as it is."""

    @property
    def can_listen(self) -> bool:
        """Whether it hears what is sent to it: it may receive, and says where."""
        return self.can_receive and not self.rtp.is_muted


class Sender(NamedTuple):
    """Who sent a body, as far as the signalling tells."""

    host: str | None = None
    """The literal address that the signalling came from."""
    is_there: bool = False
    """Whether its streams are at that address too, whatever the body says (flag `SIP-source-address`)."""
    is_asymmetric: bool = False
    """Whether it sends from elsewhere than where it wants packets (flag `asymmetric`)."""


UNKNOWN_SENDER: Final = Sender()


def read(body: Description, sender: Sender, interface: str) -> dict[int, Announcement]:
    """Read the sections that we relay, by their place: those that are not rejected and run over UDP."""
    announcements = {}
    for index, media in enumerate(body.media):
        if _is_relayed(media):
            rtcp_port, rtcp_connection = media.rtcp
            carriage = read_carriage(body, media)
            announcements[index] = Announcement(
                media.kind,
                media.protocol,
                media.direction in ("sendrecv", "sendonly"),
                media.direction in ("sendrecv", "recvonly"),
                _endpoint((media.port, media.effective_connection), carriage, sender, interface),
                _endpoint((rtcp_port, rtcp_connection), carriage, sender, interface),
                _formats(media),
                read_ptime(media),
                carriage,
            )
    return announcements


def family_of(body: Description, sender: Sender) -> str:
    """Return the family, `IP4` or `IP6`, of the addresses at which the sender wants media."""
    if sender.host and sender.is_there:
        return Connection.of(sender.host).family
    for media in body.media:
        if _is_relayed(media):
            return media.effective_connection.family
    return body.session.connection.family if body.session.connection else "IP4"


@lru_cache(1024)
def literal(host: str) -> Connection | None:
    """Describe `host` if it is a literal address."""
    try:
        return Connection.of(str(ipaddress.ip_address(host)))
    except ValueError:
        return None


def conceal(body: Description, relay: Connection, replace: Collection[str]) -> None:
    """Take out ICE, and put our address in o= if `replace` says `origin`."""
    body.remove_attributes(ICE_ATTRIBUTES)
    if "origin" in replace:
        body.replace_origin(relay)


def redirect(
    body: Description, ports: Mapping[int, PortPair], relay: Connection, replace: Collection[str]
) -> None:
    """Lead the sections at the places in `ports` to these ports.

    The session's c= is replaced if `replace` says `session-connection` or a relayed section depends on it.
    The zero address stays, as it holds the call, unless `replace` says `zero-address`.
    """

    def is_ours(connection: Connection) -> bool:
        return "zero-address" in replace or not connection.is_unspecified

    common = body.session.connection
    depends = any(body.media[index].connection is None for index in ports)
    if common and is_ours(common) and (depends or "session-connection" in replace):
        for index, media in enumerate(body.media):
            if index not in ports and not media.is_rejected and media.connection is None:
                media.insert_connection(common)
        body.session.replace_connection(relay)
    for index, pair in ports.items():
        media = body.media[index]
        media.replace_port(pair.rtp[1])
        media.replace_rtcp(pair.rtcp[1], relay)
        if media.connection and is_ours(media.connection):
            media.replace_connection(relay)


def respell(media: Media, known: Sequence[Format], formats: Sequence[Format], ptime: int) -> None:
    """Let a section have `formats` instead of `known`, and packets of `ptime` milliseconds if not 0."""
    if formats != known:
        write_formats(media, formats)
    if ptime:
        write_ptime(media, ptime)


@lru_cache(4096)
def reachable(host: str, interface: str) -> str | None:
    """Return `host` as the system spells it if we would send media there, else None.

    It has to be a literal address of our family that is one host. Loopback is no place to send what
    strangers tell us to send, unless our interface itself is there.
    """
    try:
        address, here = ipaddress.ip_address(host), ipaddress.ip_address(interface)
    except ValueError:
        return None
    if address.version != here.version or address.is_multicast or address.is_unspecified:
        return None
    if address.is_loopback and not here.is_loopback:
        return None
    return None if address == BROADCAST else str(address)


def _is_relayed(media: Media) -> bool:
    return not media.is_rejected and not media.protocol.upper().startswith("TCP")


def _formats(media: Media) -> Sequence[Format]:
    """Return the formats of an RTP section; none if they cannot be read: then nobody changes them."""
    if not media.protocol.upper().endswith(_RTP_PROFILES):
        return ()
    try:
        return read_formats(media)
    except SdpError:
        return ()


def _endpoint(
    place: tuple[int, Connection], carriage: Carriage | None, sender: Sender, interface: str
) -> Endpoint:
    """Read where packets are wanted; who does ICE may not know yet, which is no hold (RFC 8839 §4.3.1)."""
    port, connection = place
    wanted = sender.host if sender.host and sender.is_there else connection.host
    host = reachable(wanted, interface)
    does_ice = carriage is not None and carriage.ice is not None
    return Endpoint(
        (host, port) if host else None,
        sender.host,
        connection.is_unspecified and not does_ice,
        carriage is None or carriage.fingerprint is not None,
        does_ice,
        sender.is_asymmetric,
    )
