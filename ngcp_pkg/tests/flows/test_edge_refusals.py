"""What is no sane SIP is refused at the edge, in words that docs/refusals.md lists."""

import re

import pytest

from flows.attempts import Attempt
from flows.edge import PUBLIC, StubProxy
from flows.phones import Phone
from flows.wire import Wire
from ngcp.sip.syntax import parse

MALLORY = ("203.0.113.66", 5060)


@pytest.fixture
def mallory(wire: Wire, stub: StubProxy) -> Phone:
    return Phone(wire, "mallory", MALLORY, PUBLIC)


def answer_to(wire: Wire, attempt: Attempt) -> int | None:
    assert wire.run_until(lambda: attempt.is_over)
    return attempt.status


@pytest.mark.parametrize(
    ("original", "broken", "answer"),
    [
        ("Max-Forwards: 70", "Max-Forwards: 0", "483 Too Many Hops"),
        ("Max-Forwards: 70", "Max-Forwards: many", "400 Invalid Max-Forwards Header"),
        (r"From: .*?\r\n", "", "400 Missing From Header"),
        (r"Call-ID: .*?\r\n", "", "400 Missing Call-ID Header"),
        (r"(To: .*?\r\n)", r"\1\1", "400 Duplicate To Header"),
        (r"(Call-ID: .*?\r\n)", r"\1\1", "400 Duplicate Call-ID Header"),
        (r"(CSeq: .*?\r\n)", r"\1\1", "400 Duplicate CSeq Header"),
        (r"(From: .*?\r\n)", r"\1\1", "400 Duplicate From Header"),
        (r"(Max-Forwards: .*?\r\n)", r"\1\1", "400 Duplicate Max-Forwards Header"),
        (r"(Content-Length: .*?\r\n)", r"\1\1", "400 Duplicate Content-Length Header"),
        (r"To: .*?\r\n", "", "400 Missing To Header"),
        (r"CSeq: .*?\r\n", "", "400 Missing CSeq Header"),
        ("From: <sip:", "From: <sip ", "400 Invalid From Header"),
        ("To: <", "To: <<", "400 Invalid To Header"),
        ("tag=", 'tag="x>"', "400 Invalid From Header"),
        ("1 MESSAGE", "1 INVITE", "400 Invalid CSeq Header"),
        ("1 MESSAGE", "4294967296 MESSAGE", "400 Invalid CSeq Header"),
        ("Content-Length: 0", "Content-Length: 10", "400 Content-Length Mismatch"),
        ("Content-Length: 0", "Content-Length: -1", "400 Invalid Content-Length Header"),
        ("Contact: <sip:mallory", "Contact: <sip:a@h>, <sip:mallory", "400 Bad Contact Header"),
        ("Contact: <sip:", "Contact: <sip ", "400 Bad Contact Header"),
        ("Contact: <sip:.*?>", "Contact: <sip:mallory@h>;;q=1", "400 Bad Contact Header"),
        (r"Call-ID: .*?\r\n", "Call-ID:\r\n", "400 Invalid Call-ID Header"),
        ("MESSAGE sip:.*? ", "MESSAGE sip:x@203.0.113.7 ", "403 Relaying denied"),
        ("MESSAGE sip:.*? ", "MESSAGE sip:x@[2001:db8::7] ", "403 Relaying denied"),
        ("MESSAGE sip:.*? ", "MESSAGE sip:x@127.0.0.1 ", "403 Relaying denied"),
        ("MESSAGE sip:.*? ", "MESSAGE sip:x@[::1::] ", "400 Invalid URI"),
        ("MESSAGE sip:.*? ", "MESSAGE sip:x@h?Route=y ", "400 Invalid URI"),
        ("branch=", ";branch=", "400 Invalid Via Header"),
        (r"\r\nContact", r"\r\nProxy-Require: sec-agree\r\nContact", "420 Bad Extension"),
        (r"\r\nContact", r"\r\nRoute: <sip:a@h\r\nContact", "400 Invalid Route Header"),
        ("MESSAGE sip:", "MESSAGE  sip:", "400 Invalid Request-Line"),
        ("MESSAGE sip:", "MESSAGE http:", "416 Unsupported URI Scheme"),
        ("MESSAGE sip:x@", "MESSAGE sip:x@@", "400 Invalid URI"),
        ("MESSAGE (.*) SIP/2.0\r\n", "MESSAGE \\1 SIP/3.0\r\n", "505 Version Not Supported"),
        ("\r\nContact", '\r\nAuthorization: Digest username="a\r\nContact', "400 Bad Auth Header"),
        ("\r\nContact", '\r\nProxy-Authorization: Digest username="a"\r\nContact', "400 Bad Auth Header"),
    ],
)
def test_sanity(wire: Wire, mallory: Phone, original: str, broken: str, answer: str) -> None:
    """What is no sane SIP is refused at the edge."""
    mallory.send_request("MESSAGE", "sip:x@example.org")
    ((data, _),) = mallory.messages_to_send()
    text, count = re.subn(original, broken, data.decode(), count=1)
    assert count
    mallory.send_raw(text.encode())
    wire.run(0.1)

    assert [packet.start for packet in wire.packets[1:]] == [f"SIP/2.0 {answer}"]


