"""Calls that the node itself answers: service codes, conferences, announcements."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from lab import sipp
from lab.call import call, register
from lab.machines import Machine
from lab.rest import Json, RestClient
from lab.rtp import RtpEndpoint, stream
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision

#: Packets each side sends where it only matters that they arrive.
FEW: Final = 25
#: Packets of three seconds.
MANY: Final = 150


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


def dial(machine: Machine, phone: Phone, code: str) -> int:
    """Dial a code and listen until the node hangs up; return how many packets were heard."""
    with closing(RtpEndpoint(phone.address, phone.rtp_port)) as ear:
        with sipp.playing("call_served", phone, machine.address, service=code) as calling:
            stream([(ear, calling.media().remote)], FEW)
            calling.finish()
        return ear.received


def forwards(rest: RestClient, phone: Phone) -> list[Json]:
    """Return where all calls to a subscriber go, by the API."""
    answer = rest.request("GET", f"/api/callforwards/{number_of(rest, phone)}")
    destinations: list[Json] = answer.body["cfu"]["destinations"]
    return destinations


def test_service_code_sets_and_ends_a_call_forward(
    machine: Machine, rest: RestClient, trio: list[Phone]
) -> None:
    """What was dialled is heard, seen by REST, and true for the next call."""
    caller, callee, other = trio
    assert dial(machine, callee, f"*72*{other.alias}") >= FEW
    assert [one["simple_destination"] for one in forwards(rest, callee)] == [other.alias]
    call(machine, caller, other, dial=callee.user, packets=FEW).check()

    assert dial(machine, callee, "%2372%23") >= FEW
    assert forwards(rest, callee) == []
    call(machine, caller, callee, packets=FEW).check()


def test_do_not_disturb_by_code(machine: Machine, rest: RestClient, trio: list[Phone]) -> None:
    """486 while it is set."""
    caller, callee, _ = trio
    dial(machine, callee, "*78*")
    sipp.play("call_busy", caller, machine.address, service=callee.user)
    dial(machine, callee, "%2378%23")
    preferences = rest.request("GET", f"/api/subscriberpreferences/{number_of(rest, callee)}").body
    assert "dnd" not in preferences
    call(machine, caller, callee, packets=FEW).check()


@pytest.fixture
def room(machine: Machine, rest: RestClient, trio: list[Phone]) -> Iterator[Phone]:
    """Let calls to the third subscriber go to a conference."""
    owner = trio[2]
    path = f"/api/callforwards/{number_of(rest, owner)}"
    forward = {"cfu": {"destinations": [{"destination": "conference", "timeout": 30}]}}
    assert rest.request("PUT", path, forward).status in (200, 204)
    yield owner
    rest.request("DELETE", path)


def test_conference(machine: Machine, trio: list[Phone], room: Phone) -> None:
    """Two who call the room hear somebody, at 50 packets a second, by the media relay."""
    first, second, _ = trio
    with (
        closing(RtpEndpoint(first.address, first.rtp_port)) as one,
        closing(RtpEndpoint(second.address, second.rtp_port)) as two,
        sipp.playing("call", first, machine.address, service=room.user) as calling,
        sipp.playing("call", second, machine.address, service=room.user) as joining,
    ):
        media, other = calling.media(), joining.media()
        assert media.address == other.address == machine.address
        time.sleep(4.0)  # greetings
        stream([(one, media.remote), (two, other.remote)], MANY)
        for waiting, known in ((calling, media), (joining, other)):
            waiting.hang_up(known.call_id)
            waiting.finish()
        assert one.received >= MANY
        assert two.received >= MANY
