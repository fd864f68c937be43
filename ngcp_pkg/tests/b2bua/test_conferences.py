"""Rooms: who hears whom, PINs, limits, and what is left when all have gone."""

import pytest

from b2bua.house import House, Telephone, beep
from ngcp.voice.stream import frames_of

PROMPTS = {
    "conference_first": 300.0,
    "conference_greeting": 400.0,
    "conference_joined": 500.0,
    "conference_leave": 600.0,
    "conference_max_participants": 700.0,
    "conference_pin": 800.0,
    "conference_pin_wrong": 900.0,
    "conference_waiting_music": 1000.0,
    "goodbye": 1100.0,
}
#: Tones that participants say.
VOICES = (1500.0, 2000.0, 2500.0)


@pytest.fixture
def house() -> House:
    return House({name: beep(frequency) for name, frequency in PROMPTS.items()})


def join(house: House, *parameters: str) -> Telephone:
    phone = Telephone(house, "conference", "room=1", *parameters)
    phone.call()
    return phone


def speak(house: House, phones: list[Telephone], seconds: float = 1.0) -> None:
    """Let each say its tone."""
    tones = [list(beep(frequency, 200)) for frequency in VOICES]

    def say() -> None:
        for phone, frames in zip(phones, tones, strict=False):
            phone.say(frames.pop(0))

    house.wait(seconds, say)


def test_each_hears_all_others(house: House) -> None:
    phones = [join(house) for _ in range(3)]
    house.wait(2.0)
    for phone in phones:
        phone.heard.clear()
    speak(house, phones)
    assert [phone.tones() for phone in phones] == [{2000, 2500}, {1500, 2500}, {1500, 2000}]


def test_rooms_are_apart(house: House) -> None:
    alice, bob = join(house), Telephone(house, "conference", "room=2")
    bob.call()
    house.wait(2.0)
    bob.heard.clear()
    speak(house, [alice])
    assert bob.tones() == {1000}, "he waits alone"


def test_first_one_waits_with_music(house: House) -> None:
    alice = join(house)
    house.wait(0.5)
    assert alice.tones() == {400}
    house.wait(0.5)
    assert alice.tones() == {300}
    house.wait(1.0)
    assert alice.tones() == {1000}
    join(house)
    house.wait(0.5)
    assert alice.tones() == {500}
    house.wait(1.0)
    assert alice.tones() == set()


def test_who_stays_hears_of_who_leaves(house: House) -> None:
    alice, bob = join(house), join(house)
    house.wait(2.0)
    alice.heard.clear()
    assert bob.ask("BYE").status == 200
    house.wait(0.5)
    assert alice.tones() == {600}
    house.wait(1.0)
    assert alice.tones() == {1000}


def test_last_one_takes_the_room_with_him(house: House) -> None:
    phones = [join(house) for _ in range(3)]
    for phone in phones:
        phone.ask("BYE")
    assert not house.studio.is_mixing
    house.wait(40.0)
    assert house.is_idle


def test_pin(house: House) -> None:
    alice = join(house, "roompin=1234")
    house.wait(0.5)
    assert alice.tones() == {800}
    assert not house.studio.is_mixing
    alice.press("1234#")
    assert house.studio.is_mixing
    alice.press("1#")
    assert not alice.was_hung_up


def test_wrong_pin_three_times(house: House) -> None:
    alice = join(house, "roompin=1234")
    alice.press("1#")
    house.wait(1.0)
    assert alice.tones() >= {900, 800}
    alice.press("12345#")
    house.wait(1.2)
    alice.tones()
    alice.press("#")
    house.wait(1.0)
    assert alice.tones() >= {900, 1100}
    assert alice.was_hung_up
    assert not house.studio.is_mixing


def test_full_room(house: House) -> None:
    join(house, "max_participants=2")
    join(house, "max_participants=2")
    carol = join(house, "max_participants=2")
    house.wait(0.5)
    assert carol.tones() == {700}
    assert carol.was_hung_up


def test_full_room_without_prompts() -> None:
    house = House()
    join(house, "max_participants=1")
    bob = join(house, "max_participants=1")
    assert bob.was_hung_up


def test_hold_and_return(house: House) -> None:
    alice, bob = join(house), join(house)
    house.wait(2.0)
    answer = alice.ask("INVITE", alice.body(direction="sendonly"))
    alice.acknowledge_last()
    assert b"a=recvonly" in answer.body
    alice.heard.clear()
    speak(house, [alice, bob])
    assert alice.tones() == set(), "she does not want to hear"
    assert 1500 in bob.tones()
    answer = alice.ask("INVITE", alice.body())
    alice.acknowledge_last()
    assert b"a=sendrecv" in answer.body
    speak(house, [alice, bob])
    assert alice.tones() == {2000}


def test_late_offer(house: House) -> None:
    alice = Telephone(house, "conference", "room=1")
    response = alice.invite(body=b"")
    assert b"m=audio" in response.body and b"telephone-event" in response.body
    alice.acknowledge(alice.body(f"m=audio {alice.address[1]} RTP/AVP 8"))
    house.wait(0.5)
    assert alice.tones() == {400}


def test_stranger_is_not_heard(house: House) -> None:
    alice, bob = join(house), join(house)
    house.wait(2.0)
    bob.heard.clear()
    frames = list(beep(1500.0, 60))
    house.wait(1.0, lambda: alice.say(frames.pop(0), source="203.0.113.66"))
    assert bob.tones() == set()


def test_longest_call(house: House) -> None:
    alice = join(house, "calltimer=3")
    house.wait(2.9)
    assert not alice.was_hung_up
    house.wait(0.2)
    assert alice.was_hung_up
    assert not house.studio.is_mixing


def test_late_packets_do_not_pile_up(house: House) -> None:
    alice, bob = join(house), join(house)
    house.wait(2.0)
    for frame in beep(1500.0, 100):
        alice.say(frame)
    bob.heard.clear()
    house.wait(1.0)
    assert 1500 in bob.tones()
    assert len([frame for frame in frames_of(b"".join(bob.heard)) if any(frame)]) == 0
