"""How calls end, when nobody hangs up or somebody hangs up early."""

from ngcp.rtpengine.calls import Policy
from ngcp.rtpengine.totals import Cause
from rtpengine.harness import Phone, Relay, answer, establish, offer


def keep_talking(relay: Relay, alice: Phone, bob: Phone, seconds: int) -> list[str]:
    """Let both send every ten seconds; return the calls that end."""
    ended = []
    for _ in range(seconds // 10):
        if relay.wire.flows:
            alice.send()
            bob.send()
        ended += relay.wait(10)
    return ended


def test_longest_call(alice: Phone, bob: Phone) -> None:
    alice.relay = bob.relay = relay = Relay(policy=Policy(60.0, 3600.0, final_timeout=300.0))
    establish(alice, bob)
    assert keep_talking(relay, alice, bob, 290) == []
    assert keep_talking(relay, alice, bob, 20) == ["call"]
    assert relay.is_idle
    assert relay.totals.ended == {Cause.TOO_LONG: 1}
    assert relay.totals.seconds == 300.0


def test_causes_are_told_apart(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    assert relay.wait(60) == ["call"]
    offer(alice, bob)
    assert relay.wait(3600) == ["call"]
    establish(alice, bob)
    offer(alice, bob, alice.body("inactive"), to_tag="bob")
    answer(alice, bob, bob.body("inactive"))
    assert relay.wait(3600) == ["call"]
    establish(alice, bob)
    relay.ask(command="delete", call_id="call")
    assert relay.totals.ended == dict.fromkeys(
        [Cause.NO_MEDIA, Cause.NO_ANSWER, Cause.SILENT, Cause.DELETED], 1
    )
    assert relay.totals.calls == 4


def test_media_go_on_for_a_while_after_the_end(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    reply = relay.ask(command="delete", call_id="call", from_tag="alice", delete_delay=5)
    assert "totals" in reply
    assert bob.hears(alice)
    assert relay.wait(4) == []
    assert bob.hears(alice)
    assert relay.wait(1) == ["call"]
    assert relay.is_idle


def test_delay_of_the_configuration_yields_to_the_commands(alice: Phone, bob: Phone) -> None:
    alice.relay = bob.relay = relay = Relay(policy=Policy(60.0, 3600.0, delete_delay=30.0))
    establish(alice, bob)
    relay.ask(command="delete", call_id="call")
    assert relay.wait(29) == []
    assert relay.wait(1) == ["call"]
    establish(alice, bob)
    relay.ask(command="delete", call_id="call", delete_delay=0)
    assert relay.is_idle


def test_call_that_comes_back_within_the_delay_stays(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    relay.ask(command="delete", call_id="call", delete_delay=5)
    establish(alice, bob)
    assert relay.wait(30) == []
    assert bob.hears(alice)


def test_totals_keep_what_was_relayed(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    for _ in range(3):
        alice.send()
        bob.send()
    relay.ask(command="delete", call_id="call")
    establish(alice, bob)
    alice.send()
    relay.ask(command="delete", call_id="call")
    establish(alice, bob)
    relay.ask(command="delete", call_id="call")
    totals = relay.totals
    assert (totals.packets, totals.errors) == (7, 0)
    assert (totals.one_way, totals.no_way) == (1, 1)


def test_refused_offers_are_counted(alice: Phone) -> None:
    relay = Relay(pairs=1)
    relay.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body())
    assert relay.totals.refused == 1
    assert relay.totals.calls == 0
