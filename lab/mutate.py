"""Damage messages at random, the same way for the same seed."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

#: Bytes that mean something to a parser of SIP or of bencode.
MARKS: Final = (b'"', b"<", b">", b";", b",", b"\r\n", b":", b"@", b"\\", b"%", b"d", b"l", b"e", b"i-")
#: What still fits into a datagram.
MAX_SIZE: Final = 60_000


def mutations(originals: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` messages, each one of the originals with one to eight injuries."""
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 8)):
            _injure(data, rng)
        yield bytes(data[:MAX_SIZE])


def _injure(data: bytearray, rng: random.Random) -> None:
    """Change a byte, drop a stretch, double a stretch, put a mark somewhere, or cut the end off."""
    place = rng.randrange(len(data) + 1)
    match rng.randrange(5):
        case 0:
            data[place : place + 1] = bytes([rng.randrange(256)])
        case 1:
            del data[place : place + rng.randint(1, 20)]
        case 2:
            data[place:place] = data[place : place + rng.randint(1, 40)]
        case 3:
            data[place:place] = rng.choice(MARKS)
        case _ if rng.random() < 0.1:
            del data[place:]
