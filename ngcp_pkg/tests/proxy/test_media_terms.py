"""What the media relay is told of a call, by the NAT & media preferences of both sides."""

from dataclasses import replace

import pytest

from ngcp.ng.bencode import Value
from ngcp.provisioning.runtime import NO_PREFERENCES, Preferences
from ngcp.proxy.call import Terms
from ngcp.proxy.stations.media import PASSED_BY, recall, terms
from ngcp.sip.core.bindings import Source, Update
from ngcp.sip.syntax import Request
from proxy.stage import Stage, make_request

NOTHING = NO_PREFERENCES
PLAIN = Terms({"ICE": "remove"}, {"ICE": "remove"})


def prefers(**values: str | tuple[str, ...]) -> Preferences:
    return Preferences(({name: (v,) if isinstance(v, str) else v for name, v in values.items()},))


@pytest.mark.parametrize(
    ("preferences", "told"),
    [
        (prefers(use_rtpproxy="ice_strip_candidates"), {"ICE": "remove"}),
        (prefers(use_rtpproxy="ice_add_candidates"), {"ICE": "optional"}),
        (prefers(use_rtpproxy="ice_replace_candidates"), {"ICE": "force"}),
        (prefers(use_rtpproxy="ice_force_relay_candidates"), {"ICE": "force-relay"}),
        (prefers(use_rtpproxy="ice_client_preference"), {"ICE": "default"}),
        (prefers(ipv46_for_rtpproxy="force_ipv6"), {"address family": "IP6"}),
        (prefers(ICE_lite="1"), {"ICE-lite": "forward"}),
        (prefers(DTLS_fingerprint="sha-256"), {"DTLS-fingerprint": "sha-256"}),
        (prefers(generate_rtcp="1", single_codec="1"), {"flags": ["generate RTCP", "single codec"]}),
        (prefers(original_sendrecv="1"), {"flags": ["original sendrecv"]}),
        (prefers(sdp_crypto_base64_padding="1"), {"SDES": ["pad"]}),
    ],
)
def test_told_of_either_side(preferences: Preferences, told: dict[str, Value]) -> None:
    far, near = terms(NOTHING, preferences), terms(preferences, NOTHING)
    assert {"ICE": "remove"} | told == far.offer == near.answer
    assert far.answer == near.offer == {"ICE": "remove"}


@pytest.mark.parametrize(
    ("preferences", "told"),
    [
        (prefers(transport_protocol="RTP/SAVPF"), {"transport-protocol": "RTP/SAVPF"}),
        (
            prefers(transport_protocol="UDP/TLS/RTP/SAVPF"),
            {"transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": ["offer"]},
        ),
        (prefers(transport_protocol="transparent"), {}),
        (prefers(OSRTP_offer="1"), {"OSRTP": ["offer"]}),
        (prefers(ptime="30"), {"ptime": 30}),
        (prefers(ptime="default"), {}),
        (
            prefers(codecs_filter="1", codecs_list="PCMA, G722"),
            {"codec": {"strip": ["all"], "offer": ["PCMA", "G722"]}},
        ),
        (prefers(codecs_list="G729"), {"codec": {"strip": ["G729"]}}),
        (
            prefers(transcode_PCMA="1", transcode_dtmf="1"),
            {"codec": {"transcode": ["PCMA", "telephone-event"]}},
        ),
        (
            prefers(transcode_opus_stereo="1", opus_stereo_bitrate="64000"),
            {"codec": {"transcode": ["opus/48000/2/64000"]}},
        ),
        (
            prefers(transcode_AMR_WB="1", AMR_WB_bitrate="12650"),
            {"codec": {"transcode": ["AMR-WB/16000/1/12650"]}},
        ),
        (prefers(T38_decode="1", T38_no_ECM="1"), {"T.38": ["decode", "no-ECM"]}),
        (prefers(sdp_media_remove="video, image"), {"sdp-media-remove": ["video", "image"]}),
    ],
)
def test_told_of_the_callee_only(preferences: Preferences, told: dict[str, Value]) -> None:
    assert terms(NOTHING, preferences).offer == {"ICE": "remove"} | told
    assert terms(preferences, NOTHING).offer == {"ICE": "remove"}


@pytest.mark.parametrize(
    ("near", "far", "told"),
    [
        (prefers(rtp_interface="ext"), NOTHING, {"direction": ["ext", "default"]}),
        (NOTHING, prefers(rtp_interface="int"), {"direction": ["default", "int"]}),
        (prefers(record_call="1"), NOTHING, {"record call": "on"}),
        (NOTHING, prefers(record_call="2"), {"record call": "on"}),
        (prefers(record_call="0"), NOTHING, {}),
    ],
)
def test_told_of_both_sides(near: Preferences, far: Preferences, told: dict[str, Value]) -> None:
    both = {"ICE": "remove"} | told
    assert (terms(near, far).offer, terms(near, far).answer) == (both, both)


