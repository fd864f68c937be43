"""Formats are read as offer and answer mean them, and edits touch nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sdp import Description, Media, SdpError
from ngcp.sdp.formats import (
    Format,
    find,
    free_type,
    read_formats,
    read_ptime,
    with_types_of,
    write_formats,
    write_ptime,
)

CORPUS = Path(__file__).parents[1] / "corpus" / "sdp"
PCMU, PCMA, G729 = Format(0, "PCMU", 8000), Format(8, "PCMA", 8000), Format(18, "G729", 8000)
OPUS = Format(111, "opus", 48_000, 2, "minptime=10;useinbandfec=1")
EVENT = Format(101, "telephone-event", 8000, parameters="0-16")

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
AUDIO = (
    "m=audio 4000 RTP/AVP 111 0 8 101\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtcp-fb:111 nack\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=sendrecv\r\na=ptime:30\r\na=maxptime:40\r\n"
)


def body(media: str = AUDIO) -> Description:
    return Description.parse((HEAD + media).encode())


def audio(media: str = AUDIO) -> Media:
    return body(media).media[0]


def test_formats_are_read_in_their_order() -> None:
    assert read_formats(audio()) == [OPUS, PCMU, PCMA, EVENT]


def test_static_types_need_no_rtpmap_and_dynamic_ones_without_are_nameless() -> None:
    formats = read_formats(audio("m=audio 4000 RTP/AVP 0 18 97\r\na=fmtp:18 annexb=no\r\n"))

    assert formats == [PCMU, G729._replace(parameters="annexb=no"), Format(97, "", 0)]


def test_names_are_the_same_in_upper_and_lower_case() -> None:
    """RFC 4855 §3."""
    offered = read_formats(audio("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 OPUS/48000/2\r\n"))

    assert find(offered, OPUS) == Format(96, "OPUS", 48_000, 2)
    assert find(offered, OPUS._replace(channels=1)) is None


def test_a_format_goes_with_all_that_describes_it() -> None:
    description = body()

    write_formats(description.media[0], [PCMA, EVENT])

    assert bytes(description).decode() == HEAD + (
        "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\na=sendrecv\r\na=ptime:30\r\na=maxptime:40\r\n"
    )


def test_a_format_comes_with_all_that_describes_it() -> None:
    description = body("m=audio 4000 RTP/AVP 8")

    write_formats(description.media[0], [OPUS, PCMA, EVENT])

    assert bytes(description).decode() == HEAD + (
        "m=audio 4000 RTP/AVP 111 8 101\r\na=rtpmap:111 opus/48000/2\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    )


def test_a_format_that_changes_its_meaning_is_described_anew() -> None:
    description = body("m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 iLBC/8000\r\na=fmtp:96 mode=30\r\n")

    write_formats(description.media[0], [Format(96, "opus", 48_000, 2), PCMA])

    assert bytes(description).decode() == HEAD + "m=audio 4000 RTP/AVP 96 8\r\na=rtpmap:96 opus/48000/2\r\n"


@pytest.mark.parametrize(
    ("media", "complaint"),
    [
        ("m=audio 4000 RTP/AVP 8 x", "payload type 'x' is no number below 128"),
        ("m=audio 4000 RTP/AVP 128", "payload type '128' is no number below 128"),
        ("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus", "malformed a=rtpmap 'opus'"),
        ("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/0", "malformed a=rtpmap 'opus/0'"),
        ("m=audio 4000 RTP/AVP" + " 8" * 129, "129 formats are too many"),
    ],
)
def test_what_is_no_format_is_refused(media: str, complaint: str) -> None:
    with pytest.raises(SdpError, match=complaint):
        read_formats(audio(media))


def test_ptime_is_read_and_replaced() -> None:
    description = body()
    media = description.media[0]
    assert read_ptime(media) == 30

    write_ptime(media, 60)

    assert read_ptime(media) == 60
    assert "maxptime" not in bytes(description).decode()
    assert read_ptime(audio("m=audio 4000 RTP/AVP 8")) is None
    assert read_ptime(audio("m=audio 4000 RTP/AVP 8\r\na=ptime:x\r\n")) is None


def test_answers_are_matched_by_codec() -> None:
    """RFC 3264 §6.1: an answer may have a payload type of its own for a codec of the offer."""
    answered = [PCMA, OPUS._replace(payload_type=96, parameters=""), G729, PCMA]

    assert with_types_of(answered, [OPUS, PCMU, PCMA, EVENT]) == [PCMA, OPUS]


def test_the_same_codec_twice_is_told_apart_by_payload_type() -> None:
    narrow, wide = Format(96, "AMR", 8000), Format(97, "AMR", 8000, parameters="octet-align=1")

    assert with_types_of([wide], [narrow, wide]) == [wide]


def test_free_types_are_dynamic_ones() -> None:
    assert free_type([0, 96, 97]) == 98
    with pytest.raises(SdpError, match="no payload type is left"):
        free_type(range(96, 128))


NAMES = st.text("abcXYZ129-", min_size=1, max_size=8)
FORMATS = st.builds(
    Format,
    st.integers(0, 127),
    NAMES,
    st.integers(1, 999_999),
    st.integers(1, 8),
    st.text("abc=;019", max_size=10),
)
LISTS = st.lists(FORMATS, min_size=1, max_size=8, unique_by=lambda one: one.payload_type)


@given(LISTS, LISTS)
def test_what_is_written_is_read(first: list[Format], second: list[Format]) -> None:
    description = body("m=audio 4000 RTP/AVP 77\r\na=sendonly\r\n")
    for formats in (first, second, first):
        write_formats(description.media[0], formats)

        again = Description.parse(bytes(description)).media[0]
        assert read_formats(again) == formats
        assert again.own_direction == "sendonly"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.sdp")), ids=lambda path: path.stem)
def test_writing_what_is_there_changes_nothing(path: Path) -> None:
    """Whole bodies of real phones."""
    data = path.read_bytes()
    description = Description.parse(data)
    for media in description.media:
        if media.protocol.upper().endswith(("AVP", "AVPF")):
            write_formats(media, read_formats(media))

    assert bytes(description) == data
