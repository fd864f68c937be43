"""State to text and back."""

import contextlib
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mutation import mutate
from ngcp.rtp.suites import Keys
from ngcp.rtpengine.call import Call
from ngcp.rtpengine.dialogs import Dialog, Side
from ngcp.rtpengine.dtls import Handshake
from ngcp.rtpengine.flags import USUAL, Wishes
from ngcp.rtpengine.flows import Counters
from ngcp.rtpengine.keeper import snapshots
from ngcp.rtpengine.snapshot import Snapshots, Special, UnreadableState
from ngcp.rtpengine.streams import Link, Stream, Trust
from ngcp.rtpengine.treatments import AS_IS, Treatment
from rtpengine.harness import IDENTITY, NO_VIDEO, VIDEO, Phone, Relay, answer, establish, offer

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
HASHABLE = st.recursive(
    SCALARS | st.binary(), lambda each: st.tuples(each, each) | st.frozensets(each), max_leaves=5
)
VALUES = st.recursive(
    HASHABLE
    | st.just(Counters(1, 2, 3, 4.5))
    | st.sampled_from([*Trust, AS_IS, *Treatment])
    | st.just(USUAL),
    lambda each: st.lists(each) | st.tuples(each, each) | st.dictionaries(HASHABLE, each) | st.sets(HASHABLE),
    max_leaves=20,
)
SNAPSHOTS = Snapshots()


@given(VALUES)
def test_values_come_back(value: object) -> None:
    text = SNAPSHOTS.write(value)

    assert text.isascii()
    assert SNAPSHOTS.read(text) == value


@pytest.mark.parametrize("treatment", [Treatment.BLOCK_MEDIA | Treatment.SILENCE, AS_IS, *Treatment])
def test_flags_come_back(treatment: Treatment) -> None:
    assert SNAPSHOTS.read(SNAPSHOTS.write(treatment)) is treatment


def test_keys_come_back_whole() -> None:
    keys = Keys("AES_CM_128_HMAC_SHA1_80", bytes(range(30)), b"\1")
    assert SNAPSHOTS.read(SNAPSHOTS.write(keys)) == keys


def test_what_was_one_object_is_one_again() -> None:
    stream = Stream(("192.0.2.1", 30000), trust=Trust.ANNOUNCED)
    streams = SNAPSHOTS.read(SNAPSHOTS.write([Link((stream, stream)), stream]))

    link, other = streams
    assert link.streams[0] is link.streams[1] is other
    assert other.trust is Trust.ANNOUNCED


def test_what_is_the_daemons_own_is_named_and_what_no_text_holds_is_made_again() -> None:
    special = Special(lambda link: len(link.streams), lambda count: ("link of", count))
    own = object()
    snapshots = Snapshots({"own": own}, {Link: special})

    text = snapshots.write([own, Link((Stream(("::1", 1)), Stream(("::1", 2))))])

    assert snapshots.read(text) == [own, ("link of", 2)]


def test_what_can_be_called_is_left_out() -> None:
    """The core decides anew what is done with packets."""
    link = Link((Stream(("::1", 1)), Stream(("::1", 2))))
    link.processes[0] = lambda packet, now: [packet]
    assert SNAPSHOTS.read(SNAPSHOTS.write(link)).processes == [None, None]


def test_attributes_that_an_older_version_did_not_know_have_their_defaults() -> None:
    written = json.loads(SNAPSHOTS.write(Side("a", {"a": 1.0})))
    assert "label" not in written[2]  # nor is what has its default
    del written[2]["tags"]
    side = SNAPSHOTS.read(json.dumps(written))
    assert (side.tag, side.tags, side.label) == ("a", {}, "")


