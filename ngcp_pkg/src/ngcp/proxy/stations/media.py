"""What the media relay is to do for a call, by the NAT & media preferences of both sides (ng protocol)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from ngcp.ng.bencode import Value
from ngcp.provisioning.runtime import Excerpts, Preferences, Setting
from ngcp.provisioning.runtime.music import HANDLE as MUSIC
from ngcp.proxy.call import USUAL, Attempt, Call, Terms
from ngcp.sip.core.bindings import Binding
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Uri
from ngcp.sip.syntax.fields import NameAddr

#: `use_rtpproxy`: what becomes of the ICE candidates of the other side.
ICE: Final[Mapping[str, str]] = {
    "ice_strip_candidates": "remove",
    "ice_add_candidates": "optional",
    "ice_replace_candidates": "force",
    "ice_force_relay_candidates": "force-relay",
    "ice_client_preference": "default",
}
_ICE_USUALLY: Final = "remove"
NEVER: Final = "never"
#: The media relay's interface that the node's own elements are at.
INSIDE: Final = "int"
_FAMILIES: Final = {"force_ipv4": "IP4", "force_ipv6": "IP6"}
#: Preferences that are flags of the protocol.
_FLAGS: Final = {
    "always_transcode": "always transcode",
    "allow_asymmetric_codecs": "allow asymmetric codecs",
    "generate_rtcp": "generate RTCP",
    "original_sendrecv": "original sendrecv",
    "rtp_debug": "debug",
    "single_codec": "single codec",
}
#: Codecs by the preference that has them offered.
_CODECS: Final = {
    "transcode_PCMA": "PCMA",
    "transcode_PCMU": "PCMU",
    "transcode_G722": "G722",
    "transcode_G723": "G723",
    "transcode_G729": "G729",
    "transcode_GSM": "GSM",
    "transcode_AMR": "AMR",
    "transcode_AMR_WB": "AMR-WB",
    "transcode_opus_mono": "opus/48000/1",
    "transcode_opus_stereo": "opus/48000/2",
    "transcode_speex_8": "speex/8000",
    "transcode_speex_16": "speex/16000",
    "transcode_speex_32": "speex/32000",
    "transcode_dtmf": "telephone-event",
    "transcode_cn": "CN",
}
#: Bit rates by the codec's preference; a codec without a number of channels has one.
_BITRATES: Final = {
    "transcode_AMR": ("AMR_bitrate", "/8000/1/"),
    "transcode_AMR_WB": ("AMR_WB_bitrate", "/16000/1/"),
    "transcode_G723": ("g723_bitrate", "/8000/1/"),
    "transcode_opus_mono": ("opus_mono_bitrate", "/"),
    "transcode_opus_stereo": ("opus_stereo_bitrate", "/"),
}
_T38: Final = {
    "T38_decode": "decode",
    "T38_force": "force",
    "T38_no_ECM": "no-ECM",
    "T38_no_V17": "no-V.17",
    "T38_no_V27ter": "no-V.27ter",
    "T38_no_V29": "no-V.29",
    "T38_no_V34": "no-V.34",
    "T38_no_IAF": "no-IAF",
    "T38_FEC": "FEC",
}

_SETTINGS: Final = Excerpts(
    [
        *(*_FLAGS, *_CODECS, *_T38, *(attribute for attribute, _ in _BITRATES.values())),
        *(
            "codecs_filter",
            "codecs_list",
            "DTLS_fingerprint",
            "ICE_lite",
            "ipv46_for_rtpproxy",
            "OSRTP_offer",
        ),
        *("ptime", "record_call", "rtp_interface", "sdp_crypto_base64_padding", "sdp_media_remove"),
        *("transport_protocol", "use_rtpproxy"),
    ]
)
PASSED_BY: Final = Terms(is_relayed=False)


def with_media(attempt: Attempt, call: Call, bindings: Sequence[Binding] = ()) -> Attempt:
    """Say what the media relay does in an attempt; `bindings` are the phones that it goes to."""
    near, far = call.caller.preferences, attempt.party.preferences
    media = _with_music(terms(near, far, not _passes(call, far, bindings)), call, near, far)
    record_route = tuple([f"{value[:-1]}{media.notes}>" for value in attempt.record_route])
    return replace(attempt, media=media, record_route=record_route)


def _with_music(media: Terms, call: Call, near: Preferences, far: Preferences) -> Terms:
    """Say what each side lets the other one hear on hold."""
    if not media.is_relayed:
        return media
    ours, theirs = (_music(call.platform.announcements, one) for one in (near, far))
    if not (ours or theirs):
        return media
    return replace(media, offer={**media.offer, **ours}, answer={**media.answer, **theirs})


def _music(announcements: Mapping[int, Collection[str]], preferences: Preferences) -> dict[str, Value]:
    """Return the key `moh`: the music of the sound set, or the node's own where that has none."""
    if not preferences.flag("music_on_hold"):
        return {}
    wished: dict[str, Value] = {}
    number = preferences.number("sound_set")
    if number is not None and MUSIC in announcements.get(number, ()):
        wished["db-id"] = number
    if preferences.flag("set_moh_sendonly"):
        wished["mode"] = "sendonly"
    return {"moh": wished}


