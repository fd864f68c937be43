"""Connectivity checks against another implementation of STUN, and against everything that is none."""

import random

import pytest
from aioice import stun as theirs

from ngcp.stun import message
from ngcp.stun.check import NOTHING, Credentials, judge

OURS = Credentials("wxYZ", "a-password-of-twenty-four")
SOURCE = ("198.51.100.7", 41000)
MUTATIONS = 10_000

#: RFC 5769 §2.1.
SAMPLE = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
SAMPLE_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"


def check(
    more: dict[str, int] | None = None,
    *,
    user: str = "wxYZ:abcd",
    password: str = OURS.password,
    nominates: bool = False,
) -> theirs.Message:
    request = theirs.Message(theirs.Method.BINDING, theirs.Class.REQUEST)
    request.attributes["USERNAME"] = user
    request.attributes["PRIORITY"] = 1
    if nominates:
        request.attributes["USE-CANDIDATE"] = None
    request.attributes.update(more or {"ICE-CONTROLLING": 7})
    request.add_message_integrity(password.encode())
    return request


def ask(request: theirs.Message, their_ufrag: str | None = "abcd") -> tuple[theirs.Message, bool, bool]:
    verdict = judge(bytes(request), SOURCE, OURS, their_ufrag)
    assert verdict.answer is not None
    return theirs.parse_message(verdict.answer), verdict.is_valid, verdict.is_nominated


def test_the_sample_request_of_rfc_5769() -> None:
    sample = message.read(SAMPLE)

    assert sample is not None
    assert sample.kind == message.REQUEST
    assert sample.attributes[message.USERNAME] == b"evtj:h6vY"
    assert sample.is_signed_by(SAMPLE_KEY)
    assert not sample.is_signed_by(SAMPLE_KEY + b"x")
    assert judge(SAMPLE, SOURCE, Credentials("evtj", SAMPLE_KEY.decode())).answer is not None


@pytest.mark.parametrize("nominates", [False, True])
def test_the_answer_is_signed_and_tells_where_the_check_came_from(nominates: bool) -> None:
    request = check(nominates=nominates)
    answer, is_valid, is_nominated = ask(request)

    assert answer.message_class == theirs.Class.RESPONSE
    assert answer.transaction_id == request.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == SOURCE
    verdict = judge(bytes(request), SOURCE, OURS)
    assert verdict.answer is not None
    assert theirs.parse_message(verdict.answer, integrity_key=OURS.password.encode())
    assert (is_valid, is_nominated) == (True, nominates)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (check(password="somebody-else-s-password"), 401),
        (check(user="other:abcd"), 401),
        (check(user="wxYZ:other"), 401),
        (check(user="wxYZ"), 401),
        (theirs.Message(theirs.Method.BINDING, theirs.Class.REQUEST), 400),
        (check({"ICE-CONTROLLED": 7}), 487),
        (check({"CHANNEL-NUMBER": 7}), 420),
    ],
)
def test_refusals(request_: theirs.Message, code: int) -> None:
    """RFC 8489 §9.1.3, RFC 8445 §7.3.1.1: nobody refused has their source believed."""
    answer, is_valid, is_nominated = ask(request_)

    assert answer.message_class == theirs.Class.ERROR
    assert answer.attributes["ERROR-CODE"][0] == code
    assert not is_valid
    assert not is_nominated


def test_what_is_no_request_gets_no_answer() -> None:
    for kind in (theirs.Class.INDICATION, theirs.Class.RESPONSE, theirs.Class.ERROR):
        request = check()
        request.message_class = kind
        assert judge(bytes(request), SOURCE, OURS) == NOTHING
    assert judge(b"\x80\x00" + bytes(30), SOURCE, OURS) == NOTHING


def test_attributes_behind_the_signature_are_not_believed() -> None:
    """RFC 8489 §14.5: whoever appended them need not know the password."""
    signed = message.write(message.REQUEST, bytes(12), [(message.USERNAME, b"wxYZ:a")], b"key")[:-8]
    forged = signed + bytes.fromhex("00250000")
    forged = forged[:2] + (len(forged) - 20).to_bytes(2, "big") + forged[4:]
    verdict = judge(forged, SOURCE, Credentials("wxYZ", "key"))

    assert verdict.is_valid
    assert not verdict.is_nominated


def test_credentials_are_not_shown() -> None:
    assert OURS.password not in f"{OURS} {OURS!r}"


def test_mutated_checks_are_never_believed() -> None:
    luck = random.Random(5769)
    originals = [bytes(check(nominates=True)), SAMPLE, bytes(check({"ICE-CONTROLLED": 1}))]
    answered = 0
    for _ in range(MUTATIONS):
        data = bytearray(luck.choice(originals))
        for _ in range(luck.randint(1, 4)):
            place = luck.randrange(len(data))
            if luck.random() < 0.5:
                data[place] ^= 1 << luck.randrange(8)
            else:
                data[place : place + luck.randint(0, 8)] = luck.randbytes(luck.randint(0, 8))
        if any(data[:-8] == original[:-8] for original in originals):
            continue  # nothing but the checksum behind the signature
        verdict = judge(bytes(data), SOURCE, OURS)
        assert not verdict.is_valid
        answered += verdict.answer is not None
        assert verdict.answer is None or len(verdict.answer) <= 3 * len(data)
    assert answered < MUTATIONS  # a broken FINGERPRINT hides nearly all
