"""What a command wishes, in either way to say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.ng.bencode import Value
from ngcp.rtpengine.flags import MAX_WORDS, Wishes, read

SAID: list[tuple[dict[str, Value], Wishes]] = [
    ({"ICE": "force"}, Wishes(ice="force")),
    ({"flags": ["ICE=force"]}, Wishes(ice="force")),
    ({"replace": ["origin"]}, Wishes(replace=frozenset({"origin"}))),
    ({"flags": ["replace-origin"]}, Wishes(replace=frozenset({"origin"}))),
    ({"replace": "session connection"}, Wishes(replace=frozenset({"session-connection"}))),
    ({"SDES": ["off"]}, Wishes(sdes=("off",))),
    ({"flags": ["SDES-off", "SDES-no-AEAD_AES_256_GCM"]}, Wishes(sdes=("off", "no-AEAD_AES_256_GCM"))),
    ({"codec": {"strip": ["G729", "all"]}}, Wishes(codec={"strip": ("G729", "all")})),
    ({"flags": ["codec-strip-G729"]}, Wishes(codec={"strip": ("G729",)})),
    ({"flags": ["transcode-opus/48000/2"]}, Wishes(codec={"transcode": ("opus/48000/2",)})),
    ({"transport-protocol": "RTP/SAVP"}, Wishes(transport_protocol="RTP/SAVP")),
    ({"flags": ["transport-protocol=RTP/AVP"]}, Wishes(transport_protocol="RTP/AVP")),
    ({"ptime": 30}, Wishes(ptime=30)),
    ({"ptime": "30"}, Wishes(ptime=30)),
    ({"rtcp-mux": ["demux"]}, Wishes(rtcp_mux=frozenset({"demux"}))),
    ({"direction": ["int", "ext"]}, Wishes(direction=("int", "ext"))),
    ({"flags": ["strict source"]}, Wishes(flags=frozenset({"strict-source"}))),
    ({"flags": ["record call"]}, Wishes(flags=frozenset({"record-call"}), record=True)),
    ({"record-call": "yes"}, Wishes(record=True)),
    ({"record-call": "off"}, Wishes(record=False)),
    ({"delete-delay": 0}, Wishes(delete_delay=0.0)),
]


@pytest.mark.parametrize(("fields", "wishes"), SAID)
def test_wishes_are_read(fields: dict[str, Value], wishes: Wishes) -> None:
    assert read(fields) == (wishes, [])


def test_what_is_not_understood_is_named() -> None:
    fields: dict[str, Value] = {
        "ICE": "melt",
        "flags": ["fly", "codec-fold-PCMU"],
        "ptime": "many",
        "replace": ["everything"],
        "weather": "fine",
        "sdp": "v=0",
    }
    wishes, unknown = read(fields)
    assert wishes == Wishes()
    assert sorted(unknown) == [
        "ICE:melt",
        "codec:fold",
        "flags:fly",
        "ptime:many",
        "replace:everything",
        "weather",
    ]


VALUES = st.recursive(
    st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["flags", "codec", "ICE", "SDES", "ptime", "delete-delay", "direction"]) | st.text()


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_fields_can_be_read(fields: dict[str, Value]) -> None:
    wishes, _ = read(fields)
    assert all(len(names) <= MAX_WORDS for names in wishes.codec.values())
