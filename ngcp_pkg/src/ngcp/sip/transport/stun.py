"""STUN as far as SIP over UDP needs it: a Binding request on the SIP port, and its answer (RFC 5626 §4.4.2).

Phones keep their NAT binding alive with it and see whether their outer address has changed. Messages are
those of RFC 8489. An answer is at most three times as long as what it answers: there is little to amplify.
"""

import ipaddress
import struct
from binascii import crc32
from typing import Final

from .flow import Address

REQUEST: Final = 0x0001
SUCCESS: Final = 0x0101
ERROR: Final = 0x0111
COOKIE: Final = 0x2112A442

#: RFC 8489 §14, §18.3.
ERROR_CODE: Final = 0x0009
UNKNOWN_ATTRIBUTES: Final = 0x000A
XOR_MAPPED_ADDRESS: Final = 0x0020
FINGERPRINT: Final = 0x8028
#: Attributes up to this must be understood. We take nobody's credentials, and need none.
REQUIRED: Final = 0x7FFF
CREDENTIALS: Final = frozenset({0x0006, 0x0008, 0x001C})
#: A Binding request without credentials has 20 bytes, with all that anybody sends below this.
MAXIMUM: Final = 548
#: Unknown attributes that are named in an answer.
NAMED: Final = 8

_HEADER: Final = struct.Struct("!HHL12s")
_ATTRIBUTE: Final = struct.Struct("!HH")


def answer(data: bytes, source: Address) -> bytes | None:
    """Return the answer to a Binding request that came from `source`; None if `data` is none."""
    if not _HEADER.size <= len(data) <= MAXIMUM:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind != REQUEST or cookie != COOKIE or length != len(data) - _HEADER.size:
        return None
    attributes = _read_attributes(data)
    if attributes is None or (FINGERPRINT in attributes and not _has_right_fingerprint(data)):
        return None
    unknown = [name for name in attributes if name <= REQUIRED and name not in CREDENTIALS]
    if unknown:
        body = _attribute(ERROR_CODE, b"\0\0\x04\x14Unknown Attribute")
        names = unknown[:NAMED]
        body += _attribute(UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(names)}H", *names))
        return _message(ERROR, transaction, body)
    return _message(SUCCESS, transaction, _attribute(XOR_MAPPED_ADDRESS, _mapped(source, transaction)))


def mapped_address(data: bytes) -> Address | None:
    """Return the address that a successful answer tells; what a phone reads."""
    kind, _, _, transaction = _HEADER.unpack_from(data)
    value = (_read_attributes(data) or {}).get(XOR_MAPPED_ADDRESS)
    if kind != SUCCESS or value is None:
        return None
    port = struct.unpack_from("!H", value, 2)[0] ^ (COOKIE >> 16)
    return str(ipaddress.ip_address(_xor(value[4:], transaction))), port


def _mapped(source: Address, transaction: bytes) -> bytes:
    """Write an address so that no NAT on the way takes it for one to translate (RFC 8489 §14.2)."""
    host, port = source
    packed = ipaddress.ip_address(host.partition("%")[0]).packed
    family = 1 if len(packed) == 4 else 2
    return struct.pack("!BBH", 0, family, port ^ (COOKIE >> 16)) + _xor(packed, transaction)


def _xor(address: bytes, transaction: bytes) -> bytes:
    mask = struct.pack("!L", COOKIE) + transaction
    return bytes(a ^ b for a, b in zip(address, mask, strict=False))


def _read_attributes(data: bytes) -> dict[int, bytes] | None:
    """Return attributes by type, of equal ones the first; None if they do not fill the message."""
    found: dict[int, bytes] = {}
    position = _HEADER.size
    while position < len(data):
        if position + _ATTRIBUTE.size > len(data):
            return None
        name, size = _ATTRIBUTE.unpack_from(data, position)
        position += _ATTRIBUTE.size
        value = data[position : position + size]
        position += (size + 3) & ~3
        if position > len(data):
            return None
        found.setdefault(name, value)
    return found


def _has_right_fingerprint(data: bytes) -> bool:
    """Whether the message ends with its own CRC-32 (RFC 8489 §14.7)."""
    return data[-8:] == _fingerprint(data[:-8])


def _fingerprint(covered: bytes) -> bytes:
    return _attribute(FINGERPRINT, struct.pack("!L", crc32(covered) ^ 0x5354554E))


def _attribute(name: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) % 4)


def _message(kind: int, transaction: bytes, body: bytes) -> bytes:
    return _HEADER.pack(kind, len(body), COOKIE, transaction) + body
