"""What calls leave behind: nothing, without help of the garbage collector."""

import gc
from collections import Counter

import pytest

from flows.backtoback import BackToBack
from ngcp.b2bua.bridge import Bridge
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.refreshing import Refreshing
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.core.uas import Incoming

KINDS = (Bridge, Leg, Incoming, Outgoing, Refreshing)


@pytest.mark.parametrize("parameters", ["", ";sst_enable=yes;aleg_sst_enable=yes"])
def test_calls_that_are_over_are_gone(parameters: str) -> None:
    here = BackToBack()
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            call, answered = here.connected(parameters)
            call.request("INVITE", b"v=0\r\n")
            here.run(1)
            answered.hang_up()
            here.run(60)
        here.bob.script = ((0.0, 180),)
        cancelled = here.call(parameters)
        here.run(1)
        cancelled.cancel()
        here.run(60)
        here.run(22_000)  # timers of calls that are over wait for nobody
        left = Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, KINDS))
    finally:
        gc.enable()

    assert here.is_empty
    assert not left