def at_home(attempt: Attempt) -> Attempt:
    """Let the media of an attempt end at an element of the node, which is reached inside only."""
    media = attempt.media
    outside = media.offer.get("direction")
    facing = outside[0] if isinstance(outside, list) else "default"
    return replace(attempt, media=replace(media, offer={**media.offer, "direction": [facing, INSIDE]}))


def terms(near: Preferences, far: Preferences, is_relayed: bool = True) -> Terms:
    """Return what the relay is told, by the preferences of who calls and who is called."""
    return _terms(_SETTINGS.of(near), _SETTINGS.of(far)) if is_relayed else PASSED_BY


@lru_cache(4096)
def _terms(near_settings: tuple[Setting, ...], far_settings: tuple[Setting, ...]) -> Terms:
    near, far = _SETTINGS.preferences(near_settings), _SETTINGS.preferences(far_settings)
    if near.text("use_rtpproxy") == far.text("use_rtpproxy") == NEVER:
        return PASSED_BY
    both = _directions(near, far) | _recording(near, far)
    return Terms({**_offer(far), **both}, {**_common(near), **both}, notes=_notes(near, far))


def _notes(near: Preferences, far: Preferences) -> str:
    """Write what later session descriptions need to be known as parameters of our Record-Route (`recall`)."""
    notes = ";rtpprx=yes"
    for side, preferences in (("caller", near), ("callee", far)):
        ice, protocol = _ice(preferences), _protocol(preferences)
        notes += "" if ice == _ICE_USUALLY else f";ice_{side}={ice}"
        notes += f";tp_{side}={protocol}" if protocol else ""
    return notes


def recall(request: Request) -> Terms:
    """Return what was noted in the route of a request in a dialog, for the session that it describes."""
    if "route" not in request:
        return USUAL
    params = NameAddr.parse(request.first("route"), "Route").uri.params
    if "rtpprx" not in params:
        return PASSED_BY
    is_of_caller = request.from_.tag == params.get("ftag")
    receiver, sender = ("callee", "caller") if is_of_caller else ("caller", "callee")
    offer: dict[str, Value] = {"ICE": params.get(f"ice_{receiver}") or _ICE_USUALLY}
    offer |= _carried(params.get(f"tp_{receiver}"))
    return Terms(offer, {"ICE": params.get(f"ice_{sender}") or _ICE_USUALLY})


def _passes(call: Call, far: Preferences, bindings: Sequence[Binding]) -> bool:
    """Whether the media pass us by: `bypass_rtpproxy` of both sides wants it, and they reach each other."""
    if not bindings:
        return False
    wanted = {call.caller.preferences.text("bypass_rtpproxy"), far.text("bypass_rtpproxy")}
    tests = [_BYPASSES[each] for each in wanted if each in _BYPASSES]
    return len(tests) == len(wanted) and all(test(call.request, bindings) for test in tests)


def _are_behind_one_nat(request: Request, bindings: Iterable[Binding]) -> bool:
    host = request.get("P-NGCP-Src-Ip")
    return host is not None and all(_host(binding.source.received) == host for binding in bindings)


def _are_public(request: Request, bindings: Iterable[Binding]) -> bool:
    is_behind_nat = request.get("P-NGCP-Src-Nat") == "1"
    return not is_behind_nat and not any(binding.source.is_behind_nat for binding in bindings)


