"""Messages from bytes and back (RFC 3261 §7)."""

import random
from pathlib import Path

import pytest

from ngcp.sip.errors import (
    InvalidHeader,
    InvalidRequestLine,
    MalformedMessage,
    MessageTooLarge,
    SipError,
    VersionNotSupported,
)
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.syntax.head import MAX_LINES, MAX_SIZE

CORPUS = sorted((Path(__file__).parents[2] / "corpus" / "sip").glob("*.sip"))

OPTIONS = (
    b"OPTIONS sip:b@example.org SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n"
)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_unedited_message_is_written_byte_identical(path: Path) -> None:
    data = path.read_bytes()
    assert bytes(parse(data)) == data
    assert bytes(parse(data).copy()) == data


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_every_message_of_the_corpus_has_its_common_fields(path: Path) -> None:
    message = parse(path.read_bytes())
    assert message.via.host
    assert message.cseq.method == getattr(message, "method", "INVITE")
    assert message.from_.address and message.to.address and message.call_id


def test_compact_forms_folding_and_lists() -> None:
    """§7.3.1, §7.3.3, and RFC 4475 §3.1.1.1 in spirit."""
    message = parse((CORPUS[0].parent / "invite_compact_folded.sip").read_bytes())
    assert [via.partition(";")[0] for via in message.all("Via")] == [
        "SIP/2.0/UDP 192.0.2.10:5062",
        "SIP/2.0/TCP [2001:db8::9:1]",
    ]
    assert message.cseq == (9, "INVITE")
    assert message.all("contact") == [
        '"Quote, \\"this\\"" <sip:a@192.0.2.10;x=",">;q=0.7',
        "<sip:a@192.0.2.11>",
    ]
    assert message.get("Max-Forwards") == "0068"
    assert message.get("Subject") == ""
    assert message.get("newfangled") == "newfangled value continued"


def test_body_is_cut_at_content_length() -> None:
    """§18.3: bytes behind the body of a datagram are discarded."""
    assert parse(OPTIONS + b"Content-Length: 2\r\n\r\nabcd").body == b"ab"


@pytest.mark.parametrize("value", [b"-1", b"abc", b"99999999999"])
def test_bad_content_length_is_left_for_somebody_who_can_answer(value: bytes) -> None:
    message = parse(OPTIONS + b"Content-Length: " + value + b"\r\n\r\nabcd")
    with pytest.raises(InvalidHeader, match="Content-Length"):
        _ = message.content_length


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\x00\x00\x00",
        b"INVITE sip:b@h SIP/2.0\r\nVia: x",
        b"INVITE  sip:b@h SIP/2.0\r\n\r\n",
        b"INVITE sip:b@h\r\n\r\n",
        b"SIP/2.0 700 Too High\r\n\r\n",
        b"INVITE sip:b@h SIP/2.0\r\nno colon here\r\n\r\n",
        b"INVITE sip:b@h SIP/2.0\r\nVia\r\n\r\n",
        b"INVITE sip:b@h SIP/2.0\r\nTo: a\nFrom: b\r\n\r\n",
        b"INVITE sip:b@h SIP/2.0\r\nTo: a\rFrom: b\r\n\r\n",
        b"INVITE sip:b@h SIP/2.0\r\nTo: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"[:16] + b"\r\n\r\n",
    ],
)
def test_what_is_no_sip_message_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(data)


def test_other_version_can_be_answered_with_505() -> None:
    """RFC 4475 §3.1.2.16."""
    with pytest.raises(VersionNotSupported) as caught:
        parse(OPTIONS.replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia") + b"\r\n")
    assert caught.value.request is not None
    assert caught.value.request.reply(caught.value.status).status == 505


@pytest.mark.parametrize(
    "line", [b"OPTIONS  sip:b@h SIP/2.0", b"OPTIONS sip:b@h  SIP/2.0 ", b"OPTIONS sip:b@h; lr sip/2.0"]
)
def test_wrong_blanks_in_a_request_line_can_be_answered(line: bytes) -> None:
    """RFC 4475 §3.1.2.8 to §3.1.2.10."""
    with pytest.raises(InvalidRequestLine) as caught:
        parse(OPTIONS.replace(b"OPTIONS sip:b@example.org SIP/2.0", line) + b"\r\n")
    assert caught.value.request is not None
    assert bytes(caught.value.request.reply(caught.value.status)).startswith(b"SIP/2.0 400 ")


def test_nul_may_stand_behind_a_backslash_and_nowhere_else() -> None:
    """§25.1, quoted-pair; RFC 4475 §3.1.1.2."""
    data = OPTIONS + b'Subject: "\\\0"\r\n\r\n'
    assert bytes(parse(data)) == data
    with pytest.raises(MalformedMessage):
        parse(data.replace(b'"\r\n\r\n', b'\0"\r\n\r\n'))


def test_size_and_header_count_are_bounded() -> None:
    with pytest.raises(MessageTooLarge):
        parse(OPTIONS + b"\r\n" + b"x" * MAX_SIZE)
    with pytest.raises(MessageTooLarge):
        parse(OPTIONS + b"X: y\r\n" * MAX_LINES + b"\r\n")


def test_keep_alive_before_a_message_is_skipped() -> None:
    assert isinstance(parse(b"\r\n\r\n" + OPTIONS + b"\r\n"), Request)


def test_status_line_without_reason() -> None:
    message = parse((CORPUS[0].parent / "response_no_reason.sip").read_bytes())
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.is_final) == (100, "", False)


def test_only_sip_errors_escape_from_mutated_messages() -> None:
    """10,000 mutations of the corpus from a seed, each also read field by field."""
    rng = random.Random(4475)
    originals = [path.read_bytes() for path in CORPUS]
    for _ in range(10_000):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 8)):
            place = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[place] = rng.randrange(256)
                case 1:
                    del data[place : place + rng.randint(1, 20)]
                case 2:
                    data[place:place] = data[place : place + rng.randint(1, 40)]
                case _:
                    data[place:place] = rng.choice(
                        [b'"', b"<", b">", b";", b",", b"\r\n", b":", b"@", b"\\", b"%"]
                    )
            if not data:
                break
        try:
            message = parse(bytes(data))
            _ = message.via, message.cseq, message.from_.uri, message.to.uri, message.call_id
            _ = message.all("Contact"), message.all("Route"), message.content_length
        except SipError:
            continue
        assert parse(bytes(message)).lines == message.lines
