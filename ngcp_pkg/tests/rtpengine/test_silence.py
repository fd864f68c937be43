"""Calls that fall silent: hold, hanging up without a word, and what time does to them."""

import pytest

from rtpengine.harness import (
    NO_VIDEO,
    RELAY,
    RTP,
    SILENT_TIMEOUT,
    TIMEOUT,
    VIDEO,
    Phone,
    Relay,
    answer,
    establish,
    offer,
)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_hold_passes_on(alice: Phone, bob: Phone, direction: str) -> None:
    establish(alice, bob)
    reply = offer(alice, bob, alice.body(direction), to_tag="bob")
    assert f"a={direction}\r\n" in str(reply["sdp"])


def test_zero_address_holds_and_resumes(alice: Phone, bob: Phone) -> None:
    """RFC 2543 phones: no media to the zero address, but those of the holder still pass."""
    establish(alice, bob)
    alice.send()
    bob.send()
    reply = offer(alice, bob, alice.body(host="0.0.0.0"), to_tag="bob")
    answer(alice, bob)
    assert "c=IN IP4 0.0.0.0\r\n" in str(reply["sdp"])
    assert bob.send() is None
    assert bob.hears(alice)
    establish(alice, bob)
    assert alice.hears(bob)
    assert bob.hears(alice)


def test_call_without_media_ends(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert relay.wait(TIMEOUT - 1) == []
    assert relay.wait(1) == ["call"]
    assert relay.is_idle


def test_media_of_one_side_keep_the_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    for _ in range(5):
        assert relay.wait(TIMEOUT - 1) == []
        alice.send()
    assert relay.wait(TIMEOUT) == ["call"]


def test_strangers_do_not_keep_the_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    alice.send()
    bob.send()
    relay.wait(TIMEOUT - 1)
    relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP)
    assert relay.wait(1) == ["call"]


def test_call_that_nobody_answers_may_ring(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    assert relay.wait(SILENT_TIMEOUT - 1) == []
    assert relay.wait(1) == ["call"]
    assert relay.is_idle


@pytest.mark.parametrize(
    ("held", "answered"),
    [(["sendonly"], ["recvonly"]), (["inactive"], ["inactive"]), (["sendonly"], ["sendrecv"])],
)
def test_silence_on_hold_lasts_longer(
    relay: Relay, alice: Phone, bob: Phone, held: list[str], answered: list[str]
) -> None:
    establish(alice, bob)
    offer(alice, bob, alice.body(*held), to_tag="bob")
    answer(alice, bob, bob.body(*answered))
    assert relay.wait(SILENT_TIMEOUT - 1) == []
    assert relay.wait(1) == ["call"]


def test_hold_by_zero_address_lasts_longer(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    offer(alice, bob, alice.body(host="0.0.0.0"), to_tag="bob")
    answer(alice, bob)
    assert relay.wait(SILENT_TIMEOUT - 1) == []


def test_resumed_call_without_media_ends(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    offer(alice, bob, alice.body("inactive"), to_tag="bob")
    answer(alice, bob, bob.body("inactive"))
    relay.wait(600)
    establish(alice, bob)
    assert relay.wait(TIMEOUT) == ["call"]


def test_rejected_video_does_not_keep_the_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(sections=VIDEO))
    answer(alice, bob, bob.body(sections=NO_VIDEO))
    assert relay.wait(TIMEOUT) == ["call"]