@pytest.mark.parametrize(
    ("near", "far", "is_relayed"),
    [
        ("never", "never", False),
        ("never", "ice_strip_candidates", True),
        ("ice_add_candidates", "never", True),
    ],
)
def test_relay_that_nobody_wants(near: str, far: str, is_relayed: bool) -> None:
    assert terms(prefers(use_rtpproxy=near), prefers(use_rtpproxy=far)).is_relayed is is_relayed


HERE = Source(received="sip:198.51.100.7:5060", is_behind_nat=True)
ELSEWHERE = Source(received="sip:192.0.2.9:5060")


@pytest.mark.parametrize(
    ("alice", "bob", "source", "is_natted", "is_relayed"),
    [
        ("same_nat", "same_nat", HERE, True, False),
        ("same_nat", "same_nat", ELSEWHERE, True, True),
        ("same_nat", "never", HERE, True, True),
        ("never", "same_nat", HERE, True, True),
        ("both_public", "both_public", ELSEWHERE, False, False),
        ("both_public", "both_public", ELSEWHERE, True, True),
        ("both_public", "both_public", HERE, False, True),
    ],
)
def test_media_that_need_no_relay(
    alice: str, bob: str, source: Source, is_natted: bool, is_relayed: bool
) -> None:
    stage = Stage()
    stage.register("bob", "sip:bob@192.0.2.9")
    [binding] = stage.registrar
    stage.registrar.commit(Update(binding.aor, [replace(binding, source=source)]))
    stage.source.prefer("alice", bypass_rtpproxy=alice)
    stage.source.prefer("bob", bypass_rtpproxy=bob)
    request = make_request()
    request.append("P-NGCP-Src-Ip", "198.51.100.7")
    if is_natted:
        request.append("P-NGCP-Src-Nat", "1")
    attempt = stage.routed(lambda: stage.call(request=request)).attempt
    assert attempt is not None and attempt.media.is_relayed is is_relayed


def in_dialog(from_tag: str, value: str) -> Request:
    lines = [f"Route: {value}", f"From: <sip:a@h>;tag={from_tag}", "To: <sip:b@h>;tag=b", "Call-ID: c"]
    return Request("INVITE", "sip:b@h", lines)


@pytest.mark.parametrize(
    ("near", "far", "from_caller", "from_callee"),
    [
        (NOTHING, NOTHING, PLAIN, PLAIN),
        (
            prefers(use_rtpproxy="ice_add_candidates"),
            prefers(use_rtpproxy="ice_replace_candidates"),
            Terms({"ICE": "force"}, {"ICE": "optional"}),
            Terms({"ICE": "optional"}, {"ICE": "force"}),
        ),
        (
            prefers(transport_protocol="RTP/AVP"),
            prefers(transport_protocol="UDP/TLS/RTP/SAVPF"),
            Terms(
                {"ICE": "remove", "transport-protocol": "UDP/TLS/RTP/SAVPF", "rtcp-mux": ["offer"]},
                {"ICE": "remove"},
            ),
            Terms({"ICE": "remove", "transport-protocol": "RTP/AVP"}, {"ICE": "remove"}),
        ),
        (prefers(use_rtpproxy="never"), prefers(use_rtpproxy="never"), PASSED_BY, PASSED_BY),
    ],
    ids=["usual", "ICE", "transport", "passed by"],
)
def test_what_is_noted_in_the_route_is_told_again(
    near: Preferences, far: Preferences, from_caller: Terms, from_callee: Terms
) -> None:
    value = f"<sip:127.0.0.1:5062;lr=on;ftag=a;did=x{terms(near, far).notes}>"
    assert recall(in_dialog("a", value)) == from_caller
    assert recall(in_dialog("b", value)) == from_callee


@pytest.mark.parametrize(
    ("preferences", "wished"),
    [
        ({"music_on_hold": "1"}, {}),
        ({"music_on_hold": "1", "sound_set": "7"}, {"db-id": 7}),
        ({"music_on_hold": "1", "sound_set": "8"}, {}),
        ({"music_on_hold": "1", "set_moh_sendonly": "1"}, {"mode": "sendonly"}),
        ({"music_on_hold": "0", "sound_set": "7"}, None),
    ],
)
def test_each_side_has_its_music_on_hold(
    preferences: dict[str, str], wished: dict[str, Value] | None
) -> None:
    stage = Stage()
    stage.register("bob", "sip:bob@192.0.2.9")
    stage.share(announcements={7: frozenset({"music_on_hold"}), 8: frozenset()})
    stage.give("alice", **preferences)
    stage.give("bob", music_on_hold="1")

    attempt = stage.routed(stage.call).attempt

    assert attempt is not None
    assert attempt.media.offer.get("moh") == wished
    assert attempt.media.answer["moh"] == {}
