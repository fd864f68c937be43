"""What the relay reads in a session description, and what it writes there.

A body is concealed first (whatever names the sender's addresses apart from its streams) and redirected
then (its streams lead to our ports). Concealing may refuse the body; redirecting cannot fail, so it may
follow the opening of ports.
"""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from ngcp.sdp import Connection, Description, Media

from .ports import PortPair
from .streams import Endpoint

#: We are the only way for media and take no part in ICE: candidates would lead around us (RFC 8839 §5).
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
#: Protocols whose every packet is plain RTP or RTCP; others begin with handshakes or carry fax data.
PLAIN_RTP: Final = frozenset({"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"})

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


class Sender(NamedTuple):
    """Who sent a body, as far as the signalling tells."""

    host: str | None = None
    """The literal address that the signalling came from."""
    is_there: bool = False
    """Whether its streams are at that address too, whatever the body says (flag `SIP-source-address`)."""


UNKNOWN_SENDER: Final = Sender()


def read(body: Description, sender: Sender, interface: str) -> dict[int, Announcement]:
    """Read the sections that we relay, by their place: those that are not rejected and run over UDP."""
    announcements = {}
    for index, media in enumerate(body.media):
        if _is_relayed(media):
            rtcp_port, rtcp_connection = media.rtcp
            announcements[index] = Announcement(
                media.kind,
                media.protocol,
                media.direction in ("sendrecv", "sendonly"),
                media.direction in ("sendrecv", "recvonly"),
                _endpoint(media, media.port, media.effective_connection, sender, interface),
                _endpoint(media, rtcp_port, rtcp_connection, sender, interface),
            )
    return announcements


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


def _endpoint(media: Media, port: int, connection: Connection, sender: Sender, interface: str) -> Endpoint:
    wanted = sender.host if sender.host and sender.is_there else connection.host
    host = reachable(wanted, interface)
    return Endpoint(
        (host, port) if host else None,
        sender.host,
        connection.is_unspecified,
        media.protocol.upper() not in PLAIN_RTP,
    )
