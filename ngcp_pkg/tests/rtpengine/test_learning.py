"""Where packets really come from: NAT, moves, strangers, and places that media must not be sent to."""

import pytest

from rtpengine.harness import (
    RELAY,
    RTCP,
    RTP,
    Phone,
    Relay,
    answer,
    establish,
    offer,
)


def test_caller_behind_nat_is_heard_and_hears(alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_both_behind_nat(alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    bob.host, bob.nat = "192.168.1.20", ("192.0.2.99", 1024)
    establish(alice, bob)
    assert bob.send() == ((RELAY, alice.told[0]), alice.address)  # no packet of hers has come yet
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_rtcp_of_a_phone_behind_nat_is_learned_apart(alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    alice.send(RTCP)
    assert alice.hears(bob, RTCP)


def test_settled_call_ignores_strangers(relay: Relay, alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    alice.send()
    bob.send()
    assert relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP) is None
    assert alice.hears(bob)


def test_until_both_have_sent_the_newest_source_counts(alice: Phone, bob: Phone) -> None:
    """A NAT may map the first packets of a call twice."""
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    alice.send()
    alice.nat = ("198.51.100.99", 61300)
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_the_announced_source_beats_a_stranger_who_came_first(alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    bob.send()
    alice.relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP)
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_the_signalling_host_beats_a_stranger_who_came_first(alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    offer(alice, bob, received_from=["IP4", "198.51.100.99"])
    answer(alice, bob)
    bob.send()
    alice.relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP)
    assert bob.hears(alice)
    assert alice.hears(bob)


@pytest.mark.parametrize("packet", [b"", bytes(4), b"\x00\x01\x00\x00" + bytes(16), b"x" * 1400])
def test_only_media_teach_an_address(alice: Phone, bob: Phone, packet: bytes) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    assert alice.send(packet) is None
    assert bob.send() == ((RELAY, alice.told[0]), alice.address)


def test_phone_that_moved_is_learned_anew(alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    alice.send()
    bob.send()
    alice.host, alice.port = "198.51.100.11", 4100
    establish(alice, bob)
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_host_name_is_nowhere_until_it_sends(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(host="phone.example.org"))
    answer(alice, bob)
    assert bob.send() is None
    assert bob.hears(alice)
    assert alice.hears(bob)


@pytest.mark.parametrize("host", ["127.0.0.1", "224.0.0.5", "255.255.255.255"])
def test_no_media_are_sent_where_no_phone_is(alice: Phone, bob: Phone, host: str) -> None:
    """A body must not make the relay send to services of its own machine, nor to everybody."""
    offer(alice, bob, alice.body(host=host))
    answer(alice, bob)
    assert bob.send() is None


def test_streams_are_where_the_signalling_came_from_if_the_proxy_says_so(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, flags=["SIP source address"], received_from=["IP4", "198.51.100.99"])
    answer(alice, bob)
    assert bob.send() == ((RELAY, alice.told[0]), ("198.51.100.99", 4000))


def settle(alice: Phone, bob: Phone) -> None:
    """Let both be learned, alice behind NAT."""
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    establish(alice, bob)
    alice.send()
    bob.send()


def test_restarted_router_is_learned_anew_after_a_silence(relay: Relay, alice: Phone, bob: Phone) -> None:
    settle(alice, bob)
    relay.wait(4)
    alice.nat = ("198.51.100.99", 40000)
    assert alice.send() is None
    relay.wait(4)
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_third_party_cannot_hijack_a_silent_stream(relay: Relay, alice: Phone, bob: Phone) -> None:
    settle(alice, bob)
    relay.wait(50)
    bob.send()
    assert relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP) is None
    assert alice.hears(bob)
    assert bob.hears(alice)


def test_strict_source_lets_nobody_move(relay: Relay, alice: Phone, bob: Phone) -> None:
    alice.host, alice.nat = "10.0.0.10", ("198.51.100.99", 61234)
    offer(alice, bob, flags=["strict-source"])
    answer(alice, bob)
    alice.send()
    bob.send()
    relay.wait(50)
    alice.nat = ("198.51.100.99", 40000)
    assert alice.send() is None
    alice.nat = ("198.51.100.99", 61234)
    assert bob.hears(alice)


def test_asymmetric_phone_is_sent_to_where_it_announced(alice: Phone, bob: Phone) -> None:
    """It sends from one address and listens on another."""
    alice.nat = ("198.51.100.11", 8000)
    offer(alice, bob, flags=["asymmetric"])
    answer(alice, bob)
    assert bob.hears(alice)
    assert bob.send() == ((RELAY, alice.told[0]), alice.address)
    assert alice.relay.wire.arrive((RELAY, alice.told[0]), ("203.0.113.66", 9999), RTP) is None


@pytest.mark.parametrize("flag", ["trust-address", "port latching", "symmetric"])
def test_what_is_always_so_may_be_said(relay: Relay, alice: Phone, bob: Phone, flag: str) -> None:
    establish(alice, bob)
    told = alice.told, bob.told
    alice.port = 4100
    offer(alice, bob, to_tag="bob", flags=[flag])
    answer(alice, bob, flags=[flag])
    assert (alice.told, bob.told) == told
    assert bob.hears(alice)
    assert relay.notes == []
