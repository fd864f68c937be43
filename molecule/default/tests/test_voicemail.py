"""Who does not answer has messages taken: what was spoken into a phone is what the node has stored."""

import audioop
import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import numpy as np
import pytest
from testinfra.host import Host

from lab import sipp
from lab.call import register
from lab.machines import Machine
from lab.process import wait_until
from lab.rest import RestClient
from lab.rtp import RtpEndpoint, stream
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision

RATE: Final = 8000
#: Samples of a packet.
PACKET: Final = 160
#: The key `#`, which leads past the greeting to the beep (ITU-T Q.23).
HASH: Final = (941, 1477)
#: Packets while the beep is heard, and of the message.
BEEP: Final = 100
SPOKEN: Final = 200
#: Seconds until a message is stored.
PATIENCE: Final = 10.0
STORED: Final = (
    "mariadb --batch --skip-column-names --raw -e \"SELECT REPLACE(TO_BASE64(recording), '\\n', '')"
    " FROM kamailio.voicemail_spool WHERE mailboxuser = (SELECT uuid FROM kamailio.subscriber"
    " WHERE username = '{user}' AND domain = '{domain}')\""
)


def key() -> bytes:
    """Return a fifth of a second of `#`, in A-law."""
    times = np.arange(RATE // 5) / RATE
    wave = sum(8000 * np.sin(2 * np.pi * frequency * times) for frequency in HASH)
    return audioop.lin2alaw(np.asarray(wave).astype(np.int16).tobytes(), 2)


def speech() -> bytes:
    """Return noise that comes and goes as words do, in A-law."""
    count = SPOKEN * PACKET
    words = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * np.arange(count) / RATE)
    wave = 6000 * words * np.random.default_rng(1).standard_normal(count)
    return audioop.lin2alaw(np.clip(wave, -32_768, 32_767).astype(np.int16).tobytes(), 2)


def likeness(spoken: bytes, wav: bytes) -> float:
    """Return how well what was spoken (A-law) is found in a WAV file: 1 is the same."""
    wanted = np.frombuffer(audioop.alaw2lin(spoken, 2), np.int16).astype(float)
    there = np.frombuffer(wav[44:], np.int16).astype(float)
    size = len(wanted) + len(there)
    products = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)), size)
    place = int(np.argmax(products[: len(there)]))
    part = there[place : place + len(wanted)]
    wanted = wanted[: len(part)]
    return float(wanted @ part / np.sqrt((wanted @ wanted) * (part @ part)))


@pytest.fixture
def pair(machine: Machine, rest: RestClient) -> Iterator[tuple[Phone, Phone]]:
    """Provision somebody who calls, and somebody whose calls go to the voicebox."""
    caller, callee = provision(rest, PHONES[2:4])
    register(caller, machine.address)
    [found] = rest.find("subscribers", f"username={callee.user}")
    path = f"/api/callforwards/{found['id']}"
    forward = {"cfu": {"destinations": [{"destination": "voicebox", "timeout": 30}]}}
    assert rest.request("PUT", path, forward).status in (200, 204)
    yield caller, callee
    rest.request("DELETE", path)


def messages(host: Host, callee: Phone) -> list[bytes]:
    """Return the WAV files of a subscriber's messages."""
    shown = host.check_output(STORED.format(user=callee.user, domain=callee.domain))
    return [base64.b64decode(line) for line in shown.split()]


def leave_message(machine: Machine, caller: Phone, callee: Phone, spoken: bytes) -> None:
    """Call, pass over the greeting, speak behind the beep and hang up."""
    with (
        closing(RtpEndpoint(caller.address, caller.rtp_port)) as phone,
        sipp.playing("call", caller, machine.address, service=callee.user) as calling,
    ):
        media = calling.media()
        phone.speech = key()
        stream([(phone, media.remote)], BEEP)
        assert phone.received > 0
        phone.speech = spoken
        stream([(phone, media.remote)], SPOKEN)
        calling.hang_up(media.call_id)
        calling.finish()


def test_what_was_spoken_is_what_is_stored(host: Host, machine: Machine, pair: tuple[Phone, Phone]) -> None:
    """By load-balancer, proxy, media relay and app server, into MariaDB."""
    spoken = speech()
    leave_message(machine, *pair, spoken)

    assert wait_until(lambda: len(messages(host, pair[1])) == 1, PATIENCE)
    assert likeness(spoken, messages(host, pair[1])[0]) > 0.99


def test_a_message_outlives_the_absence_of_the_database(
    host: Host, machine: Machine, pair: tuple[Phone, Phone]
) -> None:
    """It waits in a file, which is gone once it is stored."""
    leave_message(machine, *pair, speech())  # the proxy knows the callee from now on
    waiting = "ls /var/lib/asterisk | wc -l"
    host.check_output("systemctl stop mariadb")
    try:
        leave_message(machine, *pair, speech())
        assert wait_until(lambda: host.check_output(waiting) == "1", PATIENCE)
    finally:
        host.check_output("systemctl start mariadb")

    assert wait_until(lambda: host.check_output(waiting) == "0", 3 * PATIENCE)
    assert len(messages(host, pair[1])) == 2
