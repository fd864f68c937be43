"""Music on hold (ng protocol: `moh`): who is put on hold hears it, until the call goes on."""

import pytest

from audio.spectrum import loudest
from ngcp.audio.codecs import CODECS
from ngcp.audio.tones import tone
from ngcp.ng.bencode import Value
from ngcp.rtp import Packet
from ngcp.rtpengine.flags import Music
from ngcp.sdp import Description
from rtpengine.harness import Phone, Relay, answer, offer
from rtpengine.test_sounds import played
from rtpengine.test_transcoding import hear

MUSIC: dict[str, Value] = {"db-id": 7}


@pytest.fixture
def music(relay: Relay, alice: Phone, bob: Phone) -> Relay:
    """A call in which both have heard each other, and alice has music."""
    relay.jukebox.records[7] = tone([1000], 8000, range(4000))
    offer(alice, bob, moh=MUSIC)
    answer(alice, bob)
    assert alice.hears(bob)
    assert bob.hears(alice)
    return relay


def hold(
    holder: Phone, held: Phone, *attributes: str, reply: str = "recvonly", host: str | None = None
) -> str:
    """Put somebody on hold; return the direction that the holder is answered."""
    offer(holder, held, holder.body(*attributes, host=host))
    told = answer(holder, held, held.body(*([reply] if reply else [])))["sdp"]
    assert isinstance(told, str)
    return Description.parse(told.encode()).media[0].direction


def heard(relay: Relay, phone: Phone) -> list[Packet]:
    relay.wire.sent.clear()
    relay.play(1)
    return played(relay).get(phone.address, [])


@pytest.mark.parametrize(("attribute", "reply"), [("sendonly", "recvonly"), ("inactive", "recvonly")])
def test_who_is_put_on_hold_hears_music(
    music: Relay, alice: Phone, bob: Phone, attribute: str, reply: str
) -> None:
    hold(alice, bob, attribute, reply=reply)

    packets = heard(music, bob)
    assert len(packets) in (49, 50, 51)
    assert loudest(hear(CODECS["pcma"], packets), 8000) == [pytest.approx(1000, abs=2)]
    assert not bob.hears(alice), "what the holder sends is not heard meanwhile"


def test_a_zero_address_is_a_hold(music: Relay, alice: Phone, bob: Phone) -> None:
    hold(alice, bob, host="0.0.0.0", reply="")

    assert heard(music, bob)


def test_it_ends_with_the_hold(music: Relay, alice: Phone, bob: Phone) -> None:
    hold(alice, bob, "sendonly")
    offer(alice, bob)
    answer(alice, bob)

    assert heard(music, bob) == []
    assert bob.hears(alice)
    assert not music.wire.processed


def test_who_holds_without_music_leaves_silence(music: Relay, alice: Phone, bob: Phone) -> None:
    hold(bob, alice, "sendonly")

    assert heard(music, alice) == []


def test_the_callee_has_its_own_music(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.jukebox.records = {7: tone([1000], 8000, range(4000)), 8: tone([500], 8000, range(4000))}
    offer(alice, bob, moh=MUSIC)
    answer(alice, bob, moh={"db-id": 8})
    hold(bob, alice, "sendonly")

    assert loudest(hear(CODECS["pcma"], heard(relay, alice)), 8000) == [pytest.approx(500, abs=2)]


def test_both_may_hold(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.jukebox.records = {7: bytes(8000)}
    offer(alice, bob, moh=MUSIC)
    answer(alice, bob, moh=MUSIC)
    hold(alice, bob, "sendonly")
    hold(bob, alice, "inactive", reply="inactive")

    assert heard(relay, alice) == []
    assert heard(relay, bob) == []


def test_who_only_ever_sends_holds_nobody(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.jukebox.records[7] = bytes(8000)
    offer(alice, bob, alice.body("sendonly"), moh=MUSIC)
    answer(alice, bob, bob.body("recvonly"))

    assert heard(relay, bob) == []
    assert bob.hears(alice)


def test_a_refused_hold_changes_nothing(music: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body("sendonly"))

    assert heard(music, bob) == []
    assert bob.hears(alice)


def test_inactive_is_offered_as_sendonly_if_wished(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.jukebox.records[7] = bytes(8000)
    offer(alice, bob, moh={**MUSIC, "mode": "sendonly"})
    answer(alice, bob)
    told = offer(alice, bob, alice.body("inactive"))["sdp"]
    assert isinstance(told, str)
    assert Description.parse(told.encode()).media[0].direction == "sendonly"
    told = answer(alice, bob, bob.body("recvonly"))["sdp"]
    assert isinstance(told, str)
    assert Description.parse(told.encode()).media[0].direction == "inactive"
    assert heard(relay, bob)


def test_music_that_comes_late_is_heard_then(music: Relay, alice: Phone, bob: Phone) -> None:
    record = music.jukebox.records.pop(7)
    hold(alice, bob, "sendonly")
    assert heard(music, bob) == []

    music.jukebox.records[7] = record
    music.wait(1)

    assert heard(music, bob)


def test_it_is_played_as_often_as_wished(relay: Relay, alice: Phone, bob: Phone) -> None:
    relay.jukebox.records[7] = bytes(2 * 800)
    offer(alice, bob, moh={**MUSIC, "repeats": 2})
    answer(alice, bob)
    hold(alice, bob, "sendonly")

    assert len(heard(relay, bob)) == 10


def test_what_is_not_understood_of_it_is_said(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, moh={"file": "a.wav", "db id": "x", "mode": "loud", "volume": 3})

    assert relay.jukebox.prepared == [Music("a.wav")]
    assert all(word in relay.notes[-1] for word in ("moh:db-id:x", "moh:mode:loud", "moh:volume"))


def test_nothing_is_left_when_the_call_is_over(music: Relay, alice: Phone, bob: Phone) -> None:
    hold(alice, bob, "sendonly")
    music.ask(command="delete", call_id="call", from_tag="alice")

    assert music.is_idle
    assert music.calls.sound_due is None
