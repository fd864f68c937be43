"""A caller leaves a message: what he hears, and what is kept of what he says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appserver.house import BOX, House, Telephone, best_match, make_prompts, melody, sound, speech
from ngcp.appserver.config import Voicemail
from ngcp.appserver.office import Greeted
from ngcp.audio.tones import key_tone
from ngcp.provisioning.voicemail import Greeting
from ngcp.voice.prompts import Files
from ngcp.voice.stream import PACE, Language, Voice, frames_of


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sounds")
    make_prompts(directory, "de_DE", 1000)
    return make_prompts(directory)


@pytest.fixture
def house(prompts: Path) -> House:
    return House(directory=prompts)


def caller(house: House, *parameters: str) -> Telephone:
    return Telephone(house, "voicebox", f"mailbox={BOX}", *(parameters or ("number=4311",)))


def greeted(house: House, *parameters: str) -> Telephone:
    """Return a caller who has heard the greeting and the beep."""
    phone = caller(house, *parameters)
    phone.call()
    house.wait(1.2)
    return phone


def heard(house: House, *parameters: str) -> list[int]:
    return melody(greeted(house, *parameters))


def is_all_of(spoken: bytes, stored: bytes) -> bool:
    """Tell whether all that was spoken is stored, from the begin on."""
    likeness, place = best_match(spoken, stored)
    return likeness > 0.999 and place == 0


def test_what_was_spoken_is_what_is_stored(house: House) -> None:
    phone, spoken = greeted(house), speech(3.0)

    house.speak(phone, spoken)
    phone.ask("BYE")

    assert is_all_of(spoken, house.stored())
    message = house.message
    assert (message.mailbox, message.duration, message.call_id) == (BOX, 3, phone.call_id)
    assert message.time == 1_700_000_001
    assert message.caller == "<alice>"
    house.wait(40.0)
    assert house.is_idle


def test_the_voicebox_names_itself(house: House) -> None:
    answer = caller(house).invite()
    assert (answer.status, answer.get("server")) == (200, "NGCP Voicebox Server")


@pytest.mark.parametrize(
    ("parameters", "tones"),
    [
        (("number=4311",), [500, 1200, 1150, 1050, 1050, 550, 650, 400]),
        (("number=4311", "greeting=busy"), [500, 1200, 1150, 1050, 1050, 600, 650, 400]),
        (("number=4311", "language=de"), [1500, 2200, 2150, 2050, 2050, 1550, 1650, 1400]),
        (("number=4311", "language=fr"), [500, 1200, 1150, 1050, 1050, 550, 650, 400]),
        ((f"number={BOX}",), [700, 650, 400]),
    ],
    ids=["unavailable", "busy", "german", "language-without-prompts", "without-number"],
)
def test_greeting_that_nobody_has_spoken(house: House, parameters: tuple[str, ...], tones: list[int]) -> None:
    assert heard(house, *parameters) == tones


def test_a_language_without_prompts_is_english_in_all(prompts: Path) -> None:
    """Its own order of words would leave words out that English does not have."""
    files = Files(prompts)
    assert [files.language(one) for one in ("de", "en", "fr", "", "..", "de/..")] == ["de", *["en"] * 5]


@pytest.mark.parametrize(
    ("found", "tones"),
    [
        (Greeted(greeting=sound(2000)), [2000, 650, 400]),
        (Greeted(name=sound(2500)), [2500, 550, 650, 400]),
        (Greeted(greeting=b"no WAV"), [650, 400]),
    ],
    ids=["greeting", "name", "broken"],
)
def test_greeting_that_its_owner_has_spoken(house: House, found: Greeted, tones: list[int]) -> None:
    house.greeted = found
    assert heard(house) == tones


@pytest.mark.parametrize(("word", "kind"), [("busy", Greeting.BUSY), ("unavail", Greeting.UNAVAILABLE)])
def test_whose_greeting_is_looked_for(house: House, word: str, kind: Greeting) -> None:
    caller(house, f"greeting={word}").call()
    assert house.asked == [(BOX, kind)]


def test_who_knows_the_greeting_goes_on_to_the_beep(house: House) -> None:
    house.greeted = Greeted(greeting=sound(2000, 5.0))
    phone, spoken = caller(house), speech(2.0)
    phone.call()
    house.wait(0.5)
    phone.press("#")
    house.wait(0.3)
    assert melody(phone)[-1] == 400

    house.speak(phone, spoken)
    phone.ask("BYE")

    assert is_all_of(spoken, house.stored())


def test_hash_ends_the_message(house: House) -> None:
    phone, spoken = greeted(house), speech(2.0)
    melody(phone)
    house.speak(phone, spoken)

    phone.press("#")
    house.wait(1.0)

    assert melody(phone) == [850, 800]
    assert phone.was_hung_up
    assert house.message.duration == 2


def test_hash_as_a_tone_ends_the_message_and_is_no_part_of_it(house: House) -> None:
    """A phone without RFC 4733."""
    phone = caller(house)
    phone.voice = Voice(Language("PCMA", 8), 1)
    phone.invite(body=phone.body(f"m=audio {phone.address[1]} RTP/AVP 8"))
    phone.acknowledge()
    house.wait(1.0)
    spoken = speech(2.0)

    house.speak(phone, spoken)
    house.speak(phone, key_tone("#", 8000, range(8 * 100)))
    house.wait(1.0)

    assert phone.was_hung_up
    assert best_match(spoken, house.stored())[0] > 0.99
    assert len(house.stored()) / 16_000 < 2.05


@pytest.mark.parametrize("beats", range(0, 150, 7))
def test_a_hang_up_at_any_instant_keeps_what_was_said(house: House, beats: int) -> None:
    """The greeting takes 0.7 s, half a second of speech is a message."""
    phone = caller(house)
    phone.call()
    frames = frames_of(speech(3.0))
    said: list[bytes] = []
    for number in range(beats):
        phone.say(frames[number])
        said.append(frames[number])
        house.wait(PACE)
    phone.ask("BYE")

    assert len(house.messages) == (1 if beats >= 65 else 0), beats
    if house.messages:
        stored = house.stored()
        likeness, place = best_match(stored, b"".join(said))
        assert likeness > 0.999
        assert place * 2 + len(stored) == beats * 320
    house.wait(40.0)
    assert house.is_idle


def test_a_call_that_is_cancelled_leaves_nothing(house: House) -> None:
    phone = caller(house)
    phone.invite()
    house.wait(33.0)
    assert house.messages == []
    house.wait(40.0)
    assert house.is_idle


def test_silence_ends_the_message_and_is_no_part_of_it(prompts: Path) -> None:
    house = House(directory=prompts, settings=Voicemail(shortest=0.5, silence=3.0))
    phone, spoken = greeted(house), speech(2.0)
    house.speak(phone, spoken)

    house.wait(3.4, phone.say)
    house.wait(1.0)
    assert melody(phone)[-2:] == [850, 800]

    assert phone.was_hung_up
    assert len(house.stored()) / 16_000 == pytest.approx(2.5, abs=0.1)
    assert best_match(spoken, house.stored())[0] > 0.999


def test_a_phone_that_sends_no_silence_is_silent_all_the_same(prompts: Path) -> None:
    house = House(directory=prompts, settings=Voicemail(shortest=0.5, silence=3.0))
    phone = greeted(house)
    house.speak(phone, speech(2.0))

    house.wait(4.5)

    assert phone.was_hung_up
    assert len(house.stored()) == 32_000


def test_the_longest_message(prompts: Path) -> None:
    house = House(directory=prompts, settings=Voicemail(longest=2.0))
    phone, spoken = greeted(house), speech(4.0)

    house.speak(phone, spoken)

    assert phone.was_hung_up
    assert 1.5 < len(house.stored()) / 16_000 <= 2.0
    assert is_all_of(house.stored(), spoken)


@pytest.mark.parametrize("seconds", [0.02, 0.4])
def test_no_message_without_speech(house: House, seconds: float) -> None:
    phone = greeted(house)
    house.speak(phone, speech(seconds))
    house.wait(2.0, phone.say)
    phone.ask("BYE")
    assert house.messages == []


@pytest.mark.parametrize(("codec", "number"), [("PCMU", 0), ("PCMA", 8), ("G722", 9)])
def test_codecs(house: House, codec: str, number: int) -> None:
    phone, spoken = caller(house), speech(3.0)
    phone.voice = Voice(Language(codec, number), 1)
    phone.ear = Voice(Language(codec, number), 0)
    answer = phone.invite(body=phone.body(f"m=audio {phone.address[1]} RTP/AVP {number}"))
    assert f"RTP/AVP {number}\r\n".encode() in answer.body
    phone.acknowledge()
    house.wait(1.0)
    assert melody(phone) == [500, 1200, 1150, 1050, 1050, 550, 650, 400]

    house.speak(phone, spoken)
    phone.ask("BYE")

    likeness, place = best_match(spoken, house.stored())
    assert likeness > 0.98
    assert place < 40


def test_a_codec_that_is_none_of_ours(house: House) -> None:
    phone = caller(house)
    assert phone.invite(body=phone.body(f"m=audio {phone.address[1]} RTP/AVP 18")).status == 488
    phone.acknowledge()
    house.wait(40.0)
    assert house.is_idle


def test_a_caller_who_leaves_the_offer_to_us(house: House) -> None:
    """RFC 3261 §13.2.1: the ACK has the answer."""
    phone, spoken = caller(house), speech(1.0)
    offer = phone.invite(body=b"").body
    assert b"RTP/AVP 8 0 9 101" in offer
    phone.acknowledge(phone.body(f"m=audio {phone.address[1]} RTP/AVP 8"))
    house.wait(1.2)

    house.speak(phone, spoken)
    phone.ask("BYE")

    assert is_all_of(spoken, house.stored())


def test_another_codec_in_the_midst(house: House) -> None:
    """§14: the caller's phone changes its mind."""
    phone, spoken = greeted(house), speech(4.0)
    half = len(spoken) // 2
    house.speak(phone, spoken[:half])
    assert phone.ask("INVITE", phone.body(f"m=audio {phone.address[1]} RTP/AVP 0")).status == 200
    phone.acknowledge_last()
    phone.voice = Voice(Language("PCMU", 0), 99)

    house.speak(phone, spoken[half:])
    phone.ask("BYE")

    assert is_all_of(spoken, house.stored())


