"""A real phone, baresip, over TLS: SIP changes its transport at the edge, media goes the same way as ever."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from lab import baresip, relay, sipp
from lab.baresip import Baresip
from lab.call import register
from lab.machines import Machine
from lab.rest import RestClient
from lab.rtp import RtpEndpoint, stream
from lab.settings import GATEWAY, PHONES
from lab.sipp import Phone
from lab.subscribers import provision

PACKETS = 100


@pytest.fixture(scope="module")
def subscribers(rest: RestClient) -> tuple[Phone, Phone]:
    """Provision a subscriber who uses baresip, and one with a SIPp phone, registered."""
    secure, plain = provision(rest, (GATEWAY, PHONES[4]))
    register(plain, rest.address)
    return secure, plain


@pytest.fixture
def softphone(machine: Machine, subscribers: tuple[Phone, Phone]) -> Iterator[Baresip]:
    """Run baresip, registered over TLS."""
    with baresip.running(subscribers[0], machine.address) as phone:
        yield phone


def test_registration_names_the_connection(
    softphone: Baresip, subscribers: tuple[Phone, Phone], rest: RestClient
) -> None:
    """The binding is there, and says that the phone is behind TLS."""
    assert softphone
    contacts = [item["contact"] for item in rest.find("subscriberregistrations")]

    assert [contact for contact in contacts if subscribers[0].user in contact and "tls" in contact]


def test_calls_a_phone_on_udp(machine: Machine, softphone: Baresip, subscribers: tuple[Phone, Phone]) -> None:
    """RFC 3261 §18: TLS to the edge, UDP inside and to the callee."""
    _, callee = subscribers
    with (
        closing(RtpEndpoint(callee.address, callee.rtp_port)) as media,
        sipp.playing("answer", callee, machine.address) as answering,
    ):
        softphone.command("dial", f"sip:{callee.user}@{callee.domain}")
        to_caller = answering.media()
        softphone.wait_for("CALL_ESTABLISHED")
        stream([(media, to_caller.remote)], PACKETS)
        relayed = relay.query(machine, to_caller.call_id)
        softphone.command("hangup")
        answering.finish()

    assert media.received >= PACKETS // 2  # baresip speaks when it likes
    assert relayed.packets >= media.sent + media.received


def test_is_called_by_a_phone_on_udp(
    machine: Machine, softphone: Baresip, subscribers: tuple[Phone, Phone]
) -> None:
    """RFC 5626 in small: the connection that baresip opened is the way to it."""
    callee, caller = subscribers
    with (
        closing(RtpEndpoint(caller.address, caller.rtp_port)) as media,
        sipp.playing("call", caller, machine.address, service=callee.user) as calling,
    ):
        to_callee = calling.media()
        softphone.wait_for("CALL_ESTABLISHED")
        stream([(media, to_callee.remote)], PACKETS)
        calling.hang_up(to_callee.call_id)
        calling.finish()
        softphone.wait_for("CALL_CLOSED")

    assert media.received >= PACKETS // 2
