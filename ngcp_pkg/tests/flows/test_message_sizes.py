"""What leaves the node is small enough to cross any network in one packet: the B2BUA writes messages anew."""

import itertools
from collections.abc import Callable
from pathlib import Path

from flows.whole import Node
from flows.wire import Wire

DOCS = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"

#: Bytes of a message, below what an Ethernet frame carries with room for tunnels (RFC 3261 §18.1.1).
LIMIT = 1300
#: What a desk phone says beside what it must.
SAID = (
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, SUBSCRIBE, NOTIFY, REFER, UPDATE, MESSAGE, PRACK",
    "Allow-Events: talk, hold, conference, refer, check-sync",
    "Supported: replaces, timer, 100rel, path, gruu, outbound",
    "User-Agent: Deskphone T58/96.86.0.75 001565a1b2c3",
    "X-Phone-Serial: 3135018061002345",
    "P-Early-Media: supported",
)
SDP = (
    b"v=0\r\no=- 20012 20012 IN IP4 192.0.2.10\r\ns=SDP data\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    b"m=audio 11780 RTP/AVP 9 8 0 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


class RealisticWire(Wire):
    """Its tokens are as long as those of the daemons."""

    def ids(self, prefix: str) -> Callable[[], str]:
        numbers = itertools.count(1)
        return lambda: f"{prefix:0<10}{next(numbers):06x}"


class Sizes:
    """A call from one desk phone to another: re-INVITE by the caller, BYE by the callee."""

    def __init__(self, bypass: bool) -> None:
        node = Node(RealisticWire(), bypass=bypass)
        bob = node.registered("bob", "192.0.2.20")
        alice = node.registered("alice", "192.0.2.10")
        node.wire.packets.clear()
        call = alice.call("bob", body=SDP, extra=SAID)
        assert node.wire.run_until(lambda: call.is_up and bob.calls[-1].is_up)
        node.wire.run(0.5)
        call.request("INVITE", SDP)
        node.wire.run(0.5)
        bob.calls[-1].hang_up()
        node.wire.run(1.0)
        self._node, self._phones = node, (alice, bob)

    def leaving(self) -> dict[str, int]:
        """Return the largest message to a phone, by its method or status."""
        sizes: dict[str, int] = {}
        for phone in self._phones:
            for packet in self._node.wire.sent_to(phone.flow.local):
                kind = packet.start.replace("SIP/2.0 ", "").split(" ")[0]
                sizes[kind] = max(sizes.get(kind, 0), len(packet.data))
        return sizes


def test_a_typical_call_fits_and_the_report_of_it_is_true() -> None:
    before, after = Sizes(bypass=True).leaving(), Sizes(bypass=False).leaving()
    assert max(after.values()) < LIMIT
    assert after["INVITE"] < before["INVITE"]
    told = DOCS.read_text()
    for kind in ("INVITE", "180", "200", "ACK", "BYE"):
        assert f"| {kind} | {before[kind]} | {after[kind]} |" in told, (kind, before[kind], after[kind])
