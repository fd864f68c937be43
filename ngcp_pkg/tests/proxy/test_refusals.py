"""In which words a call is refused."""

from dataclasses import replace

import pytest

from ngcp.provisioning.runtime import Peer, Preferences
from ngcp.proxy.call import Caller
from ngcp.proxy.refusals import REFUSALS, refuse
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage

PEER = Peer(1, "carrier", "192.0.2.100", 5060)


def peer(**preferences: str) -> Caller:
    layer = {name: (value,) for name, value in preferences.items()}
    return Caller("carrier.example", peer=PEER, preferences=Preferences((layer,)))


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_peer_hears_the_words_it_asked_for(kind: str) -> None:
    stage = Stage()
    told = peer(**{f"{kind}_code": "488", f"{kind}_reason": "Not Here"})
    assert refuse(stage.call(told), kind) == Reply(488, "Not Here")
    assert refuse(stage.call(peer()), kind) == refuse(stage.call(), kind) == Reply(*REFUSALS[kind])


@pytest.mark.parametrize(
    ("preferences", "reply"),
    [
        ({"block_in_code": "200"}, Reply(403, "Blocked by Callee")),
        ({"block_in_code": "603"}, Reply(603, "Blocked by Callee")),
        ({"block_in_reason": "No"}, Reply(403, "No")),
    ],
    ids=["no failure", "code only", "reason only"],
)
def test_half_of_the_words(preferences: dict[str, str], reply: Reply) -> None:
    assert refuse(Stage().call(peer(**preferences)), "block_in") == reply


def test_subscribers_hear_the_platforms_words() -> None:
    stage = Stage()
    subscriber = stage.good()
    wishes = Preferences(({"callee_busy_code": ("600",)},))
    assert refuse(stage.call(replace(subscriber, preferences=wishes)), "callee_busy") == Reply(486, "Busy")
