"""The fuzz targets over the corpus and some damage to it: quick, and the same in every run."""

import random
from pathlib import Path

import pytest

from flows.mutation import mutate
from fuzz.targets import IMPLEMENTATION, LONGEST_CONVERSATION, SEPARATOR, TARGETS, record_conversation
from ngcp.sip.syntax.head import Head


class Forgetful(Head):
    """Header lines that lose the body."""

    def scan(self, data: bytes) -> str:
        start = super().scan(data)
        self.cut_body(0)
        return start


CORPUS = sorted((Path(__file__).parents[1] / "corpus").rglob("*.s[id]p"))
MUTATIONS = 300


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_unexpected_comes_out_of_a_target(target: str) -> None:
    """Every message that ever was a finding is in the corpus, so none comes back."""
    for path in CORPUS:
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_damage_is_expected(target: str) -> None:
    luck = random.Random(f"fuzz {target}")
    for _ in range(MUTATIONS):
        TARGETS[target](mutate(luck.choice(CORPUS).read_bytes(), luck))


def test_a_recorded_call_is_understood_and_damage_to_it_too() -> None:
    """What `conversation` starts from is a whole call, and the same each time."""
    call = record_conversation()
    assert call == record_conversation()
    assert call.count(SEPARATOR) > LONGEST_CONVERSATION // 4
    luck = random.Random("conversation")
    for _ in range(MUTATIONS):
        TARGETS["conversation"](mutate(call, luck))


def test_another_implementation_is_held_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """`head` compares: one that forgets the body does not pass."""
    monkeypatch.setenv(IMPLEMENTATION, f"{__name__}:Forgetful")
    with pytest.raises(AssertionError):
        TARGETS["head"](b"BYE sip:b@h SIP/2.0\r\nVia: x\r\n\r\nbody")
