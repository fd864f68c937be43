"""What subscribers and operators provision over REST, as callers see it with their next call."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from lab import sipp
from lab.call import call, register
from lab.machines import Machine
from lab.rest import RestClient
from lab.rtp import RtpEndpoint
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision

#: Packets each side sends where it only matters that they arrive.
FEW: Final = 25
PATCH: Final = "application/json-patch+json"


@pytest.fixture
def trio(machine: Machine, rest: RestClient) -> list[Phone]:
    """Register phones of three subscribers of one customer."""
    phones = provision(rest, PHONES[2:5])
    for phone in phones:
        register(phone, machine.address)
    return phones


def number_of(rest: RestClient, phone: Phone) -> int:
    """Return a subscriber's number in the API."""
    [found] = rest.find("subscribers", f"username={phone.user}")
    return int(found["id"])


def change(rest: RestClient, path: str, **values: object) -> None:
    """Set members of an item."""
    operations = [{"op": "add", "path": f"/{name}", "value": value} for name, value in values.items()]
    answer = rest.request("PATCH", path, operations, PATCH)
    assert answer.status in (200, 204), answer


def prefer(rest: RestClient, phone: Phone, **preferences: object) -> None:
    """Set preferences of a subscriber."""
    change(rest, f"/api/subscriberpreferences/{number_of(rest, phone)}", **preferences)


def test_call_forward_on_busy(machine: Machine, rest: RestClient, trio: list[Phone]) -> None:
    """The caller talks to whom the busy callee forwards to."""
    caller, callee, other = trio
    forward = {"destinations": [{"destination": other.alias, "timeout": 30}]}
    change(rest, f"/api/callforwards/{number_of(rest, callee)}", cfb=forward)
    with sipp.playing("busy", callee, machine.address) as busy:
        call(machine, caller, other, dial=callee.user, packets=FEW).check()
        busy.finish()


def test_block_list(machine: Machine, rest: RestClient, trio: list[Phone]) -> None:
    """Whom the callee blocks hears 403; everybody else gets through, and he himself once he is let in."""
    caller, callee, other = trio
    prefer(rest, callee, block_in_list=[caller.alias])
    sipp.play("call_forbidden", caller, machine.address, service=callee.user)
    call(machine, other, callee, packets=FEW).check()
    prefer(rest, callee, block_in_list=[])
    call(machine, caller, callee, packets=FEW).check()


def test_concurrent_limit(machine: Machine, rest: RestClient, trio: list[Phone]) -> None:
    """Who may have one call has one: the next caller hears 486 while it lasts, and gets through after it."""
    caller, callee, other = trio
    prefer(rest, callee, concurrent_max=1)
    with (
        closing(RtpEndpoint(callee.address, callee.rtp_port)),
        sipp.playing("answer", callee, machine.address) as answering,
        sipp.playing("call", caller, machine.address, service=callee.user) as calling,
    ):
        media = calling.media()
        sipp.play("call_busy", other, machine.address, service=callee.user)
        calling.hang_up(media.call_id)
        calling.finish()
        answering.finish()
    call(machine, other, callee, packets=FEW).check()


@pytest.fixture
def peers(rest: RestClient) -> Iterator[tuple[Phone, Phone, str]]:
    """Provision two peers, the first one preferred, and a number that both take."""
    prefix = f"999{secrets.randbelow(10**6):06}"
    contact = rest.create("systemcontacts", {"firstname": "Ida", "email": "ida@carrier.example"})
    contract = rest.create(
        "contracts",
        {"contact_id": contact, "billing_profile_id": 1, "type": "sippeering", "status": "active"},
    )
    groups = []
    found = []
    for priority, address in enumerate(PHONES[5:7], 1):
        name = f"{prefix}-{priority}"
        group = rest.create("peeringgroups", {"name": name, "priority": priority, "contract_id": contract})
        groups.append(group)
        server = {"group_id": group, "name": name, "ip": address, "port": 5060, "transport": 1, "weight": 1}
        rest.create("peeringservers", server)
        rest.create("peeringrules", {"group_id": group, "callee_prefix": prefix})
        found.append(Phone("carrier", "carrier.example", "", address, rtp_port=40000))
    yield found[0], found[1], f"{prefix}12"
    for group in groups:
        rest.request("DELETE", f"/api/peeringgroups/{group}")


def test_peer_out_with_failover(machine: Machine, trio: list[Phone], peers: tuple[Phone, Phone, str]) -> None:
    """The first peer answers 503: the second one gets the call, and media flow."""
    caller, (first, second, number) = trio[0], peers
    with sipp.playing("overloaded", first, machine.address) as overloaded:
        call(machine, caller, second, dial=number, packets=FEW).check()
        overloaded.finish()
    call(machine, caller, first, dial=number, packets=FEW).check()
