"""Who is kept out of the node, and how an operator lets him in again."""

import http.client
from collections.abc import Iterator
from dataclasses import replace

import pytest
from testinfra.host import Host

from lab import sipp
from lab.call import register
from lab.errors import LabError
from lab.machines import Machine
from lab.rest import RestClient
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision


@pytest.fixture
def scanner(host: Host, machine: Machine) -> Iterator[Phone]:
    """Let somebody ask the edge a hundred times within a second."""
    scanner = Phone("scanner", "example.org", "", PHONES[5])
    sipp.play("scan", scanner, machine.address, calls=100)
    yield scanner
    host.check_output("ngcp-sercmd lb htable.flush ipban")


def is_answered(phone: Phone, machine: Machine) -> bool:
    """Tell whether the edge answers a phone."""
    try:
        sipp.play("ping", phone, machine.address)
    except LabError:
        return False
    return True


def test_scanner_is_banned_until_sercmd_lets_it_in(host: Host, machine: Machine, scanner: Phone) -> None:
    """More than 50 requests in 5 seconds; the phone beside it is served all the while."""
    assert not is_answered(scanner, machine)
    assert is_answered(replace(scanner, address=PHONES[6]), machine)
    assert f"name: {scanner.address}\n" in host.check_output("ngcp-sercmd lb htable.dump ipban") + "\n"

    host.check_output(f"ngcp-sercmd lb htable.delete ipban {scanner.address}")
    assert is_answered(scanner, machine)


def test_scanner_is_banned_until_rest_lets_it_in(machine: Machine, scanner: Phone, rest: RestClient) -> None:
    """GET and DELETE of /api/bannedips/."""
    assert [item["ip"] for item in rest.find("bannedips")] == [scanner.address]

    path = f"/api/bannedips/{scanner.address}"
    assert rest.request("DELETE", path).status == http.client.NO_CONTENT
    assert rest.request("GET", path).status == http.client.NOT_FOUND
    assert is_answered(scanner, machine)


def test_user_who_guesses_is_banned_until_rest_lets_him_in(machine: Machine, rest: RestClient) -> None:
    """Three failures are the proxy's to refuse; then the right password is of no use either."""
    (phone,) = provision(rest, PHONES[6:7])
    guessing = replace(phone, password="guessed")
    for _ in range(3):
        sipp.play("register_refused", guessing, machine.address, expires=600)
    sipp.play("register_banned", guessing, machine.address, expires=600)
    sipp.play("register_banned", phone, machine.address, expires=600)

    name = f"{phone.user}@{phone.domain}"
    (item,) = rest.find("bannedusers", f"username={name}")
    assert (item["id"], item["auth_count"]) == (name, 3)
    assert rest.request("DELETE", f"/api/bannedusers/{name}").status == http.client.NO_CONTENT
    register(phone, machine.address)
