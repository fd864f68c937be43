"""Five thousand calls through real sockets: when they are over, it is as if they had never been."""

import gc
import os
import random
import resource

import pytest

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.calls import Calls, Policy
from ngcp.rtpengine.commands import table
from ngcp.rtpengine.control import Control
from ngcp.rtpengine.forwarding import Forwarding
from ngcp.rtpengine.guard import Guard
from ngcp.rtpengine.interfaces import Interfaces, group
from ngcp.rtpengine.playing import Players
from ngcp.rtpengine.ports import PortPool
from ngcp.rtpengine.processing import Processing
from ngcp.rtpengine.report import Reporter
from ngcp.rtpengine.switchboard import Switchboard
from ngcp.rtpengine.totals import Totals
from ngcp.rtpengine.userspace import UserspacePlane
from ngcp.rtpengine.view import View
from rtpengine.harness import IDENTITY, PROXY

HOST = "127.0.0.1"
PAIRS = 200
#: All of these ports are wanted: whoever else runs this test on this machine has others.
FIRST_PORT = 22_000 + os.getpid() % 12 * 4 * PAIRS
CALLS = 5000
SDP = f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"


class Relay:
    """All but the control socket and the event loop."""

    def __init__(self) -> None:
        self.userspace = UserspacePlane()
        plane = Forwarding(self.userspace, None)
        # More than are needed: some may be somebody else's.
        self.pool = PortPool(HOST, range(FIRST_PORT, FIRST_PORT + 4 * PAIRS, 2), self.userspace)
        interfaces = Interfaces(group([("ext", HOST)]), {HOST: self.pool})
        processing = Processing(plane.send, None, Players(plane, random.getrandbits))
        guard = Guard(plane, IDENTITY, os.urandom)
        switchboard = Switchboard(guard, interfaces, processing, Totals(0.0), 184)
        self.calls = Calls(Policy(60.0, 3600.0), switchboard)
        reporter = Reporter(plane, lambda moment: moment)
        commands = table(self.calls, reporter, View(self.calls, plane))
        self.control = Control(commands, self.calls.totals.commands)
        self._cookies = 0

    def ask(self, command: str, call: int, **more: Value) -> dict[str, Value]:
        self._cookies += 1
        fields: dict[str, Value] = {"command": command, "call-id": f"{call}", "from-tag": "a", **more}
        reply, note = self.control.receive(bytes(Message(f"{self._cookies}", fields)), PROXY, 0.0)
        assert note is None
        assert reply is not None
        return Message.parse(reply).fields


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def room() -> None:
    """Let this process have a descriptor for each port."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4 * PAIRS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4 * PAIRS, hard))


@pytest.mark.usefixtures("room")
def test_five_thousand_calls_leave_no_port_and_no_descriptor() -> None:
    relay = Relay()
    gc.collect()  # what earlier tests left
    before = descriptors()
    at_once = PAIRS // 2
    for start in range(0, CALLS, at_once):
        for call in range(start, start + at_once):
            assert relay.ask("offer", call, sdp=SDP)["result"] == "ok"
            if call % 3:
                assert relay.ask("answer", call, sdp=SDP, **{"to-tag": "b"})["result"] == "ok"
        assert descriptors() == before + 2 * PAIRS
        assert len(relay.pool) == PAIRS
        for call in range(start, start + at_once):
            assert relay.ask("delete", call)["result"] == "ok"
    assert len(relay.calls) == 0
    assert len(relay.pool) == 2 * PAIRS
    assert descriptors() == before
    assert relay.calls.totals.calls == CALLS
    relay.userspace.stop()
