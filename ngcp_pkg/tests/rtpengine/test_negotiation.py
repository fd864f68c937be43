"""Which codecs are offered and answered, and what is transcoded then: by what commands wish (ng protocol)."""

from dataclasses import dataclass
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.ng.bencode import Value
from ngcp.rtpengine.codecs import Plan, is_event
from ngcp.rtpengine.flags import USUAL, Wishes, read
from ngcp.rtpengine.negotiation import Negotiation, unsupported
from ngcp.sdp.formats import STATIC, Format

PCMU, GSM, PCMA, G722, G729 = (STATIC[number] for number in (0, 3, 8, 9, 18))
OPUS, EVENT = Format(111, "opus", 48_000, 2), Format(101, "telephone-event", 8000, parameters="0-16")
OWN_OPUS, OWN_EVENT = Format(96, "opus", 48_000, 2), Format(96, "telephone-event", 8000, parameters="0-15")
NAMES = {"u": PCMU, "s": GSM, "a": PCMA, "2": G722, "9": G729, "o": OPUS, "k": EVENT}


def formats(letters: str) -> list[Format]:
    return [NAMES[letter] for letter in letters]


def letters(formats: list[Format]) -> str:
    """Return one letter for each format, in capitals where it is another instance than in `NAMES`."""
    by_name = {known.name: letter for letter, known in NAMES.items()}
    return "".join(
        by_name[one.name] if one in NAMES.values() else by_name[one.name].upper() for one in formats
    )


def wishes(*flags: str, **codec: str) -> Wishes:
    lists: Value = {key: list[Value](names.split()) for key, names in codec.items()}
    said, unknown = read({"flags": list[Value](flags), "codec": lists})
    assert unknown == []
    return said


@dataclass
class Case:
    """One offer and one answer; formats by letters, in capitals those that are ours."""

    codec: dict[str, str]
    offer: str
    offered: str
    answer: str
    answered: str
    flags: tuple[str, ...] = ()
    converts: tuple[str, str] = ("", "")
    """What is transcoded of what the offerer sends, and of what the answerer does."""


