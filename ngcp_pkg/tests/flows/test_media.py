"""Calls through load-balancer, proxy and the relay's own core: who is told which port, and what is left."""

from dataclasses import dataclass, field

import pytest

from flows.attempts import ANSWERS, IS_BUSY, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import Node
from ngcp.ng.bencode import Value
from ngcp.provisioning.preferences.catalogue import CATALOGUE
from ngcp.provisioning.runtime import Preferences
from ngcp.proxy.media import MediaRelayUnavailable
from ngcp.proxy.stations.media import terms
from ngcp.rtpengine.flags import read
from ngcp.rtpengine.negotiation import unsupported
from ngcp.sdp import Description
from proxy.doors import MemoryRelay
from rtpengine.harness import RELAY, RTP, Relay

#: Preferences that are just on or off.
FLAGS = (
    *("always_transcode", "allow_asymmetric_codecs", "codecs_filter", "generate_rtcp", "original_sendrecv"),
    *("single_codec", "record_call", "rtp_debug", "ICE_lite", "OSRTP_offer", "sdp_crypto_base64_padding"),
)
#: What every phone of these flows announces.
ANNOUNCED = ("192.0.2.1", 4000)


@dataclass
class CoreRelay(MemoryRelay):
    """The relay's core in the place of its client, behind which there would be a socket."""

    core: Relay = field(default_factory=Relay)

    async def ask(self, command: dict[str, Value]) -> dict[str, Value]:
        self.commands.append(command)
        reply = self.core.ask(**{key.replace("-", "_"): value for key, value in command.items()})
        if reply["result"] == "error":
            raise MediaRelayUnavailable(str(reply["error-reason"]))
        return reply


@dataclass
class Scene:
    """A node, and alice's call to bob."""

    relay: CoreRelay = field(default_factory=CoreRelay)

    def __post_init__(self) -> None:
        self.node = Node(relay=self.relay)

    def call(self, *, script: Script = ANSWERS) -> tuple[Call, Phone]:
        bob = self.node.registered("bob", "192.0.2.20", script=script)
        call = self.node.registered("alice", "192.0.2.10").call("bob")
        self.node.wire.run(3.0)
        return call, bob

    def media_cross(self, caller_port: int, callee_port: int) -> bool:
        """Whether a packet to either port leaves by the other one."""
        wire = self.relay.core.wire
        caller, callee = (RELAY, caller_port), (RELAY, callee_port)
        ways = {wire.arrive(caller, ANNOUNCED, RTP), wire.arrive(callee, ANNOUNCED, RTP)}
        return ways == {(callee, ANNOUNCED), (caller, ANNOUNCED)}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def port_of(body: bytes) -> int:
    """Return the audio port of a body that leads to the relay."""
    description = Description.parse(body)
    assert description.media[0].effective_connection.host == RELAY
    assert b"o=- 1 1 IN IP4 203.0.113.1\r\n" in body
    return description.media[0].port


def ports(call: Call, bob: Phone) -> tuple[int, int]:
    """Return the ports that caller and callee were told."""
    assert call.attempt is not None and call.attempt.final is not None
    return port_of(call.attempt.final.body), port_of(bob.calls[0].invite.body)


def test_answered_call_has_media_both_ways(scene: Scene) -> None:
    call, bob = scene.call()
    assert scene.media_cross(*ports(call, bob))
    assert scene.relay.core.notes == []


@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
def test_hang_up_frees_the_ports(scene: Scene, hangs_up: str) -> None:
    call, bob = scene.call()
    (call if hangs_up == "caller" else bob.calls[0]).hang_up()
    scene.node.wire.run(1.0)
    assert scene.relay.core.is_idle


def test_busy_callee_frees_the_ports(scene: Scene) -> None:
    scene.call(script=IS_BUSY)
    assert scene.relay.core.is_idle


def test_cancel_frees_the_ports(scene: Scene) -> None:
    call, _ = scene.call(script=RINGS)
    assert not scene.relay.core.is_idle
    call.cancel()
    scene.node.wire.run(1.0)
    assert scene.relay.core.is_idle


@pytest.mark.parametrize("asks", ["caller", "callee"])
def test_reinvite_keeps_the_ports(scene: Scene, asks: str) -> None:
    call, bob = scene.call()
    told = ports(call, bob)
    asker = call if asks == "caller" else bob.calls[0]
    other = bob.calls[0] if asks == "caller" else call
    attempt = asker.request("INVITE", SDP)
    scene.node.wire.run(1.0)
    assert attempt.final is not None
    answered, offered = port_of(attempt.final.body), port_of(other.received[-1].body)
    assert (answered, offered) == (told if asks == "caller" else told[::-1])
    assert scene.media_cross(*told)


def test_late_offer(scene: Scene) -> None:
    """RFC 3261 §13.2.1: the callee offers, and hears of the relay in the ACK."""
    scene.node.registered("bob", "192.0.2.20")
    call = scene.node.registered("alice", "192.0.2.10").call("bob", body=b"")
    scene.node.wire.run(3.0)
    assert call.is_up
    assert [command[0] for command in scene.relay.log][:1] == ["offer"]
    assert f";tag={scene.relay.log[0][1]}" in call.remote


def test_relay_without_ports_refuses_the_call() -> None:
    scene = Scene(CoreRelay(core=Relay(pairs=1)))
    call, bob = scene.call()
    assert call.status == 503
    assert bob.calls == []
    assert scene.relay.core.is_idle


#: Preferences that we cannot serve yet, by what the relay calls them: fax over audio, traces of one call.
IDLE = {"T.38", "flags:debug"}


def test_the_relay_understands_what_preferences_make_it_told() -> None:
    """All that the proxy may say, but for codecs that nobody here speaks."""
    values = {name: ("1",) for name in CATALOGUE if name.startswith(("transcode_", "T38_"))}
    values |= {name: ("1",) for name in FLAGS} | {"ptime": ("40",), "codecs_list": ("PCMA,G729",)}
    values |= {"use_rtpproxy": ("ice_add_candidates",), "transport_protocol": ("RTP/SAVPF",)}
    values |= {
        "ipv46_for_rtpproxy": ("force_ipv4",),
        "sdp_media_remove": ("video",),
        "rtp_interface": ("ext",),
    }
    values |= {"DTLS_fingerprint": ("SHA-256",), "opus_mono_bitrate": ("24000",)}
    everything = Preferences((values,))

    for fields in (terms(everything, everything).offer, terms(everything, everything).answer):
        wishes, unknown = read({key.replace(" ", "-"): value for key, value in fields.items()})
        assert set(unknown) <= IDLE
        assert {name.partition("/")[0] for name in unsupported(wishes)} <= set(
            ["G723", "G729", "GSM", "AMR", "AMR-WB", "speex", "CN"]
        )
