"""One offer that several phones answer, and branches with offers of their own (RFC 3261 §16.7)."""

from rtpengine.harness import Phone, Relay, answer, offer


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


def test_branch_of_a_bye_is_no_branch_of_an_offer(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, via_branch="b1")
    answer(alice, bob, via_branch="b1")
    relay.ask(command="delete", call_id="call", from_tag="alice", to_tag="bob", via_branch="bye")
    assert relay.is_idle


def test_tags_of_a_dialogue_are_bounded(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob)
    for number in range(100):
        bob.tag = f"bob{number}"
        reply = relay.ask(command="answer", call_id="call", from_tag="alice", to_tag=bob.tag, sdp=bob.body())
    assert reply == {"result": "error", "error-reason": "Too many tags in one dialogue"}
