"""The daemon on loopback: commands in by UDP, media through real ports."""

import asyncio
import itertools
import logging
import resource
import socket
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from net.loop import run, until
from ngcp.audio.tones import tone
from ngcp.audio.wav import write
from ngcp.net.udp import UdpRequester
from ngcp.ng.bencode import Value, decode, encode
from ngcp.rtp import Packet
from ngcp.rtpengine.config import Configuration
from ngcp.rtpengine.service import MediaRelayService
from ngcp.sdp import Connection, Description
from ngcp.service.client import call

HOST = "127.0.0.1"
USUAL = Configuration(interfaces=(HOST,), port_min=20_000, port_max=20_400, forwarding="userspace")
RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Daemon:
    """The service and a client of its control port."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - keys of the configuration
        port = free_port()
        configuration = replace(USUAL, listen_ng=f"{HOST}:{port}", **more)
        self.service = MediaRelayService(configuration)
        self.remote = HOST, port
        self._cookies = itertools.count()

    async def start(self) -> None:
        await self.service.start()
        self._client = UdpRequester(self.remote, lambda: f"{next(self._cookies)}", timeout=5.0)

    async def ask(self, **fields: Value) -> dict[str, Value]:
        command: dict[str, Value] = {key.replace("_", "-"): value for key, value in fields.items()}
        reply = decode(await self._client.request(encode(command)))
        assert isinstance(reply, dict)
        return reply

    async def stop(self) -> None:
        self._client.close()
        await self.service.stop()


class Phone:
    """A socket for audio."""

    def __init__(self, host: str = HOST) -> None:
        self.host = host
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((host, 0))
        self.heard = 0
        self.last = b""
        self.told = (host, 0)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def body(self) -> str:
        here = Connection.of(self.host)
        return f"v=0\r\no=- 1 1 {here}\r\ns=-\r\nc={here}\r\nt=0 0\r\nm=audio {self.port} RTP/AVP 8\r\n"

    def take(self, reply: dict[str, Value]) -> None:
        media = Description.parse(str(reply["sdp"]).encode()).media[0]
        self.told = media.effective_connection.host, media.port

    def send(self) -> None:
        self.socket.sendto(RTP, self.told)

    def listen(self) -> int:
        while True:
            try:
                self.last = self.socket.recv(2048)
            except BlockingIOError:
                return self.heard
            self.heard += 1


def test_call_with_media_both_ways() -> None:
    async def test() -> None:
        daemon, alice, bob = Daemon(), Phone(), Phone()
        await daemon.start()
        assert await daemon.ask(command="ping") == {"result": "pong"}
        bob.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body))
        alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="b", sdp=bob.body))
        for _ in range(10):
            alice.send()
            bob.send()
        await until(lambda: alice.listen() == bob.listen() == 10)

        report = await daemon.ask(command="query", call_id="1")
        assert report["totals"] == {
            "RTP": {"packets": 20, "bytes": 20 * len(RTP), "errors": 0},
            "RTCP": {"packets": 0, "bytes": 0, "errors": 0},
        }
        assert daemon.service.status() == "1 calls, 198 port pairs free, forwarding in user space"
        await daemon.ask(command="delete", call_id="1", from_tag="a")
        assert daemon.service.status() == "0 calls, 200 port pairs free, forwarding in user space"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(alice.told)
        await daemon.stop()

    run(test)


def test_ipv4_phone_and_ipv6_phone_hear_each_other() -> None:
    async def test() -> None:
        daemon, alice, dora = Daemon(interfaces=(HOST, "::1")), Phone(), Phone("::1")
        await daemon.start()
        wish: dict[str, Value] = {"address-family": "IP6"}
        dora.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body, **wish))
        alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="d", sdp=dora.body))
        assert (alice.told[0], dora.told[0]) == (HOST, "::1")
        for _ in range(10):
            alice.send()
            dora.send()
        await until(lambda: alice.listen() == dora.listen() == 10)
        await daemon.stop()

    run(test)


def test_silenced_voice_is_heard_only_where_it_is_copied_to() -> None:
    async def test() -> None:
        alice, bob, recorder = Phone(), Phone(), Phone()
        daemon = Daemon(forward_to=f"{HOST}:{recorder.port}")
        await daemon.start()
        bob.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body))
        alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="b", sdp=bob.body))
        for command in ("silence media", "start forwarding"):
            assert await daemon.ask(command=command, call_id="1", from_tag="a") == {"result": "ok"}
        alice.send()
        await until(lambda: bob.listen() == recorder.listen() == 1)
        assert bob.last == RTP[:12] + b"\xd5" * 160
        assert recorder.last == RTP
        await daemon.stop()

    run(test)


def test_a_sound_is_heard_in_its_time_and_what_is_said_is_kept(tmp_path: Path) -> None:
    """Both by files: below the directory of sounds, into that of recordings."""
    (tmp_path / "spool").mkdir()
    (tmp_path / "hello.wav").write_bytes(write(tone([1000], 8000, range(1600))))

    async def test() -> None:
        daemon = Daemon(sound_dir=f"{tmp_path}", recording_dir=f"{tmp_path}/spool", recording_mixed=False)
        alice, bob = Phone(), Phone()
        await daemon.start()
        more: dict[str, Value] = {"record-call": "yes"}
        bob.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body, **more))
        alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="b", sdp=bob.body))
        alice.send()
        await until(lambda: bob.listen() == 1)
        reply = await daemon.ask(command="play media", call_id="1", from_tag="a", file="hello.wav")
        assert reply == {"result": "ok", "duration": 200}
        await until(lambda: alice.listen() == 10)
        assert Packet.parse(alice.last).payload_type == 8
        refused = await daemon.ask(command="play media", call_id="1", from_tag="a", file="../secret.wav")
        assert refused["error-reason"] == "Failed to open media file: not below the directory of sounds"
        await daemon.ask(command="delete", call_id="1", from_tag="a")
        await daemon.stop()

    run(test)
    recordings = list((tmp_path / "spool").iterdir())
    assert recordings
    for recording in recordings:
        with wave.open(f"{recording}") as kept:
            assert (kept.getnchannels(), kept.getframerate(), kept.getnframes()) == (2, 8000, 160)


def test_who_is_put_on_hold_hears_the_nodes_music(tmp_path: Path) -> None:
    """Without a MariaDB: it is not there, and that is one line in the log."""
    (tmp_path / "hold.wav").write_bytes(write(tone([1000], 8000, range(1600))))

    async def test() -> None:
        daemon = Daemon(sound_dir=f"{tmp_path}", music_on_hold="hold.wav", database=f"{tmp_path}/none.sock")
        alice, bob = Phone(), Phone()
        await daemon.start()
        music: dict[str, Value] = {"moh": {"db-id": 7}}
        for more, held in ((music, ""), ({}, "a=sendonly\r\n")):
            body = alice.body + held
            bob.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=body, **more))
            reply = bob.body + held.replace("send", "recv")
            alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="b", sdp=reply))
            bob.send()
        await until(lambda: bob.listen() > 12)
        assert Packet.parse(bob.last).payload_type == 8
        await daemon.stop()

    run(test)


def test_garbage_costs_one_line_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        caplog.clear()
        daemon = Daemon()
        await daemon.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"garbage", daemon.remote)
            await until(lambda: len(caplog.records) == 1)
        assert await daemon.ask(command="ping") == {"result": "pong"}
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        await daemon.stop()

    run(test)


def test_commands_come_over_tcp_too(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        port = free_port(socket.SOCK_STREAM)
        daemon = Daemon(listen_tcp_ng=f"{HOST}:{port}")
        await daemon.start()
        reader, writer = await asyncio.open_connection(HOST, port)
        for piece in (b"1 d7:comm", b'and4:pinge2 {"command":', b'"ping"}'):
            writer.write(piece)
            await writer.drain()
        assert await reader.readexactly(20) == b"1 d6:result4:ponge2 "
        assert await reader.readexactly(17) == b'{"result":"pong"}'
        writer.write(b"no command, and it has no end: x")
        assert await reader.read() == b""
        assert "closed" in caplog.records[-1].message
        writer.close()
        await daemon.stop()

    run(test)


def test_operators_and_prometheus_ask() -> None:
    async def test() -> None:
        cli, metrics = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        daemon = Daemon(listen_cli=f"{HOST}:{cli}", metrics_port=metrics)
        await daemon.start()
        alice = Phone()
        await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body)
        assert await asyncio.to_thread(call, f"http://{HOST}:{cli}/RPC2", "list.sessions") == [
            {
                "call-id": "1",
                "age": 0,
                "state": "offered",
                "forwarded_by": "user space",
                "caller": f"{HOST}:{alice.port}",
                "caller_packets": 0,
                "callee": "",
                "callee_packets": 0,
            }
        ]
        reader, writer = await asyncio.open_connection(HOST, metrics)
        writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert b"\nngcp_rtpengine_calls 1\n" in await reader.read()
        writer.close()
        await daemon.stop()

    run(test)


def test_interface_that_is_not_ours_is_told_at_once() -> None:
    async def test() -> None:
        service = MediaRelayService(
            Configuration(interfaces=("default/192.0.2.1",), listen_ng=f"{HOST}:{free_port()}")
        )
        with pytest.raises(OSError, match=r"INTERFACES 192\.0\.2\.1"):
            await service.start()
        await service.stop()

    run(test)


def test_room_for_as_many_sockets_as_ports() -> None:
    async def test() -> None:
        old = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, old[1]))
        daemon = Daemon()
        await daemon.start()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
        assert soft > 400
        assert hard == old[1]
        await daemon.stop()

    run(test)
