"""Damage to messages, the same for the same seed."""

import random

_SPECIAL = (b'"', b"<", b">", b";", b",", b"\r\n", b":", b"@", b"\\", b"%", b"\0", b" ", b"=", b"\xc3")


def mutate(data: bytes, luck: random.Random) -> bytes:
    """Return `data` with one to three bytes or lines damaged."""
    for _ in range(luck.randint(1, 3)):
        data = luck.choice((_damage_bytes, _damage_lines, _damage_lines))(data, luck)
    return data


def _damage_bytes(data: bytes, luck: random.Random) -> bytes:
    place = luck.randrange(len(data) + 1)
    length = luck.randint(1, 30)
    match luck.randrange(4):
        case 0:
            return data[:place] + luck.randbytes(1) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + length :]
        case 2:
            return data[:place] + data[place : place + length] + data[place:]
        case _:
            return data[:place] + luck.choice(_SPECIAL) + data[place:]


def _damage_lines(data: bytes, luck: random.Random) -> bytes:
    """Cut, double or move a line, or give it another one's value; the start line may be hit too."""
    lines = data.split(b"\r\n")
    place, other = luck.randrange(len(lines)), luck.randrange(len(lines))
    match luck.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(other, lines[place])
        case 2:
            lines[place], lines[other] = lines[other], lines[place]
        case _:
            lines[place] = lines[place].partition(b":")[0] + b":" + lines[other].partition(b":")[2]
    return b"\r\n".join(lines)