def test_jitter_and_loss_move_nothing(house: House) -> None:
    phone, spoken = greeted(house), speech(3.0)
    packets = [phone.voice.say(frame) for frame in frames_of(spoken)]
    random = np.random.default_rng(5)
    late = np.argsort(np.arange(len(packets)) + random.uniform(0, 5, len(packets)))
    order = [int(place) for place in late if place % 10 != 3]
    assert phone.remote is not None
    port = house.ports[phone.remote]
    for place in order:
        port.take(packets[place], ("127.0.0.1", phone.address[1]))
    port.take(packets[order[5]], ("127.0.0.1", phone.address[1]))  # once more
    phone.ask("BYE")

    stored = np.frombuffer(house.stored(), np.int16).reshape(-1, 160)
    original = np.frombuffer(spoken, np.int16).reshape(-1, 160)
    first = min(order)
    for place in range(first, len(stored)):
        if place % 10 == 3:
            assert np.abs(stored[place - first]).max() <= 8
        elif place < len(stored) + first:
            assert np.corrcoef(stored[place - first], original[place])[0, 1] > 0.99


def test_a_full_mailbox_says_so(house: House) -> None:
    house.greeted = Greeted(is_full=True)
    phone = greeted(house)
    assert melody(phone) == [750, 800]
    assert phone.was_hung_up
    assert house.messages == []


