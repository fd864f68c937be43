"""What counts as one sender."""

import pytest

from ngcp.lb.sources import network_of, read_source, source_of


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::1", "::"),
    ],
)
def test_an_ipv6_source_is_its_64(host: str, source: str) -> None:
    assert source_of(host) == source


def test_a_person_may_write_an_address_in_any_way() -> None:
    assert read_source(" 2001:DB8:0:0:0:0:0:7 ") == source_of("2001:db8::99")


@pytest.mark.parametrize("text", ["", "alice", "192.0.2.256", "192.0.2.0/24", "2001:db8::/64"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="IPv4 or IPv6"):
        read_source(text)


def test_a_source_is_a_network() -> None:
    assert [str(network_of(source)) for source in ("192.0.2.1", "2001:db8::")] == [
        "192.0.2.1/32",
        "2001:db8::/64",
    ]
