"""Calls that do not come about, as the caller sees them."""

from lab import sipp
from lab.call import call, register
from lab.machines import Machine
from lab.rest import RestClient
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision


def test_callee_busy(machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """486 of the callee reaches the caller."""
    caller, callee = phones
    with sipp.playing("busy", callee, machine.address) as busy:
        sipp.play("call_busy", caller, machine.address, service=callee.user)
        busy.finish()


def test_caller_hangs_up_while_it_rings(machine: Machine, phones: tuple[Phone, Phone]) -> None:
    """RFC 3261 §9: the callee stops ringing, the caller gets 487."""
    caller, callee = phones
    with sipp.playing("ring", callee, machine.address) as ringing:
        sipp.play("call_cancel", caller, machine.address, service=callee.user)
        ringing.finish()


def test_callee_has_no_phone(machine: Machine, phones: tuple[Phone, Phone], rest: RestClient) -> None:
    """480 for a subscriber of the same customer who never registered, then for one who went away."""
    third, fourth = provision(rest, PHONES[2:4])
    register(third, machine.address)
    sipp.play("call_offline", third, machine.address, service=fourth.user)
    register(fourth, machine.address)
    call(machine, third, fourth, packets=25).check()
    register(fourth, machine.address, expires=0)
    sipp.play("call_offline", third, machine.address, service=fourth.user)
