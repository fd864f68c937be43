"""What the relay reads in the bodies of real phones, and what it makes of them."""

from collections.abc import Collection
from pathlib import Path

import pytest

from ngcp.rtpengine.bodies import (
    UNKNOWN_SENDER,
    Announcement,
    Sender,
    conceal,
    reachable,
    read,
    redirect,
)
from ngcp.rtpengine.carriage import ICE_ATTRIBUTES
from ngcp.rtpengine.ports import PortPair
from ngcp.sdp import Connection, Description

CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
BODIES = sorted(CORPUS.glob("*.sdp"))
RELAY = "203.0.113.1"
BOTH = ("origin", "session-connection")


def read_corpus(
    name: str, sender: Sender = UNKNOWN_SENDER, interface: str = RELAY
) -> dict[int, Announcement]:
    return read(Description.parse((CORPUS / f"{name}.sdp").read_bytes()), sender, interface)


def rewrite(before: bytes, replace: Collection[str], relay: str = RELAY) -> bytes:
    """Do what the relay does, with ports from 30000 on."""
    body, connection = Description.parse(before), Connection.of(relay)
    said = read(body, UNKNOWN_SENDER, relay)
    conceal(body, connection, replace)
    ports = {index: PortPair((relay, 30000 + 4 * index), (relay, 30001 + 4 * index)) for index in said}
    redirect(body, ports, connection, replace)
    return bytes(body)


def rewrite_corpus(name: str, replace: Collection[str] = BOTH, relay: str = RELAY) -> list[str]:
    """Return the lines of the rewritten body."""
    after = rewrite((CORPUS / f"{name}.sdp").read_bytes(), replace, relay)
    return after.decode("latin-1").splitlines()


def test_sections_that_are_relayed() -> None:
    """Not the rejected ones, not those over TCP, but fax and BFCP over UDP."""
    assert list(read_corpus("linphone_offer")) == [0, 1]
    assert list(read_corpus("linphone_answer_without_video")) == [0]
    assert list(read_corpus("fax_reinvite_with_rejected_audio")) == [1]
    assert list(read_corpus("msrp_and_audio")) == [1]
    assert list(read_corpus("video_offer")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "rtp", "rtcp"),
    [
        ("baresip_offer", ("203.0.113.5", 21366), ("203.0.113.5", 21367)),
        ("video_offer", ("192.0.2.78", 49170), ("192.0.2.78", 49171)),
        ("latin1_and_host_name", None, None),
        ("ipv6_offer", None, None),
        ("sipp_line_feeds_only", None, None),
    ],
)
def test_announced_addresses(name: str, rtp: tuple[str, int] | None, rtcp: tuple[str, int] | None) -> None:
    said = read_corpus(name)[0]
    assert (said.rtp.address, said.rtcp.address) == (rtp, rtcp)


def test_announced_addresses_on_an_ipv6_interface() -> None:
    said = read_corpus("ipv6_offer", interface="2001:db8::1")[0]
    assert said.rtp.address == ("2001:db8:1::17", 6000)
    assert said.rtcp.address == ("2001:db8:1::18", 6103)


@pytest.mark.parametrize(
    ("name", "opaque"),
    [("linphone_offer", False), ("sdes_offer", False), ("t38_offer", True), ("browser_offer", True)],
)
def test_what_is_not_plain_rtp(name: str, opaque: bool) -> None:
    assert read_corpus(name)[0].rtp.is_opaque is opaque


@pytest.mark.parametrize(
    ("name", "directions", "muted"),
    [
        ("baresip_offer", (True, True), False),
        ("hold_sendonly", (True, False), False),
        ("hold_zero_address", (True, True), True),
    ],
)
def test_hold(name: str, directions: tuple[bool, bool], muted: bool) -> None:
    said = read_corpus(name)[0]
    assert (said.can_send, said.can_receive) == directions
    assert said.rtp.is_muted is muted