@pytest.mark.parametrize(
    ("method", "contacts", "status"),
    [
        ("INVITE", [], 400),
        ("SUBSCRIBE", [], 400),
        ("MESSAGE", [], 404),
        ("OPTIONS", ["<sip:a@h>"], 404),
        ("OPTIONS", ["<sip:a@h>", "<sip:b@h>"], 400),
        ("UNHEARD", ["<sip:a@h>", "<sip:b@h>"], 404),
        ("REGISTER", ["<sip:a@h>", "<sip:b@h>"], 200),
        ("REGISTER", ["sip:a@h;expires=60"], 200),
        ("REGISTER", ["*"], 400),
        ("REGISTER", ["<sip:a@h", "<sip:b@h>"], 400),
        ("REGISTER", ["sip:a@h?x=y"], 400),
    ],
)
def test_contacts(wire: Wire, mallory: Phone, method: str, contacts: list[str], status: int) -> None:
    """§8.1.1.8, §10.2, §20.10: who must name where it is, and who may name how many."""
    mallory.send_request(method, "sip:x@example.org", extra=["Expires: 3600"])
    ((data, _),) = mallory.messages_to_send()
    request = parse(data)
    request.remove("Contact")
    for contact in contacts:
        request.append("Contact", contact)
    mallory.send_raw(bytes(request))
    wire.run(0.1)

    answer = wire.sent_to(MALLORY)[-1].start
    assert answer.startswith(f"SIP/2.0 {status}")
    assert status != 400 or answer.endswith("400 Bad Contact Header")


@pytest.mark.parametrize(
    ("expires", "others", "status"), [("0", [], 200), ("0", ["<sip:a@h>"], 400), ("60", [], 400)]
)
def test_a_star_stands_alone_with_expires_0(
    wire: Wire, mallory: Phone, expires: str, others: list[str], status: int
) -> None:
    """§10.2.2."""
    lines = [f"Expires: {expires}", *(f"Contact: {contact}" for contact in ["*", *others])]

    assert answer_to(wire, mallory.send_request("REGISTER", "sip:example.org", extra=lines)) == status


def test_a_cancel_for_nothing(wire: Wire, mallory: Phone) -> None:
    """§9.2."""
    invite = mallory.send_request("INVITE", "sip:x@example.org").request
    mallory.messages_to_send()
    attempt = mallory.send_cancel(invite)

    assert answer_to(wire, attempt) == 481
    assert attempt.final is not None
    assert (attempt.final.status, attempt.final.reason) == (481, "Call/Transaction Does Not Exist")