CASES = {
    "nothing is wished": Case({}, "oua9k", "oua9k", "ak", "ak"),
    "strip one": Case({"strip": "PCMU"}, "oua", "oa", "oa", "oa"),
    "strip by payload type": Case({"strip": "0"}, "oua", "oa", "a", "a"),
    "strip all but": Case({"strip": "all", "except": "PCMA PCMU"}, "oua", "ua", "u", "u"),
    "offer sorts": Case({"strip": "all", "offer": "PCMA PCMU GSM"}, "oua", "au", "u", "u"),
    "offer without strip sorts, too": Case({"offer": "PCMA"}, "oua", "aou", "a", "a"),
    "who strips everything strips nothing": Case({"strip": "all"}, "ua", "ua", "u", "u"),
    "transcode what is missing": Case({"transcode": "PCMA"}, "o", "oa", "a", "o", converts=("o", "a")),
    "transcode and both have one": Case({"transcode": "PCMA"}, "u", "ua", "u", "u"),
    "transcode takes out what we do not speak": Case(
        {"transcode": "PCMA"}, "9u", "ua", "a", "u", converts=("u", "a")
    ),
    "transcode what is there": Case({"transcode": "PCMA"}, "9ua", "9ua", "9", "9"),
    "transcode what went with all": Case({"strip": "all", "transcode": "PCMA"}, "oua", "a", "a", "a"),
    "transcode what was stripped by name": Case(
        {"strip": "PCMA", "transcode": "PCMA"}, "oa", "oa", "a", "o", converts=("o", "a")
    ),
    "mask": Case({"mask": "opus", "transcode": "PCMA"}, "ou", "ua", "a", "ou", converts=("ou", "a")),
    "mask and both have another": Case(
        {"mask": "opus", "transcode": "PCMA"}, "ou", "ua", "u", "uo", converts=("o", "")
    ),
    "mask all": Case({"mask": "all", "transcode": "PCMA"}, "ou", "a", "a", "ou", converts=("ou", "a")),
    "consume": Case({"consume": "opus"}, "ou", "u", "u", "uo", converts=("o", "")),
    "accept": Case({"accept": "PCMA"}, "ua", "ua", "u", "ua", converts=("a", "")),
    "always": Case({}, "u2a9", "u2a9", "a", "au2", ("always-transcode",), converts=("u2", "")),
    "only one codec": Case({}, "uak", "uak", "uak", "uk", ("single-codec",)),
    "events are no codec": Case({}, "kua", "kua", "kua", "uk", ("single-codec",)),
    "nobody speaks what is answered": Case({"transcode": "PCMA"}, "u", "ua", "9", "9"),
    "keys for who has none": Case({"transcode": "telephone-event"}, "u", "uK", "uK", "u", converts=("", "")),
    "keys of who has them": Case({"transcode": "telephone-event"}, "uk", "uk", "uk", "uk"),
    "keys that were refused": Case({}, "uk", "uk", "u", "uk", ("always-transcode",)),
    "several": Case(
        {"strip": "all", "transcode": "G722 opus", "offer": "PCMU"},
        "ua9",
        "u2O",
        "2",
        "u",
        converts=("u", "2"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_offers_and_answers(case: Case) -> None:
    negotiation = Negotiation()
    known = {"K": OWN_EVENT, "O": OWN_OPUS}

    offered = negotiation.offer(0, formats(case.offer), None, wishes(*case.flags, **case.codec))
    answer = [known.get(letter) or NAMES[letter] for letter in case.answer]
    answered, _ = negotiation.answer(0, answer, None, USUAL)

    assert letters(offered) == case.offered
    assert letters(answered) == case.answered
    assert tuple(_converted(plan) for plan in negotiation.plans) == case.converts


def _converted(plan: Plan) -> str:
    return letters(list(plan.converting.values()))


def test_keys_of_one_side_become_tones_and_tones_keys() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [PCMU], None, wishes(transcode="telephone-event"))
    negotiation.answer(0, [PCMU, OWN_EVENT], None, USUAL)

    near, far = negotiation.plans
    assert near.pressing == OWN_EVENT
    assert far.sounding == {96: OWN_EVENT}
    assert near.target == far.target == PCMU


def test_payload_types_of_the_answer_are_those_of_the_answerer() -> None:
    """RFC 3264 §6.1: who answers may number as he likes."""
    negotiation = Negotiation()
    negotiation.offer(0, [OPUS, EVENT], None, wishes(transcode="PCMA"))
    answered, _ = negotiation.answer(
        0, [OPUS._replace(payload_type=97), EVENT._replace(payload_type=98)], None, USUAL
    )

    near, far = negotiation.plans
    assert answered == [OPUS, EVENT]
    assert {number: one.payload_type for number, one in near.passing.items()} == {111: 97, 101: 98}
    assert {number: one.payload_type for number, one in far.passing.items()} == {
        111: 111,
        101: 101,
        97: 111,
        98: 101,
    }


def test_bitrates_are_of_the_side_that_they_are_for() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [OPUS], None, wishes(transcode="PCMA opus/48000/2/32000", set="opus/48000/1/16000"))
    negotiation.answer(0, [PCMA], None, USUAL)
    assert [plan.bitrate for plan in negotiation.plans] == [None, 16_000]

    negotiation = Negotiation()
    negotiation.offer(0, [PCMA], None, wishes(transcode="opus/48000/2/32000"))
    negotiation.answer(0, [OWN_OPUS], None, USUAL)
    assert [plan.bitrate for plan in negotiation.plans] == [32_000, None]


def test_ptime_makes_packets_anew() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [PCMA], None, Wishes(ptime=40))
    negotiation.answer(0, [PCMA], None, USUAL)

    near, far = negotiation.plans
    assert (near.converting, near.target, near.ptime) == ({8: PCMA}, PCMA, 40)
    assert far.is_plain


def test_ptime_that_is_so_already_makes_no_work() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [PCMA], 40, Wishes(ptime=40))
    negotiation.answer(0, [PCMA], None, USUAL)

    assert all(plan.is_plain for plan in negotiation.plans)


def test_packets_are_as_long_as_their_receiver_likes() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [OPUS], 60, wishes(transcode="PCMA"))
    negotiation.answer(0, [PCMA], 30, USUAL)

    assert [plan.ptime for plan in negotiation.plans] == [30, 60]


