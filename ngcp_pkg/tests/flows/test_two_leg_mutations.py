"""Thousands of damaged messages at the back-to-back user agent, from both sides, in the midst of calls."""

import logging
import random

import pytest

from flows.backtoback import B2BUA, CALLEE, CALLER, BackToBack
from flows.mutation import mutate
from ngcp.sip.transport.flow import Flow

MESSAGES = 4000
FLOWS = (Flow("udp", B2BUA, CALLER), Flow("udp", B2BUA, CALLEE))
PARAMETERS = (
    "",
    ";sst_enable=yes;aleg_sst_enable=yes;refer=execute",
    ";disable_prack_method=yes;peer_auth_user=u;peer_auth_pass=p",
)


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_damage_is_answered_or_dropped_and_calls_go_on(
    parameters: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No exception but those that are an answer, nothing kept, and in the end nothing is left."""
    caplog.set_level(logging.DEBUG)
    luck = random.Random(7092)
    here = BackToBack()
    call, answered = here.connected(parameters)
    for method in ("INVITE", "UPDATE", "INFO", "REFER"):
        call.request(method, b"v=0\r\n")
        answered.request(method)
        here.run(1)
    call.hang_up()
    here.run(1)
    originals = [packet.data for packet in here.wire.packets]

    for number in range(MESSAGES):
        caplog.clear()
        here.b2bua.receive(mutate(luck.choice(originals), luck), luck.choice(FLOWS), here.wire.now)
        assert len(caplog.records) <= 1
        if number % 50 == 0:
            here.call(parameters)
            here.run(1)

    here.wire.detach(here.alice)
    here.wire.detach(here.bob)
    here.run(22_500)  # who refreshes nothing stays as long as a call may last
    assert here.is_empty


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_each_answer_of_a_call_damaged(parameters: str) -> None:
    """Whatever the callee answers, the caller hears something, and nothing is left."""
    for seed in range(150):
        luck = random.Random(seed)
        here = BackToBack()
        receive = here.b2bua.receive

        def damaged(data: bytes, flow: Flow, now: float) -> None:
            hits = flow.remote == CALLEE and luck.random() < 0.3  # noqa: B023 - called within this round
            receive(mutate(data, luck) if hits else data, flow, now)  # noqa: B023

        here.wire.attach_to(damaged, here.b2bua, "udp", B2BUA)
        call = here.call(parameters)
        here.run(120)
        if call.status < 300:
            call.hang_up()
        here.run(22_500)
        assert call.status >= 200, seed
        assert here.is_empty, seed
