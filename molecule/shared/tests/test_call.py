"""Calls between two registered phones, through the node, with media."""

from typing import Final

from lab.call import call, register
from lab.machines import Machine
from lab.rest import RestClient
from lab.sipp import Phone

#: Expedited forwarding (RFC 3246), which `qos.tos_rtp` says.
TOS: Final = frozenset({184})


def test_registered_phones_are_in_the_api(phones: tuple[Phone, Phone], rest: RestClient) -> None:
    """§10 of RFC 3261, seen from the provider's side."""
    contacts = [item["contact"] for item in rest.find("subscriberregistrations")]

    for phone in phones:
        assert any(f"{phone.user}@{phone.address}" in contact for contact in contacts)


def test_call_carries_every_packet_both_ways(machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """Sent, relayed and received are one number; the relay marks what it sends."""
    report = call(machine, *phones)

    report.check()
    assert report.tos == TOS
    assert all(30000 <= port < 40000 and port % 2 == 0 for port in report.ports)


def test_call_by_number(machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """A subscriber's E.164 number is an alias of its name."""
    caller, callee = phones

    call(machine, caller, callee, dial=callee.alias, packets=50).check()


def test_call_back(machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """The same the other way round."""
    callee, caller = phones

    call(machine, caller, callee, packets=50).check()


def test_refreshed_binding_is_one_binding(phones: tuple[Phone, Phone], rest: RestClient) -> None:
    """§10.2.4: registering again does not add a second binding."""
    phone = phones[0]
    register(phone, rest.address)
    mine = [
        r for r in rest.find("subscriberregistrations") if f"{phone.user}@{phone.address}" in r["contact"]
    ]

    assert len(mine) == 1
