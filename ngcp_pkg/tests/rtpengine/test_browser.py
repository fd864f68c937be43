"""A browser's stand-in on real sockets: a foreign ICE agent, OpenSSL's DTLS, libsrtp's SRTP."""

import asyncio
import datetime
import os
import random
import socket

import pytest
from aioice import Candidate, Connection, ice

from net.loop import run
from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.calls import Calls, Policy
from ngcp.rtpengine.carriage import PROFILES, Carriage, read_carriage, write_carriage
from ngcp.rtpengine.commands import table
from ngcp.rtpengine.control import Control
from ngcp.rtpengine.dtls import Handshake, Identity
from ngcp.rtpengine.flows import Address
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
from ngcp.sdp import Description
from ngcp.sdp.candidate import Candidate as OurCandidate
from ngcp.stun.check import Credentials
from rtp.libsrtp import LibSrtp
from rtpengine.harness import RTCP, RTP

HOST = "127.0.0.1"
YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
#: Seconds that anything may take on a busy machine.
PATIENCE = 20.0


class LoopbackRelay:
    """The relay on loopback sockets, asked by ng commands."""

    def __init__(self) -> None:
        self.userspace = UserspacePlane()
        plane = Forwarding(self.userspace, None)
        pools = {HOST: PortPool(HOST, range(30_000, 31_000, 2), self.userspace)}
        totals = Totals(0.0)
        switchboard = Switchboard(
            Guard(plane, Identity(YEAR), os.urandom),
            Interfaces(group([("", HOST)]), pools),
            Processing(plane.send, None, Players(plane, random.getrandbits)),
            totals,
            184,
        )
        self.calls = Calls(Policy(60.0, 3600.0), switchboard)
        reporter = Reporter(plane, lambda moment: moment)
        self._control = Control(table(self.calls, reporter, View(self.calls, plane)), totals.commands)
        self._cookies = 0

    def start(self) -> None:
        self.userspace.start(self.calls.learn)

    def ask(self, **fields: Value) -> Description:
        """Send a command and return the body that comes of it."""
        self._cookies += 1
        message = Message(f"{self._cookies}", {key.replace("_", "-"): value for key, value in fields.items()})
        datagram, _ = self._control.receive(bytes(message), (HOST, 5062), 0.0)
        assert datagram is not None
        reply = Message.parse(datagram).fields
        assert reply["result"] == "ok", reply
        return Description.parse(str(reply["sdp"]).encode())


class Phone:
    """A plain phone: a socket for RTP, and one for RTCP at the next port."""

    def __init__(self) -> None:
        self.rtp, self.rtcp = next(filter(None, map(_pair, range(31_000, 40_000, 2))))
        self.address: Address = self.rtp.getsockname()

    @staticmethod
    async def hear(ear: socket.socket) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ear, 2048), PATIENCE)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def _pair(port: int) -> tuple[socket.socket, socket.socket] | None:
    """Bind a port and the next one, if both are free."""
    pair = (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK),
    )
    try:
        for number, one in enumerate(pair):
            one.bind((HOST, port + number))
    except OSError:
        pair[0].close()
        pair[1].close()
        return None
    return pair


class Browser:
    """ICE, DTLS and SRTP by other hands than ours."""

    def __init__(self) -> None:
        self.identity = Identity(YEAR)
        self.ice = Connection(ice_controlling=True, use_ipv6=False)

    async def describe(self, setup: str = "actpass") -> Carriage:
        await self.ice.gather_candidates()
        candidates = tuple(OurCandidate.parse(one.to_sdp()) for one in self.ice.local_candidates)
        credentials = Credentials(self.ice.local_username, self.ice.local_password)
        web = PROFILES["UDP/TLS/RTP/SAVPF"]
        return Carriage(web, (), self.identity.fingerprint(), setup, credentials, candidates, is_muxed=True)

    async def connect(self, told: Carriage) -> None:
        """Check the relay's candidates, shake hands, take the keys."""
        assert told.ice is not None
        assert told.fingerprint is not None
        assert told.is_lite
        self.ice.remote_username, self.ice.remote_password = told.ice
        self.ice.remote_is_lite = True
        for candidate in told.candidates:
            if candidate.component == 1:
                await self.ice.add_remote_candidate(Candidate.from_sdp(str(candidate)))
        await self.ice.add_remote_candidate(None)
        await asyncio.wait_for(self.ice.connect(), PATIENCE)
        handshake = Handshake(self.identity, told.fingerprint, is_client=told.setup != "active")
        packets = handshake.start() if handshake.is_client else []
        while handshake.keys is None or packets:
            for packet in packets:
                await self.ice.send(packet)
            packets = [] if handshake.keys else handshake.receive(await self.receive())
        theirs, ours = handshake.keys
        self.decrypt, self.encrypt = LibSrtp(theirs), LibSrtp(ours)

    async def receive(self) -> bytes:
        return await asyncio.wait_for(self.ice.recv(), PATIENCE)

    async def hear(self) -> bytes:
        """Return the next packet of media, opened."""
        packet = await self.receive()
        while packet[0] < 128:
            packet = await self.receive()
        return self.decrypt.decrypt(packet)

    async def send(self, packet: bytes) -> None:
        await self.ice.send(self.encrypt.encrypt(packet))


def body(address: Address, carriage: Carriage) -> str:
    host, port = address
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines += [f"m=audio {port} RTP/AVP 8", ""]
    description = Description.parse("\r\n".join(lines).encode())
    write_carriage(description.media[0], carriage)
    return bytes(description).decode()


@pytest.mark.parametrize("role", ["active", "passive"])
def test_a_browser_and_a_phone_hear_each_other(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [HOST])

    async def test() -> None:
        relay, phone, browser = LoopbackRelay(), Phone(), Browser()
        relay.start()
        said = await browser.describe()
        wishes: dict[str, Value] = {
            "ICE": "remove",
            "transport_protocol": "RTP/AVP",
            "DTLS": role,
            "rtcp_mux": "demux",
        }
        nowhere = "0.0.0.0", 9  # as browsers say before they know (RFC 8840 §4.1.1)
        offered = relay.ask(command="offer", call_id="c", from_tag="a", sdp=body(nowhere, said), **wishes)
        plain = body(phone.address, Carriage(PROFILES["RTP/AVP"]))
        tags: dict[str, Value] = {"call_id": "c", "from_tag": "a", "to_tag": "b"}
        answered = relay.ask(command="answer", sdp=plain, **tags)
        told = read_carriage(answered, answered.media[0])
        assert told is not None
        assert told.setup == role
        await browser.connect(told)

        for packet, ear in ((RTP, phone.rtp), (RTCP, phone.rtcp)):
            await browser.send(packet)
            assert await phone.hear(ear) == packet
        port = offered.media[0].port
        for packet, mouth, to in ((RTP, phone.rtp, port), (RTCP, phone.rtcp, port + 1)):
            mouth.sendto(packet, (HOST, to))
            assert await browser.hear() == packet

        await browser.ice.close()
        phone.close()
        relay.userspace.stop()

    run(test)
