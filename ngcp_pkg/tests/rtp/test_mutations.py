"""Ten thousand broken packets: each is read or refused."""

import contextlib
import random

from ngcp.rtp import Packet, RtpError
from ngcp.rtp.events import Event
from ngcp.rtp.rtcp import Block, Report, Sent, reports

SEED = 20_240_501
MUTATIONS = 10_000
ORIGINALS = [
    bytes(Packet(8, 1, 160, 0xDECAFBAD, bytes(160))),
    bytes.fromhex("b2 88 0007 00000140 decafbad 00000001 00000002 bede0001 10aa0000 abcd 000002"),
    bytes(Report(1, Sent(1, 2, 3, 4), (Block(2, 1, -1, 4, 5, 6, 7),) * 3)),
    bytes(Report(1, None, ())) + bytes.fromhex("81 ca 0003 decafbad 01 04 61406200 0000"),
]


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Break a packet in one to four places: cut, double, or flip bits."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        stop = min(len(data), start + chance.choice([0, 1, 1, 2, 8, 100]))
        part = data[start:stop]
        middle = chance.choice([b"", part * 2, chance.randbytes(4), bytes(byte ^ 0x81 for byte in part)])
        data = data[:start] + middle + data[stop:]
    return data


def test_mutated_packets_are_read_or_refused() -> None:
    chance = random.Random(SEED)
    read = 0
    for _ in range(MUTATIONS):
        data = mutate(chance, chance.choice(ORIGINALS))
        with contextlib.suppress(RtpError):
            packet = Packet.parse(data)
            read += 1
            Event.parse(packet.payload)
        with contextlib.suppress(RtpError):
            read += bool(list(reports(data)))

    assert read > MUTATIONS // 10  # they are no noise
