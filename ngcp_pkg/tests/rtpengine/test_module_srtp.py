"""SRTP by the kernel module: which flows, and that no packet index is used twice, whoever counts.

What the module makes of the packets the scenario `vm` shows.
"""

import pytest

from ngcp.rtp.srtp import SrtpError, SrtpReceiver, SrtpSender
from ngcp.rtp.suites import SUITES, Keys
from ngcp.rtpengine.flows import Counters, Exit, Flow, Kind, Position
from ngcp.rtpengine.layout import Cipher, Hmac, KernelAddress
from ngcp.rtpengine.protection import srtp
from rtpengine.test_module import ALICE, BOB, FAR, NEAR, Scene

THEIRS, OURS = (Keys("AES_CM_128_HMAC_SHA1_80", bytes([value]) * 30) for value in (1, 2))
FLOW = Flow(NEAR, ALICE, FAR, BOB, 184, Kind.RTP, decrypt=THEIRS, encrypt=OURS)
SPEAKER, OTHER = 0xDECAFBAD, 0x1


def packet(sequence: int, source: int = SPEAKER) -> bytes:
    return bytes([0x80, 8]) + sequence.to_bytes(2, "big") + bytes(4) + source.to_bytes(4, "big") + bytes(10)


@pytest.fixture
def scene() -> Scene:
    """Alice has been heard for a while: her counter has begun anew once."""
    made = Scene()
    made.userspace.known[SPEAKER] = Position((1 << 16) + 5, 7)
    made.plane.add(FLOW)
    return made


def test_nobody_has_spoken_yet() -> None:
    assert not Scene().plane.can(FLOW)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("kind", [Kind.RTP, Kind.MUXED])
def test_all_suites(scene: Scene, suite: str, kind: Kind) -> None:
    keys = Keys(suite, bytes(SUITES[suite].master_length))

    assert scene.plane.can(FLOW._replace(kind=kind, decrypt=keys, encrypt=keys))
    assert scene.plane.can(FLOW._replace(kind=kind, decrypt=None, rtcp=Exit(FAR, BOB)))


@pytest.mark.parametrize(
    "flow",
    [
        FLOW._replace(kind=Kind.OPAQUE),
        FLOW._replace(kind=Kind.RTCP),
        FLOW._replace(decrypt=Keys("AEAD_AES_128_GCM", bytes(28), b"1")),
    ],
    ids=["anything", "RTCP", "identifier behind AEAD"],
)
def test_what_it_cannot(scene: Scene, flow: Flow) -> None:
    assert not scene.plane.can(flow)


@pytest.mark.parametrize(
    ("suite", "cipher", "hmac", "key", "salt", "tags"),
    [
        ("AES_CM_128_HMAC_SHA1_80", Cipher.AES_CM_128, Hmac.SHA1, 16, 14, (10, 10)),
        ("AES_256_CM_HMAC_SHA1_32", Cipher.AES_CM_256, Hmac.SHA1, 32, 14, (4, 10)),
        ("AEAD_AES_256_GCM", Cipher.AEAD_AES_GCM_256, Hmac.NULL, 32, 12, (0, 0)),
    ],
)
def test_keys_in_its_words(
    suite: str, cipher: Cipher, hmac: Hmac, key: int, salt: int, tags: tuple[int, int]
) -> None:
    secret = bytes(range(key + salt))
    told = srtp(Keys(suite, secret, b"id"))

    assert (told.cipher, told.hmac) == (cipher, hmac)
    assert bytes(told.master_key[: told.master_key_len]) == secret[:key]
    assert bytes(told.master_salt[: told.master_salt_len]) == secret[key:]
    assert (told.session_key_len, told.session_salt_len) == (key, salt)
    assert (told.rtp_auth_tag_len, told.rtcp_auth_tag_len) == tags
    assert bytes(told.mki[: told.mki_len]) == b"id"


def test_only_rtp_of_known_sources_is_forwarded(scene: Scene) -> None:
    assert scene.module.forward(NEAR, ALICE, packet(6))
    assert scene.module.forward(NEAR, ALICE, packet(1, OTHER)) is None
    target = scene.module.targets[bytes(KernelAddress.of(NEAR))]
    assert (target.rtp_only, target.ssrc_req, target.rtcp) == (1, 1, 0)


def test_payload_types_are_no_errors(scene: Scene) -> None:
    for sequence in range(6, 10):
        scene.module.forward(NEAR, ALICE, packet(sequence))

    assert scene.plane.counters(NEAR) == Counters(4, 4 * len(packet(0)), 0, 91.0)


def test_module_counts_on_where_user_space_was_and_back(scene: Scene) -> None:
    scene.module.forward(NEAR, ALICE, packet(6))
    scene.module.pass_rounds(NEAR, 2)

    scene.plane.remove(NEAR)

    assert scene.userspace.known == {SPEAKER: Position((3 << 16) + 6, (2 << 16) + 6)}


def test_user_space_knows_how_far_the_module_is(scene: Scene) -> None:
    """Every second: should we die, nothing that the module has used is used again by who comes after us."""
    scene.module.forward(NEAR, ALICE, packet(6))

    scene.plane.check()

    assert scene.userspace.known == {SPEAKER: Position((1 << 16) + 6, 6)}


def test_new_source_is_taken_on(scene: Scene) -> None:
    """Music on hold, a transfer: its first packets came to user space, which counted them."""
    scene.module.forward(NEAR, ALICE, packet(6))
    scene.userspace.known[OTHER] = Position(100, 100)

    scene.plane.check()

    assert scene.module.forward(NEAR, ALICE, packet(101, OTHER))
    assert scene.module.forward(NEAR, ALICE, packet(7))
    assert scene.plane.counters(NEAR).packets == 3
    scene.plane.remove(NEAR)
    assert scene.userspace.known == {SPEAKER: Position((1 << 16) + 7, 7), OTHER: Position(101, 101)}


def test_oldest_of_many_sources_is_left_to_user_space(scene: Scene) -> None:
    for source in range(1, 5):
        scene.userspace.known[source] = Position(0, 0)
        scene.plane.check()

    assert scene.module.forward(NEAR, ALICE, packet(6)) is None
    assert scene.module.forward(NEAR, ALICE, packet(6, 4))


def test_indexes_that_somebody_else_has_used_are_not_used_again() -> None:
    sender, receiver = SrtpSender(OURS), SrtpReceiver(OURS)
    receiver.unprotect(sender.protect(packet(65535)))
    served = sender.protect(packet(0))

    assert sender.indexes() == {SPEAKER: 1 << 16}
    for one in (sender, receiver):
        one.advance(SPEAKER, (5 << 16) + 10)
    assert receiver.unprotect(sender.protect(packet(11))) == packet(11)
    with pytest.raises(SrtpError, match="replayed"):
        sender.protect(packet(9))
    with pytest.raises(SrtpError, match="replayed"):
        receiver.unprotect(served)
    sender.advance(SPEAKER, 3)
    assert sender.indexes() == {SPEAKER: (5 << 16) + 11}
