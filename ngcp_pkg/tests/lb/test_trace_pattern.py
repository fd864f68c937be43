"""What traces find: terms that operators type, against messages as they are on the wire."""

import pytest

from ngcp.lb.trace_pattern import LONGEST, MOST_TERMS, BadPattern, Pattern
from ngcp.sip.transport.flow import Flow

INVITE = (
    b"INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\ni: a.b(c)*\r\n"
    b"CSeq: 1 INVITE\r\nUser-Agent: Friendly Phone\r\nContent-Length: 0\r\n\r\n"
)
BUSY = (
    b"SIP/2.0 486 Busy Here\r\nFrom: <sip:alice@example.org>;tag=1\r\nCall-ID:  a.b(c)* \r\n"
    b"CSeq: 1  INVITE\r\nContent-Length: 0\r\n\r\n"
)
GARBAGE = b"\x00\xffINVITE\r\nsip:bobby@"
FLOW = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 5060))
FLOW6 = Flow("udp", ("2001:db8::1", 5060), ("2001:db8::7", 5060))


def found(pattern: str, flow: Flow = FLOW) -> list[bytes]:
    looking = Pattern.parse(pattern)
    return [data for data in (INVITE, BUSY, GARBAGE) if looking.matches(data, flow)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", [INVITE, BUSY, GARBAGE]),
        ("friendly", [INVITE]),
        ("'friendly phone'", [INVITE]),
        ("method=INVITE", [INVITE, BUSY]),
        ("method=ACK", []),
        ("user=alice", [INVITE, BUSY]),
        ("user=bob", [INVITE]),
        ("user=ali", []),
        ("call-id=a.b(c)*", [INVITE, BUSY]),
        ("call-id=a.b", []),
        ("call-id=aXb(c)*", []),
        ("status=486", [BUSY]),
        ("status=4xx", [BUSY]),
        ("status=2xx", []),
        ("method=INVITE status=486 user=alice", [BUSY]),
        ("user=alice user=bob", [INVITE]),
        ("tag=1", [INVITE, BUSY]),
        (".*", []),
    ],
)
def test_every_term_must_hold(pattern: str, expected: list[bytes]) -> None:
    assert found(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "flow", "is_found"),
    [
        ("ip=198.51.100.7", FLOW, True),
        ("ip=198.51.100.0/24", FLOW, True),
        ("ip=198.51.100.8", FLOW, False),
        ("ip=192.0.2.1", FLOW, False),
        ("ip=2001:db8::7", FLOW6, True),
        ("ip=2001:DB8::/32", FLOW6, True),
        ("ip=0.0.0.0/0", FLOW6, False),
    ],
)
def test_ip_is_who_is_outside_of_us(pattern: str, flow: Flow, is_found: bool) -> None:
    assert bool(found(pattern, flow)) == is_found


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("ip=alice", "ip=alice: neither an address nor a network"),
        ("status=busy", "status=busy: a status is 486 or 4xx, for example"),
        ("user=", "user=: a value is missing"),
        ("'", "No closing quotation"),
        ("x" * (LONGEST + 1), "at most 200 characters"),
        ("x " * (MOST_TERMS + 1), "at most 8 terms"),
    ],
)
def test_what_cannot_be_looked_for_is_named(pattern: str, problem: str) -> None:
    with pytest.raises(BadPattern, match=problem):
        Pattern.parse(pattern)
