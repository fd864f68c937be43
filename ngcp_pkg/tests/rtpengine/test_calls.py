"""Calls through the relay, as a user would tell them, on a virtual clock."""

import pytest

from ngcp.sdp import Description
from rtpengine.harness import (
    RELAY,
    RTCP,
    RTP,
    SILENT_TIMEOUT,
    TIMEOUT,
    Phone,
    Relay,
    answer,
    establish,
    offer,
)

VIDEO = ("m=video 4002 RTP/AVP 34",)
NO_VIDEO = ("m=video 0 RTP/AVP 34",)


def test_answered_call_has_media_both_ways(alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert bob.hears(alice)
    assert alice.hears(bob)
    assert bob.hears(alice, RTCP)
    assert alice.hears(bob, RTCP)


def test_each_side_has_an_even_port_and_the_next_odd_one(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert alice.told != bob.told
    assert alice.told[0] % 2 == bob.told[0] % 2 == 0
    ports = {alice.told[0], alice.told[0] + 1, bob.told[0], bob.told[0] + 1}
    assert relay.wire.bound == {(RELAY, port) for port in ports}


def test_every_flow_carries_the_tos(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert {flow.tos for flow in relay.wire.flows.values()} == {184}


def test_hang_up_frees_everything(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    reply = relay.ask(command="delete", call_id="call", from_tag="alice", to_tag="bob")
    assert reply["result"] == "ok"
    assert relay.is_idle
    assert len(relay.pool) == 100


def test_callee_hangs_up(relay: Relay, alice: Phone, bob: Phone) -> None:
    """A BYE of the callee has the tags the other way round."""
    establish(alice, bob)
    relay.ask(command="delete", call_id="call", from_tag="bob", to_tag="alice")
    assert relay.is_idle


def test_cancelled_before_any_answer(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    relay.ask(command="delete", call_id="call", from_tag="alice")
    assert relay.is_idle


def test_busy_callee_whose_tag_never_answered(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    relay.ask(command="delete", call_id="call", from_tag="alice", to_tag="bob")
    assert relay.is_idle


def test_two_calls_do_not_touch_each_other(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    other = relay.ask(command="offer", call_id="other", from_tag="carol", sdp=alice.body())
    assert other["result"] == "ok"
    relay.ask(command="delete", call_id="other", from_tag="carol")
    assert bob.hears(alice)


def test_early_media_reach_the_caller(alice: Phone, bob: Phone) -> None:
    """A callee may send as soon as it has the offer (RFC 3264 §5.1)."""
    offer(alice, bob)
    assert bob.send() == ((RELAY, bob.told[0] - 2), alice.address)


# NAT


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


@pytest.mark.parametrize("host", ["127.0.0.1", "224.0.0.5", "255.255.255.255", "2001:db8::1"])
def test_no_media_are_sent_where_no_phone_is(alice: Phone, bob: Phone, host: str) -> None:
    """A body must not make the relay send to services of its own machine, nor to everybody."""
    offer(alice, bob, alice.body(host=host))
    answer(alice, bob)
    assert bob.send() is None


def test_streams_are_where_the_signalling_came_from_if_the_proxy_says_so(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, flags=["SIP source address"], received_from=["IP4", "198.51.100.99"])
    answer(alice, bob)
    assert bob.send() == ((RELAY, alice.told[0]), ("198.51.100.99", 4000))


# Offers and answers


def test_the_same_answer_again_changes_nothing(relay: Relay, alice: Phone, bob: Phone) -> None:
    """183 and 200 carry the same body."""
    offer(alice, bob)
    first = answer(alice, bob)
    alice.send()
    bob.send()
    flows = dict(relay.wire.flows)
    assert answer(alice, bob) == first
    assert relay.wire.flows == flows


def test_the_same_offer_again_keeps_ports(relay: Relay, alice: Phone, bob: Phone) -> None:
    first = offer(alice, bob)
    assert offer(alice, bob) == first
    assert len(relay.wire.bound) == 4


def test_reinvite_keeps_ports(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    told = alice.told, bob.told
    alice.port = 4100
    offer(alice, bob, to_tag="bob")
    answer(alice, bob)
    assert (alice.told, bob.told) == told
    assert bob.hears(alice)
    assert alice.hears(bob)


def test_reinvite_of_the_callee_keeps_ports(alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    told = alice.told, bob.told
    bob.port = 5100
    offer(bob, alice, to_tag="alice")
    answer(bob, alice)
    assert (alice.told, bob.told) == told
    assert alice.hears(bob)
    assert bob.hears(alice)


def test_refused_reinvite_changes_nothing(relay: Relay, alice: Phone, bob: Phone) -> None:
    """RFC 3264 §8: until an offer is answered, the old session stands."""
    establish(alice, bob)
    alice.send()
    flows = dict(relay.wire.flows)
    offer(alice, bob, alice.body(sections=NO_VIDEO, host="198.51.100.11"), to_tag="bob")
    assert relay.wire.flows == flows


def test_glare_leaves_both_offers_answerable(alice: Phone, bob: Phone) -> None:
    """RFC 3261 §14.1: both re-INVITEs are refused, one is repeated later."""
    establish(alice, bob)
    offer(alice, bob, to_tag="bob")
    offer(bob, alice, to_tag="alice")
    answer(alice, bob)
    assert bob.hears(alice)


def test_late_offer(alice: Phone, bob: Phone) -> None:
    """RFC 3261 §13.2.1: the offer is in the 200, the answer in the ACK."""
    offer(bob, alice, to_tag="alice")
    answer(bob, alice)
    assert alice.hears(bob)
    assert bob.hears(alice)


def test_video_is_added_and_ended(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    audio = alice.told[0], bob.told[0]
    offer(alice, bob, alice.body(sections=VIDEO), to_tag="bob")
    answer(alice, bob, bob.body(sections=("m=video 5002 RTP/AVP 34",)))
    assert (alice.told[0], bob.told[0]) == audio
    assert len(relay.wire.bound) == 8
    wire = relay.wire
    assert wire.arrive((RELAY, alice.told[1]), (alice.host, 4002), RTP) == (
        (RELAY, bob.told[1]),
        (bob.host, 5002),
    )

    offer(alice, bob, alice.body(sections=NO_VIDEO), to_tag="bob")
    assert len(wire.bound) == 8  # it may still be refused
    answer(alice, bob, bob.body(sections=NO_VIDEO))
    assert len(wire.bound) == 4
    assert bob.hears(alice)


def test_rejected_video_stays_rejected_in_the_body(alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body(sections=VIDEO))
    answer(alice, bob, bob.body(sections=NO_VIDEO))
    assert alice.told[1] == 0
    assert bob.hears(alice)


def test_voice_becomes_fax(alice: Phone, bob: Phone) -> None:
    """T.38 in the same section keeps the port; its packets are no RTP and teach an address all the same."""
    bob.host, bob.nat = "192.168.1.20", ("192.0.2.99", 1024)
    establish(alice, bob)
    told = alice.told, bob.told
    offer(bob, alice, fax(bob), to_tag="alice")
    answer(bob, alice, fax(alice))
    assert (alice.told, bob.told) == told
    assert bob.send(b"\x00\x01\x02") == ((RELAY, alice.told[0]), alice.address)
    assert bob.hears(alice)


def test_answer_may_not_come_before_an_offer(relay: Relay, alice: Phone, bob: Phone) -> None:
    reply = relay.ask(command="answer", call_id="call", from_tag="alice", to_tag="bob", sdp=bob.body())
    assert reply == {"result": "error", "error-reason": "Unknown call-id"}
    establish(alice, bob)
    reply = relay.ask(command="answer", call_id="call", from_tag="bob", to_tag="alice", sdp=alice.body())
    assert reply == {"result": "error", "error-reason": "No offer to answer"}


def test_spiral_leaves_the_body_alone(relay: Relay, alice: Phone, bob: Phone) -> None:
    """A request that passes the proxy twice (RFC 3261 §16.3) must not lead the relay to itself."""
    once = str(offer(alice, bob)["sdp"])
    twice = offer(alice, bob, once)
    assert twice["sdp"] == once
    back = str(answer(alice, bob)["sdp"])
    assert answer(alice, bob, back)["sdp"] == back
    assert bob.hears(alice)
    assert len(relay.wire.bound) == 4


# Forks


def test_the_fork_that_answers_last_is_in_force(alice: Phone, bob: Phone, carol: Phone) -> None:
    """Both ring with early media, carol picks up."""
    offer(alice, bob)
    carol.told = bob.told
    answer(alice, bob)
    told = alice.told
    answer(alice, carol)
    assert alice.told == told
    assert carol.hears(alice)
    assert alice.hears(carol)


def test_late_packets_of_the_other_fork_do_not_win(alice: Phone, bob: Phone, carol: Phone) -> None:
    carol.host, carol.nat = "192.168.1.30", ("192.0.2.130", 2000)
    offer(alice, bob)
    carol.told = bob.told
    answer(alice, bob)
    alice.send()
    bob.send()
    answer(alice, carol, received_from=["IP4", "192.0.2.130"])
    bob.send()
    assert alice.hears(carol)
    assert carol.hears(alice)
    assert bob.send() is None


def test_gateway_that_changes_its_tag_keeps_what_was_learned(alice: Phone, bob: Phone) -> None:
    """183 and 200 of one gateway with two tags."""
    bob.host, bob.nat = "192.168.1.20", ("192.0.2.99", 1024)
    offer(alice, bob)
    answer(alice, bob)
    bob.send()
    bob.tag = "bob2"
    answer(alice, bob)
    assert bob.hears(alice)


def test_fork_that_fails_leaves_the_others(relay: Relay, alice: Phone, bob: Phone, carol: Phone) -> None:
    offer(alice, bob)
    carol.told = bob.told
    answer(alice, bob)
    answer(alice, carol)
    relay.ask(command="delete", call_id="call", from_tag="alice", to_tag="bob")
    assert carol.hears(alice)
    relay.ask(command="delete", call_id="call", from_tag="alice", to_tag="carol")
    assert relay.is_idle


def test_end_without_callee_tag_ends_all_forks(relay: Relay, alice: Phone, bob: Phone, carol: Phone) -> None:
    offer(alice, bob)
    answer(alice, bob)
    answer(alice, carol)
    relay.ask(command="delete", call_id="call", from_tag="alice")
    assert relay.is_idle


def test_branches_with_offers_of_their_own(relay: Relay, alice: Phone, bob: Phone, carol: Phone) -> None:
    """A proxy that asks once a branch names it: each gets ports of its own."""
    offer(alice, bob, via_branch="b1")
    offer(alice, carol, via_branch="b2")
    assert bob.told != carol.told
    answer(alice, carol, via_branch="b2")
    assert carol.hears(alice)
    relay.ask(command="delete", call_id="call", from_tag="alice", via_branch="b1")
    assert len(relay.wire.bound) == 4
    assert carol.hears(alice)
    offer(carol, alice, to_tag="alice")
    answer(carol, alice)
    assert len(relay.wire.bound) == 4


def test_tags_of_a_dialogue_are_bounded(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    for number in range(100):
        bob.tag = f"bob{number}"
        reply = relay.ask(command="answer", call_id="call", from_tag="alice", to_tag=bob.tag, sdp=bob.body())
    assert reply == {"result": "error", "error-reason": "Too many tags in one dialogue"}


# Hold


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


# Time


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


# Ports


def test_exhaustion_is_an_error_that_leaks_nothing(alice: Phone, bob: Phone) -> None:
    relay = Relay(pairs=3)
    reply = relay.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body(sections=VIDEO))
    assert reply == {"result": "error", "error-reason": "Ran out of ports"}
    assert relay.is_idle
    assert len(relay.pool) == 3


def test_exhaustion_in_a_call_leaves_the_call(alice: Phone, bob: Phone) -> None:
    alice.relay = bob.relay = relay = Relay(pairs=3)
    establish(alice, bob)
    reply = relay.ask(
        command="offer", call_id="call", from_tag="alice", to_tag="bob", sdp=alice.body(sections=VIDEO)
    )
    assert reply["result"] == "error"
    assert bob.hears(alice)
    assert alice.hears(bob)
    assert len(relay.pool) == 1


def test_body_that_cannot_be_rewritten_opens_nothing(relay: Relay, alice: Phone) -> None:
    reply = relay.ask(
        command="offer",
        call_id="1",
        from_tag="a",
        sdp=alice.body().replace("o=- 1 1 ", "o=-"),
        replace=["origin"],
    )
    assert reply["result"] == "error"
    assert relay.is_idle


def test_six_hundred_calls_reuse_the_ports_of_fifty(alice: Phone, bob: Phone) -> None:
    alice.relay = bob.relay = relay = Relay(pairs=100)
    for _ in range(12):
        for number in range(50):
            reply = relay.ask(command="offer", call_id=f"{number}", from_tag="a", sdp=alice.body())
            assert reply["result"] == "ok"
        assert relay.ask(command="offer", call_id="51", from_tag="a", sdp=alice.body())["result"] == "error"
        for number in range(50):
            relay.ask(command="delete", call_id=f"{number}")
    assert relay.is_idle


def fax(phone: Phone) -> str:
    body = phone.body().replace("m=audio", "m=image").replace("RTP/AVP 8", "udptl t38")
    assert Description.parse(body.encode()).media[0].kind == "image"
    return body
