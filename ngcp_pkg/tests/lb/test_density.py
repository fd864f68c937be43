"""Who is banned for sending too much, as far as it needs no wire."""

import pytest

from ngcp.lb.density import SOURCES, Density
from ngcp.lb.security import Security

REQUEST = b"OPTIONS sip:x SIP/2.0\r\n"
RESPONSE = b"SIP/2.0 200 OK\r\n"
OWN = ("198.51.100.1", "127.0.0.1")


def send(density: Density, host: str, count: int, now: float = 0.0, data: bytes = REQUEST) -> int:
    """Return how many of `count` messages were let pass."""
    return sum(not density.refuses(data, host, now) for _ in range(count))


def test_the_share_of_a_unit_passes_and_the_next_request_does_not() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5), OWN)

    assert send(density, "192.0.2.1", 10) == 5
    assert density.is_banned("192.0.2.1", 0.0)
    assert send(density, "192.0.2.2", 5) == 5


def test_a_new_unit_begins_from_nothing() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5, dos_sampling_time_unit=2), OWN)

    assert [send(density, "192.0.2.1", 5, now) for now in (10.0, 12.0, 14.0)] == [5, 5, 5]


def test_a_ban_ends_after_its_time_even_if_the_flood_went_on() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5, dos_ban_time=60), OWN)
    send(density, "192.0.2.1", 6)

    assert [send(density, "192.0.2.1", 1, now) for now in (1.0, 30.0, 59.9)] == [0, 0, 0]
    assert send(density, "192.0.2.1", 5, 60.0) == 5


@pytest.mark.parametrize("data", [RESPONSE, b"\r\n\r\n", b"\0\0\0\0"])
def test_responses_and_keep_alives_weigh_a_tenth(data: bytes) -> None:
    density = Density(Security(dos_reqs_density_per_unit=5), OWN)

    assert send(density, "192.0.2.1", 100, data=data) == 50


def test_garbage_weighs_as_much_as_a_request() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5), OWN)

    assert send(density, "192.0.2.1", 100, data=b"\xff" * 20) == 5


def test_the_addresses_of_a_64_are_one_source() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5), OWN)

    assert sum(send(density, f"2001:db8::{number:x}", 1) for number in range(1, 100)) == 5
    assert density.is_banned("2001:db8::ffff", 0.0)
    assert send(density, "2001:db8:0:1::1", 5) == 5


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "203.0.113.9", "2001:db8::5", "2001:db8:9:9::1", "198.51.100.1", "127.0.0.1"]
)
def test_the_whitelisted_and_we_ourselves_are_never_banned(host: str) -> None:
    security = Security(
        dos_reqs_density_per_unit=5,
        dos_whitelisted_ips=("192.0.2.1", "2001:db8::7"),
        dos_whitelisted_subnets=("203.0.113.0/24", "2001:db8:9::/48"),
    )
    density = Density(security, OWN)

    assert send(density, host, 10_000) == 10_000
    assert send(density, "192.0.2.2", 10) == 5


def test_where_a_subscriber_has_logged_in_ten_times_as_much_is_let_pass() -> None:
    """A hundred phones behind one NAT begin at once, each with two REGISTERs."""
    density = Density(Security(), OWN)
    passed = 0
    for phone in range(100):
        passed += send(density, "192.0.2.1", 2, phone * 0.01)
        density.trust("192.0.2.1", phone * 0.01)

    assert passed == 200
    assert send(density, "192.0.2.1", 1000, 2.0) == 300  # and yet there is a limit


def test_trust_ends() -> None:
    density = Density(Security(dos_reqs_density_per_unit=5), OWN)
    density.trust("192.0.2.1", 0.0)
    assert send(density, "192.0.2.1", 10, 86_399.0) == 10
    assert send(density, "192.0.2.1", 10, 86_500.0) == 5


def test_trust_is_told_only_when_it_is_news() -> None:
    """Other processes are told; a busy gateway logs in a hundred times a second."""
    density = Density(Security(), OWN)
    told: list[float] = []
    density.trusted.changed = lambda key, value, ends: told.append(ends)
    for second in range(0, 86_400, 60):
        density.trust("192.0.2.1", float(second))

    assert len(told) == 2


def test_without_bans_nobody_is_counted_but_an_operators_entry_holds() -> None:
    density = Density(Security(dos_ban_enable=False), OWN)
    assert send(density, "192.0.2.1", 1000) == 1000
    assert density.counted == 0

    density.bans.set("192.0.2.1", 1, 0.0)
    assert send(density, "192.0.2.1", 10) == 0


def test_memory_stays_bounded_under_a_flood_in_many_names() -> None:
    """A hundred thousand addresses, one message each, within one unit."""
    density = Density(Security(), OWN)
    most = 0
    for number in range(100_000):
        density.refuses(REQUEST, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1.0)
        most = max(most, density.counted)

    assert most == SOURCES
    assert len(density.bans) == 0


def test_a_heavy_sender_is_found_in_a_flood_in_many_names() -> None:
    density = Density(Security(), OWN)
    for number in range(60_000):
        density.refuses(REQUEST, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1.0)
        if number % 100 == 0:
            density.refuses(REQUEST, "192.0.2.1", 1.0)

    assert density.is_banned("192.0.2.1", 1.0)


def test_the_table_of_bans_is_bounded_too() -> None:
    density = Density(Security(dos_reqs_density_per_unit=1), OWN)
    for number in range(20_000):
        send(density, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 2)

    assert len(density.bans) == density.bans.limit == 16_384
