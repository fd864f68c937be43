"""Why a call fails is said before it does: a caller hears what was uploaded, and then the final code."""

import io
import wave
from contextlib import closing
from typing import Final

import numpy as np
import pytest

from lab import sipp
from lab.call import register
from lab.machines import Machine
from lab.rest import RestClient
from lab.rtp import RtpEndpoint
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import RESELLER, provision

RATE: Final = 8000
#: Two tones, and the handles of the sounds that are made of them.
TONES: Final = {"callee_offline": 700, "callee_busy": 1100}
SECONDS: Final = 2.0
#: Scenario of the caller, what becomes of the callee, and the sound.
CASES: Final = (("call_offline", "", "callee_offline"), ("call_busy", "busy", "callee_busy"))


def tone(frequency: int) -> bytes:
    """Return a WAV file."""
    samples = 8000 * np.sin(2 * np.pi * frequency * np.arange(int(SECONDS * RATE)) / RATE)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def pitch(alaw: bytes) -> float:
    """Return the frequency that is loudest (ITU-T G.711, A-law)."""
    codes = np.frombuffer(alaw, np.uint8).astype(int) ^ 0x55
    exponent, mantissa = codes >> 4 & 7, codes & 15
    sizes = np.where(exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0))
    samples = np.where(codes & 0x80, sizes, -sizes)
    return float(np.argmax(np.abs(np.fft.rfft(samples))[1:]) + 1) * RATE / len(samples)


@pytest.fixture
def pair(machine: Machine, rest: RestClient) -> list[Phone]:
    """Provision a caller who hears sounds of a set of his own, and a callee."""
    caller, callee = provision(rest, PHONES[2:4])
    register(caller, machine.address)
    name = f"set of {caller.user}"
    sounds = rest.create("soundsets", {"name": name, "reseller_id": RESELLER})
    for handle, frequency in TONES.items():
        path = f"/api/soundfiles/?set_id={sounds}&handle={handle}&filename={handle}.wav"
        assert rest.request("POST", path, tone(frequency), "audio/x-wav").status == 201
    [found] = rest.find("subscribers", f"username={caller.user}")
    wishes = {"sound_set": name, "announce_error_codes_enable": True, "announce_error_codes_list": ["486"]}
    path = f"/api/subscriberpreferences/{found['id']}"
    answer = rest.request("PUT", path, wishes)
    assert answer.status in (200, 204), answer
    return [caller, callee]


@pytest.mark.parametrize(("calling", "called", "handle"), CASES, ids=["offline", "busy"])
def test_caller_hears_why_and_is_told_the_code(
    machine: Machine, pair: list[Phone], calling: str, called: str, handle: str
) -> None:
    """Early media: 183, the sound, and then the failure as it would have been without."""
    caller, callee = pair
    if called:
        register(callee, machine.address)
    with closing(RtpEndpoint(caller.address, caller.rtp_port)) as ear:
        if called:
            with sipp.playing(called, callee, machine.address) as busy:
                sipp.play(calling, caller, machine.address, service=callee.user)
                busy.finish()
        else:
            sipp.play(calling, caller, machine.address, service=callee.user)
        ear.receive()

    assert len(ear.heard) >= 0.9 * SECONDS * RATE
    assert pitch(bytes(ear.heard)) == pytest.approx(TONES[handle], abs=5)
    assert ear.tos == {184}
