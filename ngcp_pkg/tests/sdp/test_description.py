"""Session descriptions of real phones: what is read, and what an edit leaves alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ngcp.sdp import Connection, Description, SdpError

CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
BODIES = sorted(CORPUS.glob("*.sdp"))
RELAY = Connection("IP4", "203.0.113.1")

MINIMAL = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def load(name: str) -> Description:
    return Description.parse((CORPUS / f"{name}.sdp").read_bytes())


def changed_lines(before: bytes, after: bytes) -> list[bytes]:
    assert before.count(b"\n") == after.count(b"\n")
    return [new for old, new in zip(before.split(b"\n"), after.split(b"\n"), strict=True) if old != new]


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_untouched_body_is_byte_identical(path: Path) -> None:
    assert bytes(Description.parse(path.read_bytes())) == path.read_bytes()


def test_sections_of_an_audio_and_video_offer() -> None:
    audio, video = load("linphone_offer").media
    assert (audio.kind, audio.port, audio.protocol) == ("audio", 7078, "RTP/AVPF")
    assert (video.kind, video.port, video.protocol) == ("video", 9078, "RTP/AVPF")
    assert audio.connection is None
    assert audio.effective_connection == Connection("IP4", "192.168.1.23")


def test_connection_of_a_section_overrides_the_session() -> None:
    """RFC 4566 §5.7."""
    audio, video, _ = load("video_offer").media
    assert audio.effective_connection.host == "192.0.2.78"
    assert video.effective_connection.host == "192.0.2.77"


def test_rejected_sections() -> None:
    """RFC 3264 §6: port 0."""
    assert [media.is_rejected for media in load("linphone_answer_without_video").media] == [False, True]
    assert [media.is_rejected for media in load("fax_reinvite_with_rejected_audio").media] == [True, False]


@pytest.mark.parametrize(
    ("name", "port", "host"),
    [
        ("linphone_offer", 7079, "192.168.1.23"),
        ("baresip_offer", 21367, "203.0.113.5"),
        ("browser_offer", 54825, "198.51.100.33"),
        ("ipv6_offer", 6103, "2001:db8:1::18"),
    ],
)
def test_rtcp_goes_to_the_next_port_unless_stated(name: str, port: int, host: str) -> None:
    """RFC 3605 §2.1."""
    media = load(name).media[0]
    assert media.rtcp == (port, Connection.of(host))


@pytest.mark.parametrize(
    ("name", "directions"),
    [
        ("linphone_offer", ["sendrecv", "sendrecv"]),
        ("browser_offer", ["sendrecv", "sendonly"]),
        ("hold_sendonly", ["sendonly"]),
        ("video_offer", ["sendrecv", "sendrecv", "sendrecv"]),
    ],
)
def test_direction(name: str, directions: list[str]) -> None:
    assert [media.direction for media in load(name).media] == directions


def test_direction_of_the_session_holds_for_sections_without() -> None:
    """RFC 3264 §5.1."""
    description = Description.parse(
        MINIMAL + b"a=inactive\r\nm=audio 4 RTP/AVP 0\r\nm=audio 6 RTP/AVP 0\r\na=recvonly\r\n"
    )
    assert [media.direction for media in description.media] == ["inactive", "recvonly"]


@pytest.mark.parametrize(
    ("host", "unspecified"),
    [("0.0.0.0", True), ("::", True), ("192.0.2.1", False), ("phone.example.org", False)],
)
def test_zero_address_is_an_old_hold(host: str, unspecified: bool) -> None:
    assert Connection.of(host).is_unspecified is unspecified


def test_time_to_live_is_no_part_of_the_host() -> None:
    assert Connection.parse("IN IP4 224.2.1.1/127/3").host == "224.2.1.1"


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda body: body.replace_origin(RELAY), b"o=- 2890844526 1 IN IP4 203.0.113.1\r"),
        (lambda body: body.session.replace_connection(RELAY), b"c=IN IP4 203.0.113.1\r"),
        (lambda body: body.media[0].replace_port(30000), b"m=audio 30000 RTP/AVP 96 8 0 101\r"),
        (lambda body: body.media[0].replace_rtcp(30001, RELAY), b"a=rtcp:30001\r"),
    ],
)
def test_editing_one_line_changes_one_line(edit: Callable[[Description], None], line: bytes) -> None:
    before = (CORPUS / "baresip_offer.sdp").read_bytes()
    body = Description.parse(before)
    edit(body)
    assert changed_lines(before, bytes(body)) == [line]


def test_stated_rtcp_address_stays_stated() -> None:
    body = load("ipv6_offer")
    body.media[0].replace_rtcp(30001, RELAY)
    assert b"\r\na=rtcp:30001 IN IP4 203.0.113.1\r\n" in bytes(body)


def test_rtcp_is_not_invented() -> None:
    body = load("linphone_offer")
    body.media[0].replace_rtcp(30001, RELAY)
    assert bytes(body) == (CORPUS / "linphone_offer.sdp").read_bytes()


def test_count_of_ports_is_dropped_with_the_port() -> None:
    """A hierarchical stream (RFC 4566 §5.14) would claim ports that belong to others."""
    body = load("video_offer")
    body.media[1].replace_port(30004)
    assert b"\r\nm=video 30004 RTP/AVP 109 34\r\n" in bytes(body)


def test_attributes_are_removed_everywhere() -> None:
    body = load("browser_offer")
    body.remove_attributes({"candidate", "ice-ufrag", "ice-pwd", "ice-options"})
    assert b"candidate" not in bytes(body)
    assert b"a=ice" not in bytes(body)
    assert bytes(body).count(b"\r\n") == (CORPUS / "browser_offer.sdp").read_bytes().count(b"\r\n") - 11


def test_connection_is_inserted_where_the_grammar_wants_it() -> None:
    """RFC 4566 §5: behind m= and i=."""
    body = Description.parse(MINIMAL + b"m=audio 4 RTP/AVP 0\r\ni=title\r\na=x\r\nm=video 6 RTP/AVP 34")
    for media in body.media:
        media.insert_connection(RELAY)
        media.replace_port(30000)
    assert bytes(body) == MINIMAL + (
        b"m=audio 30000 RTP/AVP 0\r\ni=title\r\nc=IN IP4 203.0.113.1\r\na=x\r\n"
        b"m=video 30000 RTP/AVP 34\r\nc=IN IP4 203.0.113.1\r\n"
    )


def test_line_feeds_alone_stay_line_feeds() -> None:
    body = load("sipp_line_feeds_only")
    body.replace_origin(RELAY)
    body.session.replace_connection(RELAY)
    body.media[0].replace_port(30000)
    assert b"\r" not in bytes(body)
    assert body.media[0].port == 30000


def test_foreign_bytes_survive() -> None:
    assert b"s=Caf\xe9\r\n" in bytes(load("latin1_and_host_name"))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "v=0"),
        (b"v=1\r\n", "v=0"),
        (b"hello", "v=0"),
        (MINIMAL + b"a=x\0y\r\n", "NUL"),
        (MINIMAL + b"a=x\rc=IN IP4 192.0.2.66\r\n", "CR"),
        (b"v=0\r\nc=IN IP5 1\r\n", "connection"),
        (b"v=0\r\nc=192.0.2.1\r\n", "connection"),
        (MINIMAL + b"m=audio\r\n", "media line"),
        (MINIMAL + b"m=audio x RTP/AVP 0\r\n", "media line"),
        (MINIMAL + b"m=audio 65536 RTP/AVP 0\r\n", "media line"),
        (MINIMAL + b"m=audio -2 RTP/AVP 0\r\n", "media line"),
        (MINIMAL + b"m=audio 4 RTP/AVP 0\r\n" * 33, "too many"),
        (b"v=0" + bytes(70_000), "too many"),
    ],
)
def test_malformed_body_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(SdpError, match=problem):
        Description.parse(body)


def test_malformed_lines_matter_only_to_who_asks() -> None:
    body = Description.parse(b"v=0\r\no=nonsense\r\nm=audio 4 RTP/AVP 0\r\na=rtcp:99999\r\n")
    with pytest.raises(SdpError, match="origin"):
        body.replace_origin(RELAY)
    with pytest.raises(SdpError, match="rtcp"):
        _ = body.media[0].rtcp
    with pytest.raises(SdpError, match="no connection data"):
        _ = body.media[0].effective_connection
