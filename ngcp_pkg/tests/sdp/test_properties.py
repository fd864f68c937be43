"""What holds for every session description."""

from hypothesis import given
from hypothesis import strategies as st

from ngcp.sdp import Connection, Description, SdpError

ENDS = st.sampled_from(["\r\n", "\n"])
WORDS = st.text(
    st.characters(codec="ascii", exclude_characters="\r\n\0 ", min_codepoint=33), min_size=1, max_size=9
)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=20)
CONNECTIONS = st.ip_addresses().map(lambda address: str(Connection.of(str(address))))
OTHER_LINES = st.tuples(st.sampled_from("abikrstuz"), VALUES).map("=".join)
CONNECTION_LINES = CONNECTIONS.map("c={}".format)
MEDIA_LINES = st.tuples(WORDS, st.integers(0, 65_535), WORDS, st.lists(WORDS, max_size=3)).map(
    lambda parts: " ".join((f"m={parts[0]}", str(parts[1]), parts[2], *parts[3]))
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Sections with connections, attributes and lines that mean nothing to us."""
    lines = ["v=0", f"o=- 1 1 {draw(CONNECTIONS)}", "s=-", f"c={draw(CONNECTIONS)}"]
    lines += draw(st.lists(OTHER_LINES, max_size=4))
    for media in draw(st.lists(MEDIA_LINES, max_size=4)):
        lines += [media, *draw(st.lists(OTHER_LINES | CONNECTION_LINES, max_size=5))]
    body = "".join(line + draw(ENDS) for line in lines)
    return (body if draw(st.booleans()) else body.rstrip("\r\n")).encode()


@given(bodies())
def test_untouched_body_is_byte_identical(body: bytes) -> None:
    assert bytes(Description.parse(body)) == body


@given(bodies(), st.integers(1, 65_535), st.ip_addresses())
def test_edits_reach_their_lines_and_no_others(body: bytes, port: int, address: object) -> None:
    relay = Connection.of(str(address))
    description = Description.parse(body)
    for section in (description.session, *description.media):
        section.replace_connection(relay)
    for media in description.media:
        media.replace_port(port)

    edited = bytes(description)
    pairs = zip(body.split(b"\n"), edited.split(b"\n"), strict=True)
    assert {old[:2] for old, new in pairs if old != new} <= {b"c=", b"m="}
    assert [media.port for media in Description.parse(edited).media] == [port] * len(description.media)
    assert all(
        line.rstrip(b"\r") == f"c={relay}".encode() for line in edited.split(b"\n") if line[:2] == b"c="
    )


@given(st.binary(max_size=200) | st.binary(max_size=200).map(b"v=0\r\n".__add__))
def test_any_bytes_are_a_description_or_an_error(data: bytes) -> None:
    try:
        description = Description.parse(data)
    except SdpError:
        return
    assert bytes(description) == data