_BYPASSES: Final[Mapping[str | None, Callable[[Request, Sequence[Binding]], bool]]] = {
    "same_nat": _are_behind_one_nat,
    "both_public": _are_public,
}


def _host(received: str | None) -> str | None:
    try:
        return Uri.parse(received).host.strip("[]") if received else None
    except SipError:
        return None


def _ice(preferences: Preferences) -> str:
    return ICE.get(preferences.text("use_rtpproxy") or "", _ICE_USUALLY)


def _protocol(preferences: Preferences) -> str | None:
    """Return how a side wants its media carried; None: as the other one has them."""
    protocol = _chosen(preferences, "transport_protocol")
    return None if protocol == "transparent" else protocol


def _carried(protocol: str | None) -> dict[str, Value]:
    """Return what offers a protocol; whoever has media by DTLS is a browser, which insists on one port."""
    if not protocol:
        return {}
    fields: dict[str, Value] = {"transport-protocol": protocol}
    return fields | {"rtcp-mux": ["offer"]} if protocol.startswith("UDP/TLS") else fields


def _common(preferences: Preferences) -> dict[str, Value]:
    """Return what a side wants of the session that it gets, be it offered or answered."""
    fields: dict[str, Value] = {"ICE": _ice(preferences)}
    family = _FAMILIES.get(preferences.text("ipv46_for_rtpproxy") or "")
    if family:
        fields["address family"] = family
    flags: list[Value] = [flag for name, flag in _FLAGS.items() if preferences.flag(name)]
    if flags:
        fields["flags"] = flags
    if preferences.flag("ICE_lite"):
        fields["ICE-lite"] = "forward"
    if preferences.flag("sdp_crypto_base64_padding"):
        fields["SDES"] = ["pad"]
    fingerprint = _chosen(preferences, "DTLS_fingerprint")
    if fingerprint:
        fields["DTLS-fingerprint"] = fingerprint
    return fields


def _offer(preferences: Preferences) -> dict[str, Value]:
    """Return what only an offer can say: how media are carried, and by which codecs."""
    fields = _common(preferences)
    fields |= _carried(_protocol(preferences))
    if preferences.flag("OSRTP_offer"):
        fields["OSRTP"] = ["offer"]
    codec = _codec(preferences)
    if codec:
        fields["codec"] = codec
    ptime = preferences.number("ptime")
    if ptime:
        fields["ptime"] = ptime
    fax: list[Value] = [word for name, word in _T38.items() if preferences.flag(name)]
    if fax:
        fields["T.38"] = fax
    removed = _words(preferences.all("sdp_media_remove"))
    if removed:
        fields["sdp-media-remove"] = removed
    return fields


def _codec(preferences: Preferences) -> dict[str, Value]:
    """Return which codecs stay, go, or are added by transcoding."""
    codec: dict[str, Value] = {}
    listed = _words(preferences.all("codecs_list"))
    if listed and preferences.flag("codecs_filter"):
        codec["strip"], codec["offer"] = ["all"], listed
    elif listed:
        codec["strip"] = listed
    added: list[Value] = [_transcoded(preferences, name) for name in _CODECS if preferences.flag(name)]
    if added:
        codec["transcode"] = added
    return codec


def _transcoded(preferences: Preferences, name: str) -> str:
    attribute, form = _BITRATES.get(name, ("", ""))
    bitrate = preferences.number(attribute) if attribute else None
    return f"{_CODECS[name]}{form}{bitrate}" if bitrate else _CODECS[name]


def _directions(near: Preferences, far: Preferences) -> dict[str, Value]:
    """Return the interfaces of the relay that each side sees."""
    interfaces = [_chosen(side, "rtp_interface") for side in (near, far)]
    return {"direction": [each or "default" for each in interfaces]} if any(interfaces) else {}


def _recording(near: Preferences, far: Preferences) -> dict[str, Value]:
    is_wanted = any(side.text("record_call") in ("1", "2", "3") for side in (near, far))
    return {"record call": "on"} if is_wanted else {}


def _chosen(preferences: Preferences, name: str) -> str | None:
    """Return the value of an enum that is more than its default."""
    value = preferences.text(name)
    return None if value in (None, "", "NULL", "default") else value


def _words(values: Iterable[str]) -> list[Value]:
    return [word for value in values for word in value.replace(",", " ").split()]
