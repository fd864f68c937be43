"""The NAT test, as a table: what a phone says of itself, and where it is."""

from ipaddress import ip_network

import pytest

from ngcp.lb.nat import NatTest
from ngcp.sip.syntax.fields import Via
from ngcp.sip.transport.flow import Address, Flow

HERE = ("192.0.2.1", 5060)
PHONE = ("198.51.100.1", 5060)


@pytest.mark.parametrize(
    ("source", "via", "contact", "is_natted"),
    [
        (PHONE, "198.51.100.1", "<sip:a@198.51.100.1>", False),
        (PHONE, "198.51.100.1:5060", None, False),
        (PHONE, "198.51.100.1", "*", False),
        (PHONE, "198.51.100.1", "<sip:a@", False),
        (PHONE, "198.51.100.1", "<sip:a@phone.example.org>", False),
        (PHONE, "198.51.100.1", "<sip:a@203.0.113.9>", False),
        (PHONE, "phone.example.org", "<sip:a@198.51.100.1>", False),
        (("10.0.0.5", 5060), "10.0.0.5", "<sip:a@10.0.0.5>", False),
        (("2001:db8::5", 5060), "[2001:DB8:0::5]", "<sip:a@[2001:db8::5]>", False),
        (PHONE, "10.0.0.5", "<sip:a@10.0.0.5>", True),
        (PHONE, "203.0.113.9", "<sip:a@203.0.113.9>", True),
        (PHONE, "[2001:db8::5]", "<sip:a@198.51.100.1>", True),
        (("198.51.100.1", 40001), "198.51.100.1", "<sip:a@198.51.100.1>", True),
        (PHONE, "198.51.100.1:40001", "<sip:a@198.51.100.1>", True),
        (PHONE, "198.51.100.1", '"A" <sip:a@192.168.1.5>;q=1', True),
        (PHONE, "198.51.100.1", "sip:a@172.16.0.5", True),
        (PHONE, "198.51.100.1", "<sip:a@172.32.0.5>", False),
        (PHONE, "198.51.100.1", "<sip:a@100.64.0.5>", True),
        (PHONE, "198.51.100.1", "<sip:a@100.128.0.5>", False),
        (PHONE, "198.51.100.1", "<sip:a@[fd00::5]>", True),
        (PHONE, "198.51.100.1", f"<sip:{'a' * 300}@10.0.0.5>", True),
        (("203.0.113.80", 40001), "10.0.0.5", "<sip:a@10.0.0.5>", False),
    ],
)
def test_udp(source: Address, via: str, contact: str | None, is_natted: bool) -> None:
    """RFC 3581, RFC 1918, RFC 6598; 203.0.113.64/26 is excepted."""
    test = NatTest([ip_network("203.0.113.64/26")])
    flow = Flow("udp", HERE, source)

    for _ in range(2):  # the second time from memory
        assert test.is_natted(flow, Via.parse(f"SIP/2.0/UDP {via};branch=z9hG4bK1"), contact) is is_natted


@pytest.mark.parametrize(("contact", "is_natted"), [("198.51.100.1", False), ("10.0.0.5", True)])
def test_the_port_of_a_connection_says_nothing(contact: str, is_natted: bool) -> None:
    """§18.1.1: it is chosen at random, and Via names the port that listens."""
    flow = Flow("tcp", HERE, ("198.51.100.1", 51234))
    via = Via.parse("SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK1")

    assert NatTest().is_natted(flow, via, f"<sip:a@{contact};transport=tcp>") is is_natted
