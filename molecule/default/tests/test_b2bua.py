"""Calls pass the back-to-back user agent between two visits of the proxy, on a real node."""

import json
import time
from contextlib import closing
from typing import Final

from testinfra.host import Host

from lab import sipp
from lab.call import call
from lab.machines import Machine
from lab.rtp import RtpEndpoint
from lab.sipp import Phone

#: Seconds within which a call must fail where nobody listens at the user agent's port: no time-out of ours.
AT_ONCE: Final = 2.0


def calls(host: Host) -> list[dict[str, object]]:
    """Return what the user agent has of calls."""
    found: list[dict[str, object]] = json.loads(host.check_output("ngcp-sems-ctl calls --json"))
    return found


def test_a_call_has_two_legs_and_is_seen_by_operators(
    host: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """The callee has another Call-ID than the caller."""
    caller, callee = phones
    with (
        closing(RtpEndpoint(callee.address, callee.rtp_port)),
        sipp.playing("answer", callee, machine.address) as answering,
        sipp.playing("call", caller, machine.address, service=callee.user) as calling,
    ):
        media = calling.media()
        heard = answering.media()
        [seen] = calls(host)
        assert seen["application"] == "sbc"
        assert heard.call_id == f"{media.call_id}_b2b-1"
        calling.hang_up(media.call_id)
        calling.finish()
        answering.finish()
    assert calls(host) == []


def test_without_it_a_call_fails_at_once_and_with_it_again_the_next_one_works(
    host: Host, machine: Machine, phones: tuple[Phone, Phone]
) -> None:
    """503, not 32 seconds of silence."""
    caller, callee = phones
    host.check_output("systemctl stop ngcp-sems")
    began = time.monotonic()
    sipp.play("call_unavailable", caller, machine.address, service=callee.user)
    took = time.monotonic() - began
    host.check_output("systemctl start ngcp-sems")

    assert took < AT_ONCE
    call(machine, caller, callee, packets=25).check()