def test_streams_are_at_the_sender_if_the_proxy_says_so() -> None:
    sender = Sender("198.51.100.7", is_there=True)
    said = read_corpus("linphone_offer", sender)[0]
    assert said.rtp.address == ("198.51.100.7", 7078)
    assert said.rtcp.address == ("198.51.100.7", 7079)


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_rewriting_touches_only_the_lines_that_lead_to_the_sender(path: Path) -> None:
    before = path.read_bytes()
    kept = [line for line in before.splitlines(keepends=True) if not _leads(line)]
    after = rewrite(before, BOTH).splitlines(keepends=True)
    assert [line for line in after if not _leads(line)] == kept


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_rewriting_twice_is_rewriting_once(path: Path) -> None:
    once = rewrite(path.read_bytes(), BOTH)
    assert rewrite(once, BOTH) == once


def _leads(line: bytes) -> bool:
    name = line[2:].partition(b":")[0].decode("latin-1").strip()
    return line[:2] in (b"o=", b"c=", b"m=") or (line[:2] == b"a=" and name in ICE_ATTRIBUTES | {"rtcp"})


def test_nothing_leads_around_the_relay() -> None:
    text = "\n".join(rewrite_corpus("browser_offer"))
    assert "198.51.100.33" not in text
    assert "192.168.178.20" not in text
    assert "a=ice" not in text
    assert "a=rtcp:30001 IN IP4 203.0.113.1" in text
    assert "m=video 30004 UDP/TLS/RTP/SAVPF 96 97" in text


def test_origin_and_session_stay_unless_wanted() -> None:
    lines = rewrite_corpus("video_offer", ())
    assert "o=Polycom 1466101 0 IN IP4 192.0.2.77" in lines
    assert "c=IN IP4 192.0.2.77" not in lines  # video depends on it
    assert lines.count("c=IN IP4 203.0.113.1") == 2
    assert "o=Polycom 1466101 0 IN IP4 203.0.113.1" in rewrite_corpus("video_offer", ("origin",))


def test_session_that_no_section_depends_on_stays_unless_wanted() -> None:
    body = (
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=audio 4000 RTP/AVP 8\r\nc=IN IP4 192.0.2.2\r\n"
    )
    assert b"c=IN IP4 192.0.2.1\r\n" in rewrite(body, ())
    assert b"c=IN IP4 192.0.2.1\r\n" not in rewrite(body, ("session-connection",))


def test_section_that_is_not_relayed_keeps_its_address() -> None:
    lines = rewrite_corpus("msrp_and_audio")
    message = lines.index("m=message 7394 TCP/MSRP *")
    assert lines[message + 1] == "c=IN IP4 100.3.6.6"
    assert "c=IN IP4 203.0.113.1" in lines[:message]


def test_zero_address_stays_unless_wanted() -> None:
    lines = rewrite_corpus("hold_zero_address")
    assert lines.count("c=IN IP4 0.0.0.0") == 2
    assert "m=audio 30000 RTP/AVP 18 101" in lines
    lines = rewrite_corpus("hold_zero_address", (*BOTH, "zero-address"))
    assert lines.count("c=IN IP4 203.0.113.1") == 2


def test_family_follows_the_relay() -> None:
    assert "c=IN IP4 203.0.113.1" in rewrite_corpus("ipv6_offer")
    assert "a=rtcp:30001 IN IP6 2001:db8::1" in rewrite_corpus("ipv6_offer", relay="2001:db8::1")


@pytest.mark.parametrize(
    ("host", "interface", "found"),
    [
        ("192.0.2.1", RELAY, "192.0.2.1"),
        ("10.0.0.1", RELAY, "10.0.0.1"),
        ("phone.example.org", RELAY, None),
        ("0.0.0.0", RELAY, None),
        ("127.0.0.1", RELAY, None),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("224.0.0.1", RELAY, None),
        ("255.255.255.255", RELAY, None),
        ("2001:db8::1", RELAY, None),
        ("2001:DB8:0::1", "2001:db8::2", "2001:db8::1"),
        ("::1", "2001:db8::2", None),
        ("ff02::1", "2001:db8::2", None),
        ("192.0.2.1", "2001:db8::2", None),
    ],
)
def test_hosts_that_media_are_sent_to(host: str, interface: str, found: str | None) -> None:
    assert reachable(host, interface) == found
