"""Logical interfaces: which of our addresses faces whom, and calls between the two families of IP."""

import pytest

from ngcp.ng.bencode import Value
from ngcp.rtpengine.flows import Address
from ngcp.sdp import Description
from rtpengine.harness import INSIDE, RELAY, RELAY6, RTP, Phone, Relay, answer, offer


@pytest.fixture
def dora(relay: Relay) -> Phone:
    """A phone that speaks IPv6 only."""
    return Phone(relay, "dora", "2001:db8:5::40", 7000)


@pytest.fixture
def voicebox(relay: Relay) -> Phone:
    """A service of the node itself."""
    return Phone(relay, "voicebox", "127.0.0.1", 10_000)


def host_told(reply: dict[str, Value]) -> str:
    """Return the address that a rewritten body names."""
    description = Description.parse(str(reply["sdp"]).encode())
    return description.media[0].effective_connection.host


def crosses(sender: Phone, ours: tuple[str, str], receiver: Phone) -> bool:
    """Whether a packet to the first of our addresses leaves from the second, to the receiver."""
    here, there = ours
    way = sender.relay.wire.arrive((here, sender.told[0]), sender.address, RTP)
    return way == ((there, receiver.told[0]), receiver.address)


def test_ipv4_calls_ipv6(alice: Phone, dora: Phone) -> None:
    assert host_told(offer(alice, dora, address_family="IP6")) == RELAY6
    assert host_told(answer(alice, dora)) == RELAY
    assert crosses(alice, (RELAY, RELAY6), dora)
    assert crosses(dora, (RELAY6, RELAY), alice)


def test_ipv6_calls_ipv4(alice: Phone, dora: Phone) -> None:
    reply = offer(dora, alice, flags=["address-family=IP4"], replace=["origin"])
    assert b"o=- 1 1 IN IP4 203.0.113.1\r\n" in str(reply["sdp"]).encode()
    answer(dora, alice)
    assert crosses(dora, (RELAY6, RELAY), alice)
    assert crosses(alice, (RELAY, RELAY6), dora)


def test_family_follows_the_body_unless_told(alice: Phone, dora: Phone) -> None:
    eva = Phone(alice.relay, "eva", "2001:db8:6::50", 7100)
    assert host_told(offer(dora, eva)) == RELAY6
    assert host_told(answer(dora, eva)) == RELAY6
    assert crosses(eva, (RELAY6, RELAY6), dora)


def test_learned_address_is_of_the_senders_own_family(alice: Phone, dora: Phone) -> None:
    nat: Address = ("2001:db8:5::99", 4444)
    offer(alice, dora, address_family="IP6")
    answer(alice, dora)
    wire = alice.relay.wire
    assert wire.arrive((RELAY6, dora.told[0]), nat, RTP) == ((RELAY, alice.told[0]), alice.address)
    assert wire.arrive((RELAY, alice.told[0]), alice.address, RTP) == ((RELAY6, dora.told[0]), nat)


def test_reinvite_keeps_addresses_without_being_told_again(alice: Phone, dora: Phone) -> None:
    offer(alice, dora, address_family="IP6")
    answer(alice, dora)
    assert host_told(offer(dora, alice, to_tag="alice")) == RELAY
    assert host_told(answer(dora, alice)) == RELAY6
    assert crosses(alice, (RELAY, RELAY6), dora)


def test_direction_names_the_interfaces(alice: Phone, voicebox: Phone) -> None:
    assert host_told(offer(alice, voicebox, direction=["ext", "int"])) == INSIDE
    assert host_told(answer(alice, voicebox)) == RELAY
    assert crosses(alice, (RELAY, INSIDE), voicebox)
    assert crosses(voicebox, (INSIDE, RELAY), alice)


def test_nobody_outside_reaches_the_inside_by_a_body(alice: Phone, bob: Phone) -> None:
    """A phone that claims to be at 127.0.0.1 is not sent anything there, whoever it talks to."""
    alice.host = "127.0.0.1"
    offer(alice, bob, direction=["ext", "int"])
    answer(alice, bob)
    assert alice.relay.wire.arrive((INSIDE, bob.told[0]), bob.address, RTP) is None


def test_unknown_interface_is_ignored_with_one_note(relay: Relay, alice: Phone, bob: Phone) -> None:
    assert host_told(offer(alice, bob, direction=["ext", "dmz"])) == RELAY
    assert relay.notes == ["'offer' of call 'call': ignored 'direction:dmz'"]


def test_family_that_an_interface_lacks_gives_way(alice: Phone, voicebox: Phone) -> None:
    reply = offer(alice, voicebox, direction=["ext", "int"], address_family="IP6")
    assert host_told(reply) == INSIDE