def test_nobody_speaks_in_vain_while_nothing_can_be_kept(house: House) -> None:
    house.is_full = True
    phone = greeted(house)
    assert melody(phone) == [900, 950, 800]
    assert phone.was_hung_up


@pytest.mark.parametrize("parameters", [(), (f"mailbox={BOX}",)])
def test_nobodys_mailbox(house: House, parameters: tuple[str, ...]) -> None:
    house.greeted = None
    assert Telephone(house, "voicebox", *parameters).invite().status == 404


def test_without_prompts_there_is_a_message_all_the_same() -> None:
    house = House()
    phone = greeted(house)
    house.speak(phone, speech(2.0))
    phone.ask("BYE")
    assert house.message.duration >= 2


@pytest.mark.parametrize(
    ("lines", "caller_id"),
    [
        (("P-First-Caller-NPN: 4312002",), "<4312002>"),
        (("P-First-Caller-NPN: 4312002", "Privacy: id;critical"), "anonymous"),
        (("Privacy: none",), "<alice>"),
    ],
)
def test_who_called(house: House, lines: tuple[str, ...], caller_id: str) -> None:
    phone = caller(house)
    phone.invite(*lines)
    phone.acknowledge()
    house.wait(1.0)
    house.speak(phone, speech(1.0))
    phone.ask("BYE")
    assert house.message.caller == caller_id


def test_an_operator_ends_a_call_whose_message_is_kept(house: House) -> None:
    phone = greeted(house)
    house.speak(phone, speech(2.0))
    house.core.end(house.now)
    house.deliver()
    assert phone.was_hung_up
    assert house.message.duration == 2


def test_two_hundred_callers_at_once(house: House) -> None:
    phones = [caller(house, f"number={number}") for number in range(200)]
    for phone in phones:
        phone.call()
    house.wait(1.2)
    voices = [frames_of(speech(1.0, seed)) for seed in range(200)]
    beats = iter(range(50))

    def all_speak() -> None:
        beat = next(beats)
        for phone, frames in zip(phones, voices, strict=True):
            phone.say(frames[beat])

    house.wait(1.0, all_speak)
    for phone in phones:
        phone.ask("BYE")

    assert len({message.key for message in house.messages}) == 200
    stored = {message.call_id: message for message in house.messages}
    for phone, frames in zip(phones[::20], voices[::20], strict=True):
        house.messages = [stored[phone.call_id]]
        assert best_match(b"".join(frames), house.stored())[0] > 0.999


def test_what_is_said_is_kept_while_it_is_said(house: House) -> None:
    phone, spoken = greeted(house), speech(1.0)
    assert [(about.mailbox, about.caller, about.wav) for about, _ in house.drafts.values()] == [
        (BOX, "<alice>", b"")
    ]

    house.speak(phone, spoken)
    ((_, tape),) = house.drafts.values()
    assert is_all_of(spoken, tape.samples())
    phone.ask("BYE")
    assert not house.drafts
    assert house.message.call_id == phone.call_id


def test_nothing_is_kept_of_whoever_says_nothing(house: House) -> None:
    phone = greeted(house)
    assert house.drafts
    phone.ask("BYE")
    assert not house.drafts
    assert not house.messages


@pytest.mark.parametrize(
    "change",
    [
        {"messages": 0},
        {"shortest": 200.0},
        {"longest": 601.0},
        {"silence": -1.0},
        {"threshold": 40_000},
        {"held": -1},
    ],
)
def test_terms_that_mean_nothing_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(Voicemail(), **change)  # type: ignore[arg-type] # whatever the test has
