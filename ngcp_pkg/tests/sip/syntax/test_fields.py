"""Header field values as tables (RFC 3261 §20, §25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.errors import InvalidHeader, InvalidUri
from ngcp.sip.syntax import CSeq, NameAddr, Uri, Via
from ngcp.sip.syntax.fields import parse_auth, quote_string, split_first, split_list, unquote_string


@pytest.mark.parametrize(
    ("text", "sent_by", "branch"),
    [
        ("SIP/2.0/UDP h.example.com;branch=z9hG4bK1", ("h.example.com", 5060), "z9hG4bK1"),
        ("SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK2;rport", ("192.0.2.1", 5061), "z9hG4bK2"),
        ("SIP / 2.0 / TCP   [2001:db8::1]: 5070 ;branch = z9hG4bK3", ("[2001:db8::1]", 5070), "z9hG4bK3"),
        ("SIP/2.0/UDP 192.0.2.1:5060", ("192.0.2.1", 5060), ""),
    ],
)
def test_via(text: str, sent_by: tuple[str, int], branch: str) -> None:
    via = Via.parse(text)
    assert (via.sent_by, via.branch) == (sent_by, branch)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text", ["", "SIP/2.0/UDP", "SIP/1.0/UDP h", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP a b;x"]
)
def test_broken_via(text: str) -> None:
    with pytest.raises(InvalidHeader, match="Via"):
        Via.parse(text)


@pytest.mark.parametrize("text", ["", "INVITE", "1", "-1 INVITE", "4294967296 INVITE", "1 IN VITE"])
def test_broken_cseq(text: str) -> None:
    with pytest.raises(InvalidHeader, match="CSeq"):
        CSeq.parse(text)


@pytest.mark.parametrize(
    ("text", "display", "address", "tag"),
    [
        ('"A \\"b\\" <c>" <sip:a@h;x=1>;tag=9', 'A "b" <c>', "sip:a@h;x=1", "9"),
        ("Alice Smith <sip:a@h>", "Alice Smith", "sip:a@h", None),
        ("<sip:a@h>;tag=7;x", "", "sip:a@h", "7"),
        ("sip:a@h;tag=8", "", "sip:a@h", "8"),
        ('<sip:a@h>;x="a;tag=no";tag=5', "", "sip:a@h", "5"),
    ],
)
def test_name_addr(text: str, display: str, address: str, tag: str | None) -> None:
    value = NameAddr.parse(text, "From")
    assert (value.display, value.address, value.tag) == (display, address, tag)
    assert NameAddr.parse(str(value)) == value


@pytest.mark.parametrize("text", ["", '"open <sip:a@h>', "<sip:a@h", "a <b> <c>"])
def test_broken_name_addr_names_its_header(text: str) -> None:
    with pytest.raises(InvalidHeader, match="From"):
        NameAddr.parse(text, "From")


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:alice@example.org", "alice", "example.org", None),
        ("SIPS:a:pw@EXAMPLE.org:5071;transport=tcp;lr", "a:pw", "example.org", 5071),
        ("sip:+43;phone-context=x@[2001:db8::1]:5060", "+43;phone-context=x", "[2001:db8::1]", 5060),
        ("sip:192.0.2.1", None, "192.0.2.1", None),
        ("sip:sips%3Auser%40example.com@example.net", "sips%3Auser%40example.com", "example.net", None),
        ("tel:+43-1;ext=2", "+43-1", "", None),
    ],
)
def test_uri(text: str, user: str | None, host: str, port: int | None) -> None:
    uri = Uri.parse(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)
    assert Uri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    "text", ["", "sip:", "sip:@h", "sip:a@", "sip:a@h:0", "sip:a@h:70000", "alice", "sip:a b@h", "sip:a@h<"]
)
def test_broken_uri(text: str) -> None:
    with pytest.raises(InvalidUri):
        Uri.parse(text)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", True),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", True),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", True),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", False),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", False),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", False),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", False),
    ],
)
def test_uri_equivalence_of_19_1_4(a: str, b: str, same: bool) -> None:
    assert Uri.parse(a).is_equivalent(Uri.parse(b)) is same
    assert Uri.parse(b).is_equivalent(Uri.parse(a)) is same


def test_auth_parameters() -> None:
    scheme, params = parse_auth('Digest realm="a, b", nonce="x\\"y",qop=auth ,  nc=00000001')
    assert scheme == "digest"
    assert params == {"realm": "a, b", "nonce": 'x"y', "qop": "auth", "nc": "00000001"}


@pytest.mark.parametrize("text", ['Digest realm="open', "Digest realm", "Digest =x"])
def test_broken_auth_parameters(text: str) -> None:
    with pytest.raises(InvalidHeader, match="Authorization"):
        parse_auth(text)


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_quoted_string_round_trip(text: str) -> None:
    assert unquote_string(quote_string(text)) == text


@given(st.text('ab,"<>; \\\\'))
def test_the_first_value_and_the_others_are_what_the_list_holds(text: str) -> None:
    """§7.3.1: a comma in quotes or brackets separates nothing, and nothing between two commas is no value."""
    first, others = split_first(text)

    left = split_list(others) if others else []
    assert [member for member in (first, *left) if member] == [m for m in split_list(text.strip()) if m]
