"""How a stream learns where its participant is."""

import pytest

from ngcp.rtpengine.flows import Address
from ngcp.rtpengine.streams import Endpoint, Link, Stream, Trust
from rtpengine.harness import RTCP, RTP

LOCAL = ("203.0.113.1", 30000)
ANNOUNCED = ("192.0.2.20", 5000)
SAME_HOST = ("192.0.2.20", 5002)
SIGNALLING = ("198.51.100.99", 1024)
STRANGER = ("203.0.113.66", 9999)

#: Sources, the believable ones later.
RANKS = [STRANGER, SAME_HOST, ANNOUNCED]


def announced(*, is_opaque: bool = False) -> Stream:
    stream = Stream(LOCAL)
    stream.announce(Endpoint(ANNOUNCED, SIGNALLING[0], is_opaque=is_opaque))
    return stream


@pytest.mark.parametrize(
    ("source", "trust"),
    [
        (ANNOUNCED, Trust.ANNOUNCED),
        (SAME_HOST, Trust.SAME_HOST),
        (SIGNALLING, Trust.SAME_HOST),
        (STRANGER, Trust.ANY_HOST),
    ],
)
def test_trust(source: Address, trust: Trust) -> None:
    stream = announced()
    assert stream.learn(source, RTP, may_move=False)
    assert (stream.target, stream.trust) == (source, trust)


@pytest.mark.parametrize("old", RANKS)
@pytest.mark.parametrize("new", RANKS)
def test_a_more_believable_source_always_wins(old: Address, new: Address) -> None:
    stream = announced()
    stream.learn(old, RTP, may_move=False)
    assert stream.learn(new, RTP, may_move=False) is (RANKS.index(new) > RANKS.index(old))


def test_an_equally_believable_source_wins_only_while_it_may() -> None:
    stream = announced()
    stream.learn(STRANGER, RTP, may_move=True)
    assert stream.learn(("203.0.113.67", 1), RTP, may_move=True)
    assert not stream.learn(("203.0.113.68", 1), RTP, may_move=False)
    assert stream.target == ("203.0.113.67", 1)


def test_link_is_settled_once_both_ends_are_learned() -> None:
    link = Link((announced(), announced()))
    assert link.learn(0, STRANGER, RTP)
    assert link.learn(0, ("203.0.113.67", 1), RTP)
    assert link.learn(1, STRANGER, RTP)
    assert not link.learn(0, ("203.0.113.68", 1), RTP)


@pytest.mark.parametrize("packet", [RTP, RTCP])
def test_media_and_rtcp_teach(packet: bytes) -> None:
    """Both on each port, as `rtcp-mux` may put RTCP on the port for RTP (RFC 5761)."""
    assert announced().learn(STRANGER, packet, may_move=False)


def test_other_packets_teach_only_what_was_announced() -> None:
    stream = announced()
    assert not stream.learn(SAME_HOST, b"hello", may_move=True)
    assert stream.learn(ANNOUNCED, b"hello", may_move=True)


def test_any_packet_teaches_an_opaque_stream() -> None:
    assert announced(is_opaque=True).learn(STRANGER, b"fax", may_move=True)


def test_the_same_announcement_keeps_what_was_learned() -> None:
    stream = announced()
    stream.learn(STRANGER, RTP, may_move=True)
    stream.announce(Endpoint(ANNOUNCED))
    assert stream.target == STRANGER


@pytest.mark.parametrize(
    "moved", [Endpoint(("192.0.2.21", 5000), SIGNALLING[0]), Endpoint(ANNOUNCED, "198.51.100.100")]
)
def test_another_announcement_forgets_it(moved: Endpoint) -> None:
    stream = announced()
    stream.learn(STRANGER, RTP, may_move=True)
    stream.announce(moved)
    assert (stream.target, stream.trust) == (moved.address, Trust.NOBODY)


def test_muted_stream_is_sent_nothing_but_still_known() -> None:
    stream = announced()
    stream.learn(SAME_HOST, RTP, may_move=True)
    stream.announce(Endpoint(None, is_muted=True))
    assert (stream.target, stream.learned) == (None, SAME_HOST)
    stream.announce(Endpoint(ANNOUNCED))
    assert stream.target == SAME_HOST
