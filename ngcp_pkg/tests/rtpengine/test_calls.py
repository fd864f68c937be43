"""Calls through the relay, as a user would tell them, on a virtual clock."""

from ngcp.sdp import Description
from rtpengine.harness import NO_VIDEO, RELAY, RTCP, RTP, VIDEO, Phone, Relay, answer, establish, offer


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
