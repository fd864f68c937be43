"""How a section is carried: what each kind of offer becomes, what is answered, what holds then."""

import datetime
import os

import pytest

from ngcp.rtp.suites import SUITES
from ngcp.rtpengine.carriage import PLAIN_CARRIAGES, PROFILES, Carriage, read_carriage, write_carriage
from ngcp.rtpengine.dtls import Identity
from ngcp.rtpengine.errors import Unprotected
from ngcp.rtpengine.flags import USUAL, Wishes
from ngcp.rtpengine.transport import Carrier, Outcome, Secrets
from ngcp.sdp import Description
from ngcp.sdp.crypto import Crypto

IDENTITY = Identity(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
SECRETS = Secrets(os.urandom, IDENTITY.fingerprint)
PHONE = Identity(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
AES_80, AES_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"

PLAIN = PLAIN_CARRIAGES[PROFILES["RTP/AVP"]]
MUXED = PLAIN._replace(is_muxed=True)
BEST = next(iter(SUITES))


def sdes(*suites: str, profile: str = "RTP/SAVP") -> Carriage:
    """What a phone says that wants SRTP by SDES."""
    cryptos = [
        Crypto(number, suite, os.urandom(SUITES[suite].master_length))
        for number, suite in enumerate(suites, 3)
    ]
    return Carriage(PROFILES[profile], tuple(cryptos))


def dtls(setup: str = "actpass", profile: str = "UDP/TLS/RTP/SAVPF") -> Carriage:
    """What a phone says that wants SRTP by DTLS."""
    return Carriage(PROFILES[profile], (), PHONE.fingerprint("sha-512"), setup)


def suites_of(carriage: Carriage) -> list[str]:
    return [crypto.suite for crypto in carriage.cryptos]


def through_text(carriage: Carriage) -> Carriage | None:
    """Write it into a body of another profile and read it again."""
    lines = [b"v=0", b"o=- 1 1 IN IP4 192.0.2.1", b"s=-", b"c=IN IP4 192.0.2.1", b"t=0 0"]
    lines += [b"m=audio 4000 RTP/AVP 8", b"a=rtcp-mux", b"a=crypto:1 X inline:AAAA", b"a=setup:active", b""]
    body = Description.parse(b"\r\n".join(lines))
    write_carriage(body.media[0], carriage)
    again = Description.parse(bytes(body))
    return read_carriage(again, again.media[0])


@pytest.mark.parametrize("name", PROFILES)
def test_all_profiles_are_read_and_written(name: str) -> None:
    carriage = (sdes(AES_80) if PROFILES[name].is_secure else PLAIN)._replace(profile=PROFILES[name])

    assert through_text(carriage) == carriage
    assert str(PROFILES[name]) == name


@pytest.mark.parametrize("offered", PROFILES)
@pytest.mark.parametrize("wished", ["", *PROFILES])
def test_every_profile_becomes_every_other_one(offered: str, wished: str) -> None:
    """The protocol is what is wished; the answer goes back in the offer's own."""
    theirs = sdes(AES_80, profile=offered) if PROFILES[offered].is_secure else PLAIN
    theirs = (
        dtls(profile=offered) if PROFILES[offered].is_dtls else theirs._replace(profile=PROFILES[offered])
    )
    told = Carrier(SECRETS).offer(theirs, Wishes(transport_protocol=wished))
    answered, outcome = Carrier(SECRETS).answer(theirs, Wishes(), is_other_protected=False)

    assert told.profile == PROFILES[wished or offered]
    assert bool(told.cryptos) == (told.profile.is_secure and not told.profile.is_dtls)
    assert (told.fingerprint is not None) == told.profile.is_secure
    assert answered.profile == theirs.profile
    assert outcome.is_protected == theirs.profile.is_secure
    assert through_text(told) == told._replace(is_lite=False)


def agree(offered: Carriage, said: Carriage, wishes: Wishes = USUAL) -> tuple[Outcome, Outcome, Carriage]:
    """Carry a whole negotiation; return what holds with the offerer and with the answerer, and our answer."""
    offerer, answerer = Carrier(SECRETS), Carrier(SECRETS)
    offerer.hear_offer(wishes)
    told = answerer.offer(offered, wishes)
    if said.cryptos and not said.cryptos[0].tag:  # a phone that takes what it is told
        said = said._replace(
            cryptos=tuple(crypto._replace(tag=tag_of(told, crypto.suite)) for crypto in said.cryptos)
        )
    there = answerer.hear_answer(said)
    answered, here = offerer.answer(offered, wishes, is_other_protected=there.is_protected)
    return here, there, answered


def tag_of(told: Carriage, suite: str) -> int:
    return next(crypto.tag for crypto in told.cryptos if crypto.suite == suite)


def accepting(suite: str) -> Carriage:
    """What a phone answers to an offer of ours that has `suite`."""
    answer = sdes(suite)
    return answer._replace(cryptos=(answer.cryptos[0]._replace(tag=0),))


def test_plain_rtp_stays_plain() -> None:
    assert agree(PLAIN, PLAIN) == (Outcome(), Outcome(), PLAIN)


def test_srtp_towards_a_plain_phone() -> None:
    offered = sdes(AES_32, AES_80)
    here, there, answered = agree(offered, PLAIN, Wishes(transport_protocol="RTP/AVP"))

    assert there == Outcome()
    assert here.decrypt == (AES_32, offered.cryptos[0].key, b"")
    assert here.encrypt == (AES_32, answered.cryptos[0].key, b"")
    assert [(crypto.tag, crypto.suite) for crypto in answered.cryptos] == [(3, AES_32)]
    assert answered.cryptos[0].key != offered.cryptos[0].key


def test_a_plain_phone_towards_srtp() -> None:
    said = accepting("AES_192_CM_HMAC_SHA1_32")
    here, there, answered = agree(PLAIN, said, Wishes(transport_protocol="RTP/SAVP"))

    assert here == Outcome()
    assert not answered.is_protected
    assert there.decrypt == ("AES_192_CM_HMAC_SHA1_32", said.cryptos[0].key, b"")
    assert there.encrypt is not None
    assert there.encrypt.suite == "AES_192_CM_HMAC_SHA1_32"


@pytest.mark.parametrize("suite", SUITES)
def test_each_suite_on_both_sides(suite: str) -> None:
    here, there, _ = agree(sdes(suite), accepting(suite))

    assert {key.suite for outcome in (here, there) for key in (outcome.decrypt, outcome.encrypt) if key} == {
        suite
    }
    assert len({outcome.encrypt for outcome in (here, there)}) == 2


@pytest.mark.parametrize(
    ("words", "offered", "suites"),
    [
        ((), (), list(SUITES)),
        ((), (AES_32,), [AES_32, *(suite for suite in SUITES if suite != AES_32)]),
        (("only-AES_CM_128_HMAC_SHA1_80",), (AES_32,), [AES_80]),
        (("only-AES_CM_128_HMAC_SHA1_80", "no-AES_CM_128_HMAC_SHA1_80"), (), [AES_80]),
        (tuple(f"no-{suite}" for suite in SUITES if suite != AES_32), (), [AES_32]),
        (("nonew", "no-AES_CM_128_HMAC_SHA1_32"), (AES_32,), [AES_32]),
        (
            ("order:AES_CM_128_HMAC_SHA1_32;F8_128_HMAC_SHA1_80;AEAD_AES_128_GCM;", "only-AEAD_AES_128_GCM"),
            (),
            ["AEAD_AES_128_GCM"],
        ),
        ((f"order:{AES_32};{AES_80}", f"only-{AES_80}", f"only-{AES_32}"), (), [AES_32, AES_80]),
        (("off",), (), []),
        (("no",), (), []),
    ],
)
def test_suites_as_wished(words: tuple[str, ...], offered: tuple[str, ...], suites: list[str]) -> None:
    theirs = sdes(*offered) if offered else PLAIN
    told = Carrier(SECRETS).offer(theirs, Wishes(transport_protocol="RTP/SAVP", sdes=words))

    assert suites_of(told) == suites
    assert told.fingerprint is not None
    assert len({crypto.tag for crypto in told.cryptos}) == len(suites)


def test_the_suite_for_the_offerer_may_be_wished() -> None:
    wishes = Wishes(transport_protocol="RTP/AVP", sdes=(f"offerer_pref:{AES_80};",))
    here, _, _ = agree(sdes(AES_32, AES_80), PLAIN, wishes)

    assert here.encrypt is not None
    assert here.encrypt.suite == AES_80


def test_dtls_off_leaves_sdes_and_both_off_leave_plain_rtp() -> None:
    wishes = Wishes(transport_protocol="UDP/TLS/RTP/SAVPF", dtls="off")
    told = Carrier(SECRETS).offer(PLAIN, wishes)
    assert (str(told.profile), told.fingerprint, told.cryptos != ()) == ("RTP/SAVPF", None, True)
    told = Carrier(SECRETS).offer(PLAIN, Wishes(transport_protocol="RTP/SAVP", dtls="no", sdes=("off",)))
    assert told == Carriage(PROFILES["RTP/AVP"], is_lite=True)


@pytest.mark.parametrize(
    ("offered", "wished", "role"),
    [
        ("actpass", "", "active"),
        ("actpass", "passive", "passive"),
        ("actpass", "active", "active"),
        ("active", "", "passive"),
        ("active", "active", "passive"),
        ("passive", "passive", "active"),
        ("", "", "passive"),
        ("holdconn", "", "passive"),
    ],
)
def test_our_role_beside_an_offerer(offered: str, wished: str, role: str) -> None:
    """RFC 5763 §5; a missing attribute says active (RFC 4145 §4)."""
    here, _, answered = agree(dtls(offered), PLAIN, Wishes(transport_protocol="RTP/AVP", dtls=wished))

    assert here.role == answered.setup == role
    assert here.certificate == PHONE.fingerprint("sha-512")
    assert answered.fingerprint == IDENTITY.fingerprint("sha-512"), "by the hash that they use"


@pytest.mark.parametrize(("said", "role"), [("active", "passive"), ("passive", "active"), ("", "passive")])
def test_our_role_beside_an_answerer(said: str, role: str) -> None:
    _, there, _ = agree(
        PLAIN, dtls(said), Wishes(transport_protocol="UDP/TLS/RTP/SAVPF", fingerprint="SHA-1")
    )

    assert there.role == role
    assert there.certificate == PHONE.fingerprint("sha-512")


def test_the_hash_of_our_certificate_may_be_wished() -> None:
    told = Carrier(SECRETS).offer(PLAIN, Wishes(transport_protocol="RTP/SAVP", fingerprint="SHA-384"))
    assert told.fingerprint == IDENTITY.fingerprint("sha-384")
    told = Carrier(SECRETS).offer(PLAIN, Wishes(transport_protocol="RTP/SAVP", fingerprint="md5"))
    assert told.fingerprint == IDENTITY.fingerprint("sha-256")


def test_a_certificate_is_better_than_keys_unless_it_is_not_wished() -> None:
    both = sdes(AES_80)._replace(fingerprint=PHONE.fingerprint(), setup="actpass")
    here, _, _ = agree(both, PLAIN, Wishes(transport_protocol="RTP/AVP"))
    assert (here.role, here.encrypt) == ("active", None)
    here, _, _ = agree(both, PLAIN, Wishes(transport_protocol="RTP/AVP", dtls="off"))
    assert (here.role, here.encrypt is not None) == ("", True)


def test_opportunistic_srtp() -> None:
    """RFC 8643: beside plain RTP, for who wants it."""
    wishes = Wishes(osrtp=frozenset({"offer"}))
    told = Carrier(SECRETS).offer(PLAIN, wishes)
    assert not told.profile.is_secure
    assert told.cryptos
    assert agree(PLAIN, PLAIN, wishes)[1] == Outcome()
    there = agree(PLAIN, accepting(AES_80)._replace(profile=PLAIN.profile), wishes)[1]
    assert there.encrypt is not None

    offered = sdes(AES_80, profile="RTP/AVP")
    refused, _, answered = agree(offered, PLAIN)
    assert (refused, answered.cryptos) == (Outcome(), ())
    passed = agree(offered, accepting(AES_80)._replace(profile=PLAIN.profile))
    assert passed[0].is_protected
    assert passed[1].is_protected
    accepted, _, answered = agree(offered, PLAIN, Wishes(osrtp=frozenset({"accept"})))
    assert accepted.is_protected
    assert not answered.profile.is_secure


@pytest.mark.parametrize(
    ("words", "offers_it", "told", "accepted"),
    [
        ((), False, False, False),
        ((), True, True, True),
        (("offer",), False, True, False),
        (("require",), False, True, False),
        (("demux",), True, False, True),
        (("accept",), True, True, True),
        (("reject",), True, False, False),
        (("reject", "offer"), True, True, False),
    ],
)
def test_multiplexing_as_wished(words: tuple[str, ...], offers_it: bool, told: bool, accepted: bool) -> None:
    """RFC 5761 §5.1.1: it holds where it is offered and accepted."""
    wishes = Wishes(rtcp_mux=frozenset(words))
    offered = MUXED if offers_it else PLAIN
    assert Carrier(SECRETS).offer(offered, wishes).is_muxed == told
    here, there, answered = agree(offered, MUXED, wishes)
    assert (here.is_muxed, answered.is_muxed, there.is_muxed) == (accepted, accepted, told)
    refused = agree(offered, PLAIN, wishes)[1]
    assert refused.is_muxed == ("require" in words)


@pytest.mark.parametrize(
    ("word", "does_ice", "told", "answered"),
    [
        ("", False, False, False),
        ("", True, True, True),
        ("remove", True, False, False),
        ("force", False, True, False),
        ("force", True, True, True),
        ("default", False, False, False),
        ("default", True, True, True),
        ("optional", False, True, False),
        ("force-relay", True, True, True),
    ],
)
def test_ice_as_wished(word: str, does_ice: bool, told: bool, answered: bool) -> None:
    theirs = Carrier(SECRETS).offer(PLAIN, Wishes(ice="force")).ice
    offered = PLAIN._replace(ice=theirs if does_ice else None)
    ours = Carrier(SECRETS).offer(offered, Wishes(ice=word)).ice
    assert (ours is not None) == told
    here, there, answer = agree(offered, PLAIN._replace(ice=theirs), Wishes(ice=word))
    assert (answer.ice is not None, here.ice is not None, there.ice is not None) == (answered, answered, told)
    if ours is not None and theirs is not None:
        assert ours != theirs
        assert there.their_ufrag == theirs.ufrag


def test_a_new_offer_keeps_keys_and_credentials() -> None:
    carrier, theirs = (
        Carrier(SECRETS),
        sdes(AES_80, AES_32)._replace(ice=Carrier(SECRETS).offer(PLAIN, Wishes(ice="force")).ice),
    )
    first = carrier.offer(theirs, Wishes())
    assert carrier.offer(theirs, Wishes()) == first
    assert carrier.offer(sdes(AES_32), Wishes(ice="force")).ice == first.ice

    answered, outcome = carrier.answer(theirs, Wishes(), is_other_protected=True)
    carrier.commit(outcome, theirs)
    turned = theirs._replace(cryptos=theirs.cryptos[::-1])
    again, outcome_again = carrier.answer(turned, Wishes(), is_other_protected=True)
    assert outcome_again == outcome, "what is in force is kept if it is offered again"
    assert again == answered


def test_ice_begins_anew_with_new_credentials() -> None:
    """RFC 8445 §9: an offer with another user fragment restarts both sides."""
    carrier = Carrier(SECRETS)
    one, other = (
        PLAIN._replace(ice=Carrier(SECRETS).offer(PLAIN, Wishes(ice="force")).ice) for _ in range(2)
    )
    first, outcome = carrier.answer(one, Wishes(), is_other_protected=False)
    carrier.commit(outcome, one)
    assert carrier.answer(one, Wishes(), is_other_protected=False)[0] == first
    assert carrier.answer(other, Wishes(), is_other_protected=False)[0].ice != first.ice


def test_an_answer_that_protects_nothing_is_refused() -> None:
    """Nothing that was to be secret is sent in the clear."""
    answerer = Carrier(SECRETS)
    told = answerer.offer(PLAIN, Wishes(transport_protocol="RTP/SAVP"))
    wrong_tag = sdes(AES_80)._replace(cryptos=(Crypto(77, AES_80, bytes(30)),))
    other_suite = wrong_tag._replace(cryptos=(Crypto(tag_of(told, AES_80), AES_32, bytes(30)),))
    for said in (PLAIN, wrong_tag, other_suite, Carriage(PROFILES["RTP/SAVP"])):
        with pytest.raises(Unprotected):
            answerer.hear_answer(said)


def test_lines_that_cannot_be_used_are_passed_over() -> None:
    good = "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
    lines = [
        "v=0",
        "s=-",
        "a=fingerprint:md5 00:11",
        "m=audio 4000 RTP/SAVP 8",
        "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" + "A" * 40,
        "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + " UNENCRYPTED_SRTP",
        "a=crypto:broken",
        good,
        "a=candidate:broken",
        "a=setup:whatever",
        "a=ice-ufrag:abc",
        "a=ice-pwd:short",
    ]
    body = Description.parse("\r\n".join(lines).encode())
    carriage = read_carriage(body, body.media[0])
    assert carriage == Carriage(PROFILES["RTP/SAVP"], (Crypto(4, AES_80, bytes(30)),))
    hopeless = Description.parse("\r\n".join(line for line in lines if line != good).encode())
    assert read_carriage(hopeless, hopeless.media[0]) is None