def test_media_address_of_ours_is_bound_and_told(alice: Phone, dora: Phone) -> None:
    assert host_told(offer(alice, dora, media_address=RELAY6)) == RELAY6
    answer(alice, dora)
    assert crosses(dora, (RELAY6, RELAY), alice)


def test_media_address_of_a_router_in_front_of_us_is_told(alice: Phone, bob: Phone) -> None:
    reply = offer(alice, bob, media_address="192.0.2.200", replace=["origin"])
    assert host_told(reply) == "192.0.2.200"
    assert b"o=- 1 1 IN IP4 192.0.2.200" in str(reply["sdp"]).encode()
    answer(alice, bob)
    assert bob.hears(alice)


def test_media_address_that_is_none_is_passed_over(alice: Phone, bob: Phone) -> None:
    assert host_told(offer(alice, bob, media_address="router.example.org")) == RELAY


def test_signalling_family_counts_if_streams_are_there(alice: Phone, dora: Phone) -> None:
    offer(dora, alice, flags=["SIP-source-address"], received_from=["IP4", "198.51.100.9"])
    assert host_told(answer(dora, alice)) == RELAY


def test_each_address_has_ports_of_its_own(alice: Phone, dora: Phone) -> None:
    relay = Relay(pairs=1)
    alice.relay = dora.relay = relay
    offer(alice, dora, address_family="IP6")
    free = {host: count for host, (_, count, _) in relay.interfaces.ports().items()}
    assert free == {RELAY: 0, RELAY6: 0, INSIDE: 1}
    reply = relay.ask(command="offer", call_id="2", from_tag="a", sdp=alice.body(), direction=["int", "ext"])
    assert reply == {"result": "error", "error-reason": "Ran out of ports"}
    assert {host: count for host, (_, count, _) in relay.interfaces.ports().items()} == free
    relay.ask(command="delete", call_id="call")
    assert relay.is_idle
    assert len(relay.interfaces) == 3


def test_phone_that_moves_to_the_other_family_is_faced_there(relay: Relay, alice: Phone, dora: Phone) -> None:
    """A mobile that leaves the house says so by a re-INVITE (RFC 3261 §14.1)."""
    eva = Phone(relay, "eva", "2001:db8:6::50", 7100)
    offer(dora, eva)
    answer(dora, eva)
    crosses(dora, (RELAY6, RELAY6), eva)
    dora.host = "198.51.100.40"
    told = eva.told
    offer(dora, eva, to_tag="eva")
    assert crosses(eva, (RELAY6, RELAY6), Phone(relay, "dora", "2001:db8:5::40", 7000, told=dora.told))
    reply = answer(dora, eva, replace=["origin"])
    assert host_told(reply) == RELAY
    assert f"o=- 1 1 IN IP4 {RELAY}\r\n" in str(reply["sdp"])
    assert eva.told == told
    assert crosses(dora, (RELAY, RELAY6), eva)
    assert crosses(eva, (RELAY6, RELAY), dora)
    assert relay.totals.packets == 1
    relay.ask(command="delete", call_id="call")
    assert relay.is_idle
    assert relay.totals.packets == 4
    assert len(relay.interfaces) == 300


def test_no_move_without_a_port_there(alice: Phone, dora: Phone) -> None:
    alice.relay = dora.relay = relay = Relay(pairs=1)
    offer(alice, dora, address_family="IP6")
    answer(alice, dora)
    alice.host = "2001:db8:7::1"
    offer(alice, dora, to_tag="dora")
    reply = relay.ask(command="answer", call_id="call", from_tag="alice", to_tag="dora", sdp=dora.body())
    assert reply["error-reason"] == "Ran out of ports"
    assert len(relay.wire.bound) == 4


def test_caller_gets_the_family_that_is_wished_for_it(alice: Phone, bob: Phone) -> None:
    """Whatever it announces; and later offers do not undo it."""
    offer(alice, bob)
    assert host_told(answer(alice, bob, address_family="IP6")) == RELAY6
    alice.nat = ("2001:db8:9::10", 4000)
    wire = alice.relay.wire
    way = wire.arrive((RELAY6, alice.told[0]), alice.nat, RTP)
    assert way == ((RELAY, bob.told[0]), bob.address)
    assert wire.arrive((RELAY, bob.told[0]), bob.address, RTP) == ((RELAY6, alice.told[0]), alice.nat)
    offer(alice, bob, to_tag="bob")
    assert host_told(answer(alice, bob)) == RELAY6


def test_usual_interface_may_be_called_so(relay: Relay, alice: Phone, voicebox: Phone) -> None:
    assert host_told(offer(alice, voicebox, direction=["default", "int"])) == INSIDE
    assert host_told(answer(alice, voicebox)) == RELAY
    assert relay.notes == []
