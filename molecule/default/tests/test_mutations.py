"""Ten thousand damaged messages at the edge of the node, as many at its media relay, and calls after them."""

import base64
import contextlib
import socket
import time
from collections.abc import Iterable
from typing import Final

import pytest
from testinfra.host import Host

from lab import network, ssh
from lab.call import call
from lab.machines import Machine
from lab.mutate import mutations
from lab.settings import PHONES, ROOT
from lab.sipp import Phone

COUNT: Final = 10_000
SEED: Final = 20261123
#: Messages sent in a burst, and seconds between two: about 2,000 a second, more than a busy hour brings.
BURST: Final = 20
PAUSE: Final = 0.01
CONFIG: Final = "/etc/ngcp-config/config.yml"
UNITS: Final = (
    *("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-sems", "asterisk", "ngcp-mediator"),
    "ngcp-api",
)

SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 10.99.0.2\r\ns=-\r\nc=IN IP4 10.99.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
)
NG: Final = (
    f"1_1 d7:call-id3:abc7:command5:offer8:from-tag1:a3:sdp{len(SDP)}:{SDP}5:flagsl13:trust-addressee",
    f"1_2 d7:call-id3:abc7:command6:answer8:from-tag1:a6:to-tag1:b3:sdp{len(SDP)}:{SDP}e",
    "1_3 d7:call-id3:abc7:command5:query8:from-tag1:ae",
    "1_4 d7:call-id3:abc7:command6:delete8:from-tag1:a6:to-tag1:be",
    "1_5 d7:command4:pinge",
)
#: Runs on the node, where the control port is: one datagram a line, base64, at the same pace.
SEND_NG: Final = f"""\
import base64, socket, sys, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", 12222))
for number, line in enumerate(DATA.split()):
    client.send(base64.b64decode(line))
    if number % {BURST} == 0:
        time.sleep({PAUSE})
"""
PING: Final = """\
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
client.connect(("127.0.0.1", 12222))
client.send(b"last d7:command4:pinge")
print(client.recv(2048).decode())
"""


class Witness:
    """Remembers what the daemons' processes and journals were like, and compares."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._processes = self._main_processes()
        marked = host.check_output("journalctl --lines=0 --show-cursor")
        self._cursor = marked.partition("cursor: ")[2].strip()

    def _main_processes(self) -> str:
        shown = self._host.check_output(f"systemctl show --value --property=MainPID {' '.join(UNITS)}")
        return str(shown)

    def check(self) -> None:
        """Assert that nobody died and that nobody said more than one line a message."""
        units = " ".join(f"--unit={unit}" for unit in UNITS)
        lines = self._host.check_output(
            f"journalctl --output=cat --after-cursor='{self._cursor}' {units} | wc -l"
        )

        assert self._main_processes() == self._processes
        assert int(lines) <= COUNT


@pytest.fixture
def witness(host: Host) -> Witness:
    """Remember what there was before the storm."""
    return Witness(host)


@pytest.fixture
def undefended(operator: Host) -> None:
    """Let the load-balancer read all of it, instead of banning who sends it."""
    operator.check_output(f"ngcpcfg set {CONFIG} kamailio.lb.security.dos_ban_enable=no")
    operator.check_output("ngcpcfg apply 'let the storm in'")


@pytest.mark.usefixtures("undefended")
def test_mutated_sip_messages(machine: Machine, phones: tuple[Phone, Phone], witness: Witness) -> None:
    """From a phone's network to the load-balancer, as any scanner on the Internet might."""
    corpus = sorted((ROOT / "ngcp_pkg" / "tests" / "corpus" / "sip").glob("*.sip"))
    domain = phones[0].domain.encode()
    originals = [path.read_bytes().replace(b"example.org", domain) for path in corpus]
    _storm(mutations(originals, COUNT, SEED), (machine.address, 5060))

    call(machine, *phones, packets=50).check()
    witness.check()


def _storm(messages: Iterable[bytes], target: tuple[str, int]) -> None:
    """Send them all from one phone, which takes whatever is answered and forgets it."""
    with network.inside():
        attacker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with attacker:
        attacker.bind((PHONES[-1], 5060))
        attacker.setblocking(False)
        for number, message in enumerate(messages):
            attacker.sendto(message, target)
            if number % BURST == 0:
                time.sleep(PAUSE)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        attacker.recv(65536)


def test_mutated_relay_commands(machine: Machine, phones: tuple[Phone, Phone], witness: Witness) -> None:
    """Inside the node, to the media relay's control port."""
    messages = mutations([message.encode() for message in NG], COUNT, SEED)
    data = "\n".join(base64.b64encode(message).decode() for message in messages)
    ssh.output(machine, "python3 -", stdin=f'DATA = """{data}"""\n{SEND_NG}')

    assert "pong" in ssh.output(machine, "python3 -", stdin=PING)
    call(machine, *phones, packets=50).check()
    witness.check()
