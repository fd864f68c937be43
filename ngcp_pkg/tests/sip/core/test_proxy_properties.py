"""Whatever the network does, everything ends (RFC 3261 §16, §17)."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.core.proxy_node import ProxyNode
from sip.messages import ALICE, BOB, CAROL, HERE
from sip.phone import Phone
from sip.wire import Wire

#: What may happen to one message: lost, in time, late, out of order, doubled.
FATES = st.lists(
    st.sampled_from([(0.01,), (0.01,), (0.01,), (), (0.3,), (2.0,), (0.01, 0.02), (0.01, 5.0)]), max_size=80
)
#: Where an INVITE arrives and no answer to it ever does, it must not be cancelled (§9.1): the phone rings
#: until it has enough.
GIVES_UP = (200.0, 480)
ANSWERS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.3, 1.0, 20.0]), st.sampled_from([180, 183, 200, 404, 486, 603])),
    max_size=3,
).map(lambda answers: (*sorted(answers), GIVES_UP))
CANCEL_AT = st.sampled_from([None, 0.0, 0.005, 0.1, 1.0, 1.01, 30.0, 70.0])


class Scene:
    """Alice calls a team of two over a bad network."""

    def __init__(self, fates: Sequence[Sequence[float]]) -> None:
        self.alice = Phone("alice", ALICE, HERE)
        self.phones = (Phone("bob", BOB, HERE), Phone("carol", CAROL, HERE))
        self.proxy = ProxyNode(HERE, {"team": [(BOB, 1.0), (CAROL, 1.0)]})
        self.proxy.timer_c = 60.0
        self.wire = Wire(self.alice, self.proxy, *self.phones)
        self.wire.fate = lambda number, data: fates[number] if number < len(fates) else (0.01,)

    def assert_at_rest(self) -> None:
        """No transaction, no alarm, no call that only one side believes in."""
        assert [node.transactions for node in (self.alice, *self.phones)] == [0, 0, 0]
        assert self.proxy.engine.transactions == 0
        assert self.proxy.next_timer() is None


@given(fates=FATES, bob=ANSWERS, carol=ANSWERS, cancel_at=CANCEL_AT)
@settings(max_examples=300, deadline=None)
def test_every_call_comes_to_an_end(
    fates: list[tuple[float, ...]],
    bob: Sequence[tuple[float, int]],
    carol: Sequence[tuple[float, int]],
    cancel_at: float | None,
) -> None:
    scene = Scene(fates)
    scene.phones[0].answers, scene.phones[1].answers = bob, carol
    scene.alice.call("sip:team@example.org")
    if cancel_at is not None:
        scene.wire.run(cancel_at)
        scene.alice.cancel(cancel_at)
    scene.wire.run(2000)

    scene.assert_at_rest()
    assert any(status == 0 or status >= 200 for status in scene.alice.heard)


@given(fates=FATES)
@settings(max_examples=100, deadline=None)
def test_every_message_comes_to_an_end(fates: list[tuple[float, ...]]) -> None:
    scene = Scene(fates)
    scene.alice.send("MESSAGE", "sip:team@example.org")
    scene.wire.run(2000)

    scene.assert_at_rest()
    assert scene.alice.heard in ([200], [0])


@given(losses=st.sets(st.integers(0, 60), max_size=4))
@settings(max_examples=200, deadline=None)
def test_an_answered_call_survives_four_losses(losses: set[int]) -> None:
    """Each step is repeated often enough: the call stands, whatever four messages were lost."""
    scene = Scene([() if number in losses else (0.01,) for number in range(61)])
    scene.phones[0].answers, scene.phones[1].answers = ((0.1, 180), (1.0, 200)), ((0.1, 486),)
    scene.alice.call("sip:team@example.org")
    scene.wire.run(2000)

    assert 200 in scene.alice.heard
    assert scene.phones[0].confirmed == 1
    scene.assert_at_rest()
