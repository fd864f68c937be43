"""Which counts of a nonce are used up, in bounded memory (RFC 7616 §3.4)."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.sip.core import nonces
from ngcp.sip.core.nonces import Nonces

LIFETIME = 300.0


def make_nonces() -> Nonces:
    ids = count()
    return Nonces(b"s", lambda: str(next(ids)), lifetime=LIFETIME, now=0.0)


def test_what_was_used_stays_used_over_generations() -> None:
    made = make_nonces()
    nonce = made.make("r", 200.0)
    assert made.use(nonce, "r", ("1", "a"), 299.0)
    for second in range(300, 500, 10):
        other = made.make("r", float(second))
        assert made.use(other, "r", ("1", "b"), float(second))
        assert not made.use(nonce, "r", ("1", "b"), float(second))
    assert made.use(nonce, "r", ("2", "b"), 500.0)


def test_memory_is_bounded_and_what_it_lost_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "SIZE", 10)
    made = make_nonces()
    old = made.make("r", 1.0)
    assert made.use(old, "r", ("1", "a"), 1.0)
    for number in range(40):
        now = 2.0 + number
        assert made.use(made.make("r", now), "r", ("1", "b"), now)
    assert not made.use(old, "r", ("1", "b"), 43.0)
    assert not made.use(old, "r", ("2", "b"), 43.0)
    assert len(made) <= 20


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 40), st.integers(0, 2)), max_size=80
    )
)
def test_no_count_is_good_for_two_transactions(steps: list[tuple[int, int, int, int]]) -> None:
    """Whatever is asked in whatever order: what one transaction used, no other one uses."""
    made, now = make_nonces(), 0.0
    known: list[str] = []
    users: dict[tuple[str, int], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nonces, "SIZE", 5)
        for which, number, wait, user in steps:
            now += wait
            known.append(made.make("r", now))
            nonce = known[-1 - which % len(known)]
            if made.use(nonce, "r", (str(number), str(user)), now):
                assert users.setdefault((nonce, number), user) == user