@pytest.mark.parametrize("side", [0, 1])
def test_transcoding_outlives_a_new_offer(side: int) -> None:
    """A re-INVITE tells nothing of codecs: each side goes on to be offered what it speaks."""
    negotiation = Negotiation()
    negotiation.offer(0, [OPUS], None, wishes(transcode="PCMA"))
    negotiation.answer(0, [PCMA], None, USUAL)
    spoken = [[OPUS], [PCMA]]

    offered = negotiation.offer(side, spoken[side], None, USUAL)
    answered, _ = negotiation.answer(side, spoken[1 - side], None, USUAL)

    assert set(spoken[1 - side]) <= set(offered)
    assert answered == spoken[side]
    assert [_converted(plan) for plan in negotiation.plans] == ["o", "a"]


def test_a_new_offer_may_end_transcoding() -> None:
    negotiation = Negotiation()
    negotiation.offer(0, [OPUS], None, wishes(transcode="PCMA"))
    negotiation.answer(0, [PCMA], None, USUAL)

    negotiation.offer(0, [PCMA, OPUS], None, USUAL)
    negotiation.answer(0, [PCMA], None, USUAL)

    assert all(plan.is_plain for plan in negotiation.plans)


def test_video_is_selected_and_never_added_to() -> None:
    h264, vp8 = Format(97, "H264", 90_000), Format(98, "VP8", 90_000)
    negotiation = Negotiation(is_audio=False)

    assert negotiation.offer(0, [h264, vp8], None, wishes(strip="H264", transcode="PCMA")) == [vp8]
    assert negotiation.answer(0, [vp8], None, USUAL) == ([vp8], 0)
    assert all(plan.is_plain for plan in negotiation.plans)


def test_a_codec_that_we_do_not_speak_is_named() -> None:
    assert unsupported(wishes(transcode="PCMA G729/8000 AMR")) == ["G729/8000", "AMR"]


CODEC_LISTS = st.lists(st.sampled_from(list(NAMES.values())), min_size=1, max_size=6, unique=True)
ACTIONS = st.dictionaries(
    st.sampled_from(["strip", "offer", "mask", "except", "accept", "consume", "transcode"]),
    st.lists(
        st.sampled_from(["PCMU", "PCMA", "G722", "opus", "G729", "telephone-event", "all", "full"]),
        max_size=3,
    ).map(tuple),
)


@given(CODEC_LISTS, ACTIONS, st.integers(1, 63), st.booleans())
def test_everybody_gets_what_he_can_hear(
    said: list[Format], codec: dict[str, tuple[str, ...]], choice: int, is_always: bool
) -> None:
    """Whatever is wished: no payload type is there twice, answers are of the offer, plans lead to them."""
    flags = frozenset({"always-transcode"}) if is_always else frozenset()
    negotiation = Negotiation()

    offered = negotiation.offer(0, said, None, Wishes(flags=flags, codec=codec))
    chosen = [one for place, one in enumerate(offered) if choice >> place & 1] or offered[:1]
    answered, _ = negotiation.answer(0, chosen, None, USUAL)

    assert offered
    assert len({one.payload_type for one in offered}) == len(offered)
    if any(not is_event(one) for one in chosen):
        assert set(answered) <= set(said) or answered == chosen
    for plan, sent, understood in zip(negotiation.plans, (answered, chosen), (chosen, answered), strict=True):
        if not plan.is_plain:
            leaving = {*plan.passing.values(), *([plan.target] if plan.converting else [])}
            assert leaving <= set(understood)
            handled = {*plan.passing, *plan.converting, *plan.sounding}
            assert handled >= {one.payload_type for one in sent if not is_event(one)}


def test_every_pair_of_our_codecs_can_be_bridged() -> None:
    for near, far in combinations((PCMU, PCMA, G722, OPUS), 2):
        negotiation = Negotiation()
        offered = negotiation.offer(0, [near], None, wishes(transcode=far.name))
        answered, _ = negotiation.answer(0, offered[1:], None, USUAL)

        assert answered == [near]
        assert [len(plan.converting) for plan in negotiation.plans] == [1, 1]
