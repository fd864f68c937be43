"""The caller hears why a call fails, and then it does."""

import pytest

from b2bua.house import House, Telephone, beep
from ngcp.sip.syntax import Response

BUSY = ("audio_id=callee_busy", "sound_set_id=7", "language=de", "fr_code=486", 'fr_reason="Busy"')


@pytest.fixture
def house() -> House:
    return House({"callee_busy": beep(700)})


def statuses(house: House) -> list[int]:
    return [message.status for message in house.sent if isinstance(message, Response)]


def test_announcement_then_failure(house: House) -> None:
    alice = Telephone(house, "early_announce", *BUSY)
    assert alice.invite().status == 183
    house.wait(1.0)
    last = house.last()
    assert isinstance(last, Response)
    assert (last.status, last.reason) == (486, "Busy")
    assert statuses(house)[:2] == [183, 486]
    assert alice.tones() == {700}
    assert [packet.sequence for packet in alice.packets][:2] == [
        alice.packets[0].sequence,
        alice.packets[0].sequence + 1 & 0xFFFF,
    ]
    assert alice.packets[0].is_marked
    assert not alice.packets[1].is_marked
    assert house.wanted == [("callee_busy", 7, "de")]
    alice.acknowledge()
    house.wait(40.0)
    assert house.is_idle


def test_no_sound_means_failure_at_once(house: House) -> None:
    alice = Telephone(house, "early_announce", "audio_id=callee_dnd", "fr_code=480")
    assert alice.invite().status == 480
    alice.acknowledge()
    house.wait(40.0)
    assert house.is_idle


def test_announcement_without_a_code_means_unavailable(house: House) -> None:
    assert Telephone(house, "early_announce", "audio_id=nothing", "fr_code=abc").invite().status == 480


def test_looped_announcement_lasts_as_long_as_the_caller_listens(house: House) -> None:
    alice = Telephone(house, "early_announce", *BUSY, "play_looped=yes")
    alice.invite()
    house.wait(5.0)
    assert statuses(house) == [183]
    alice.cancel()
    assert statuses(house)[1:] == [200, 487]
    alice.acknowledge()
    house.wait(40.0)
    assert house.is_idle


def test_caller_without_a_codec_of_ours(house: House) -> None:
    alice = Telephone(house, "early_announce", *BUSY)
    body = alice.body("m=audio 30000 RTP/AVP 18", "m=video 30002 RTP/AVP 34")
    assert alice.invite(body=body).status == 488
    assert house.is_idle


def test_broken_session(house: House) -> None:
    alice = Telephone(house, "early_announce", *BUSY)
    assert alice.invite(body=b"v=1\r\n").status == 488


def test_no_port_is_free(house: House) -> None:
    house.has_ports = False
    response = Telephone(house, "early_announce", *BUSY).invite()
    assert (response.status, response.reason) == (503, "Out Of Media Ports")
    assert house.is_idle