def test_attributes_that_must_be_said_are_missed() -> None:
    written = json.loads(SNAPSHOTS.write(Stream(("::1", 1))))
    del written[2]["local"]
    with pytest.raises(UnreadableState, match="Stream without local"):
        SNAPSHOTS.read(json.dumps(written))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '["?"]',
        "[]",
        '["x","own"]',
        '["r",0]',
        '["o","os:system",{}]',
        '["o","rtpengine.streams:is_rtp",{}]',
        '["o","rtpengine.streams:NamedTuple",{}]',
        '["o","rtpengine.nothing:Link",{}]',
        '["o","state.line:Line",{}]',
        '["o","rtpengine.streams:Link"]',
        '["n","rtpengine.flows:Counters",{"pickets":1}]',
        '["e","rtpengine.streams:Trust",99]',
        '["b","%"]',
        '["f",["l"]]',
        '["d",[["l"],1]]',
        "[" * 100_000,
    ],
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(UnreadableState):
        SNAPSHOTS.read(text)


def test_what_is_no_state_is_not_written() -> None:
    with pytest.raises(TypeError, match="is no state"):
        SNAPSHOTS.write(random.Random(1))


def calls() -> list[tuple[Relay, Call]]:
    """Return calls of many kinds."""
    made = []
    for more in ({}, {"strict": True}, {"treated": True}, {"forked": True}):
        relay = Relay()
        alice, bob = Phone(relay, "alice", "198.51.100.10", 4000), Phone(relay, "bob", "192.0.2.20", 5000)
        establish(alice, bob)
        alice.send()
        offer(alice, bob, alice.body("sendonly", sections=VIDEO), to_tag="bob", label="A", via_branch="b")
        if "forked" in more:
            answer(alice, Phone(relay, "carol", "192.0.2.30", 6000))
        else:
            answer(alice, bob, bob.body(sections=NO_VIDEO), flags=["strict-source"] * ("strict" in more))
        if "treated" in more:
            relay.ask(command="block media", call_id="call", from_tag="alice")
        made.append((relay, relay.calls.find("call")))
    return made


def test_calls_of_all_kinds_come_back() -> None:
    for relay, call in calls():
        written = snapshots(relay.guard.secrets, IDENTITY)
        text = written.write(call)
        assert written.write(written.read(text)) == text


@pytest.mark.parametrize("wish", [{"DTLS": "off", "SDES": ["no-AES_192_CM_HMAC_SHA1_80"]}, {"ICE": "force"}])
def test_a_call_that_is_protected_keeps_its_keys(
    relay: Relay, alice: Phone, bob: Phone, wish: dict[str, Any]
) -> None:
    """Ours and theirs, the association of DTLS among them; a certificate is the daemon's own."""
    offer(alice, bob, transport_protocol="UDP/TLS/RTP/SAVPF", **wish)
    call = relay.calls.find("call")
    written = snapshots(relay.guard.secrets, IDENTITY)
    theirs, ours = (Keys("AEAD_AES_128_GCM", bytes([number]) * 28) for number in (1, 2))
    stream = call.dialogs[0].media[0].rtp.streams[1]
    stream.handshake = Handshake(IDENTITY, IDENTITY.fingerprint(), is_client=True)
    stream.handshake.keys = theirs, ours

    (dialog,) = written.read(written.write(call)).dialogs

    handshake = dialog.media[0].rtp.streams[1].handshake
    assert (handshake.keys, handshake.is_client, handshake.is_started) == ((theirs, ours), True, True)
    assert handshake.expected == IDENTITY.fingerprint()
    assert handshake.receive(b"\x15" + bytes(20)) == []


def test_nothing_but_unreadable_state_escapes_from_damaged_text() -> None:
    relay, call = calls()[0]
    written, luck = snapshots(relay.guard.secrets, IDENTITY), random.Random(5)
    text = written.write(call).encode()
    for _ in range(500):
        with contextlib.suppress(UnreadableState):
            written.read(mutate(text, luck).decode("utf-8", "surrogateescape"))


def test_wishes_are_state_too() -> None:
    wishes: Any = SNAPSHOTS.read(SNAPSHOTS.write(Wishes(codec={"strip": ("opus",)}, delete_delay=1.5)))
    assert wishes == Wishes(codec={"strip": ("opus",)}, delete_delay=1.5)
    assert isinstance(SNAPSHOTS.read(SNAPSHOTS.write(Dialog("a", "", "", 0.0))), Dialog)
