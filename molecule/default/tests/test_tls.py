"""A real phone, baresip, over TLS: SIP changes its transport at the edge, media goes the same way as ever."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import pytest
from testinfra.host import Host

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
#: The node's certificate and key, without the ends of their names.
FILES: Final = "/etc/ngcp-config/shared-files/ssl/myserver"
MAKE_ANOTHER: Final = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=another"
    " -keyout /run/other.key -out /run/other.crt"
)
#: Writes into the files that are there, so that their owners and modes stay.
TAKE: Final = (
    f"cat {{origin}}.crt > {FILES}.crt && cat {{origin}}.key > {FILES}.key && systemctl reload kamailio-lb"
)


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
        relayed = relay.query(machine, to_caller.call_id.removesuffix("_b2b-1"))
        softphone.command("hangup")
        answering.finish()

    assert media.received >= PACKETS // 2  # baresip speaks when it likes
    assert relayed.packets >= media.sent + media.received


def test_is_called_by_a_phone_on_udp(
    machine: Machine, softphone: Baresip, subscribers: tuple[Phone, Phone]
) -> None:
    """RFC 5626 in small: the connection that baresip opened is the way to it."""
    call_softphone(machine, softphone, subscribers)


def test_a_new_certificate_leaves_connections_alone(
    host: Host, machine: Machine, softphone: Baresip, subscribers: tuple[Phone, Phone]
) -> None:
    """`systemctl reload`: who connects from now on sees the new one, who is connected is called as before."""
    process = host.check_output("systemctl show --value --property=MainPID kamailio-lb")
    old = shown_certificate(host, machine)
    with other_certificate(host):
        new = shown_certificate(host, machine)
        call_softphone(machine, softphone, subscribers)

    assert new != old
    assert shown_certificate(host, machine) == old
    assert host.check_output("systemctl show --value --property=MainPID kamailio-lb") == process


@contextmanager
def other_certificate(host: Host) -> Iterator[None]:
    """Give the load-balancer another certificate and key, and afterwards its own again."""
    host.check_output(MAKE_ANOTHER)
    host.check_output(f"cp -a {FILES}.crt {FILES}.key /run/ && {TAKE.format(origin='/run/other')}")
    try:
        yield
    finally:
        host.check_output(TAKE.format(origin="/run/myserver"))


def shown_certificate(host: Host, machine: Machine) -> str:
    """Return the fingerprint of the certificate that a new connection sees; a reload has begun at once."""
    client = f"openssl s_client -connect {machine.address}:5061 < /dev/null 2> /dev/null"
    return str(host.check_output(f"sleep 1; {client} | openssl x509 -noout -fingerprint -sha256"))


def call_softphone(machine: Machine, softphone: Baresip, subscribers: tuple[Phone, Phone]) -> None:
    """Let the phone on UDP call the one on TLS, with media."""
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
