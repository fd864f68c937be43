"""STUN messages: bytes to type, transaction and attributes, and back (RFC 8489 §5, §14)."""

import hmac
import ipaddress
import struct
from binascii import crc32
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

#: Host and port; the host is a literal address.
Address: TypeAlias = tuple[str, int]
#: The type of an attribute, and its value.
Attribute: TypeAlias = tuple[int, bytes]

REQUEST: Final = 0x0001
INDICATION: Final = 0x0011
SUCCESS: Final = 0x0101
ERROR: Final = 0x0111
COOKIE: Final = 0x2112A442

#: RFC 8489 §18.3, RFC 8445 §16.1.
USERNAME: Final = 0x0006
MESSAGE_INTEGRITY: Final = 0x0008
ERROR_CODE: Final = 0x0009
UNKNOWN_ATTRIBUTES: Final = 0x000A
MESSAGE_INTEGRITY_SHA256: Final = 0x001C
XOR_MAPPED_ADDRESS: Final = 0x0020
PRIORITY: Final = 0x0024
USE_CANDIDATE: Final = 0x0025
FINGERPRINT: Final = 0x8028
ICE_CONTROLLED: Final = 0x8029
ICE_CONTROLLING: Final = 0x802A

#: Attributes up to this must be understood.
REQUIRED: Final = 0x7FFF
#: Those that we do understand; credentials even where nobody needs them.
UNDERSTOOD: Final = frozenset(
    {USERNAME, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, PRIORITY, USE_CANDIDATE}
)
#: With all that anybody sends, a Binding message stays below this.
MAXIMUM: Final = 548
#: Unknown attributes that are named in an answer.
NAMED: Final = 8

_HEADER: Final = struct.Struct("!HHL12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
#: A MESSAGE-INTEGRITY and a FINGERPRINT with their headers.
_SIGNATURE: Final = 24
_CHECKSUM: Final = 8


class Message(NamedTuple):
    """A message whose FINGERPRINT, if it has one, is right."""

    kind: int
    """Method and class: `REQUEST` … of the method Binding, or any other."""
    transaction: bytes
    """What joins an answer to its request."""
    attributes: dict[int, bytes]
    """By type, of equal ones the first; what follows MESSAGE-INTEGRITY is left out (§14.5)."""
    signed: bytes = b""
    """What MESSAGE-INTEGRITY covers; empty without one."""

    def is_signed_by(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY was made with `key` (§14.5)."""
        signature = self.attributes.get(MESSAGE_INTEGRITY)
        return signature is not None and hmac.compare_digest(signature, _sign(self.signed, key))

    @property
    def unknown(self) -> list[int]:
        """The types that we had to understand, and do not."""
        return [name for name in self.attributes if name <= REQUIRED and name not in UNDERSTOOD]

    @property
    def mapped_address(self) -> Address | None:
        """What XOR-MAPPED-ADDRESS says (§14.2)."""
        value = self.attributes.get(XOR_MAPPED_ADDRESS, b"")
        if len(value) not in (8, 20):
            return None
        port = struct.unpack_from("!H", value, 2)[0] ^ (COOKIE >> 16)
        return str(ipaddress.ip_address(_xor(value[4:], self.transaction))), port


def read(data: bytes) -> Message | None:
    """Read one datagram; None if it is no STUN message, or a damaged one."""
    if not _HEADER.size <= len(data) <= MAXIMUM:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind & 0xC000 or cookie != COOKIE or length != len(data) - _HEADER.size:
        return None
    attributes: dict[int, bytes] = {}
    signed = b""
    position = _HEADER.size
    while position < len(data):
        if position + _ATTRIBUTE.size > len(data):
            return None
        name, size = _ATTRIBUTE.unpack_from(data, position)
        start = position + _ATTRIBUTE.size
        if start + size > len(data):
            return None
        if name == FINGERPRINT and data[position:] != _fingerprint(data[:position]):
            return None
        if not signed or name == FINGERPRINT:
            attributes.setdefault(name, data[start : start + size])
        if name == MESSAGE_INTEGRITY and not signed:
            signed = _lengthened(data[:position], _SIGNATURE)
        position = start + ((size + 3) & ~3)
    return Message(kind, transaction, attributes, signed) if position == len(data) else None


def write(kind: int, transaction: bytes, attributes: Iterable[Attribute], key: bytes | None = None) -> bytes:
    """Write a message, with `key` one that is signed and has a FINGERPRINT."""
    body = b"".join(_attribute(name, value) for name, value in attributes)
    data = _HEADER.pack(kind, len(body), COOKIE, transaction) + body
    if key is None:
        return data
    data = _lengthened(data, _SIGNATURE)
    data += _attribute(MESSAGE_INTEGRITY, _sign(data, key))
    data = _lengthened(data, _CHECKSUM)
    return data + _fingerprint(data)


def mapped(source: Address, transaction: bytes) -> Attribute:
    """Tell an address so that no NAT on the way takes it for one to translate (§14.2)."""
    host, port = source
    packed = ipaddress.ip_address(host.partition("%")[0]).packed
    family = 1 if len(packed) == 4 else 2
    return XOR_MAPPED_ADDRESS, struct.pack("!BBH", 0, family, port ^ (COOKIE >> 16)) + _xor(
        packed, transaction
    )


def error(code: int, reason: str) -> Attribute:
    """Say what is wrong with a request (§14.8)."""
    return ERROR_CODE, struct.pack("!HBB", 0, *divmod(code, 100)) + reason.encode()


def unknown_attributes(names: list[int]) -> list[Attribute]:
    """Say which attributes of a request we should have understood (§14.13)."""
    named = names[:NAMED]
    return [
        error(420, "Unknown Attribute"),
        (UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(named)}H", *named)),
    ]


def _xor(address: bytes, transaction: bytes) -> bytes:
    mask = struct.pack("!L", COOKIE) + transaction
    return bytes(a ^ b for a, b in zip(address, mask, strict=False))


def _attribute(name: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) % 4)


def _lengthened(data: bytes, more: int) -> bytes:
    """Return the message with a length that counts `more` bytes behind it."""
    return data[:2] + struct.pack("!H", len(data) - _HEADER.size + more) + data[4:]


def _sign(covered: bytes, key: bytes) -> bytes:
    return hmac.digest(key, covered, "sha1")


def _fingerprint(covered: bytes) -> bytes:
    """Return the attribute that ends the message with its own CRC-32 (§14.7)."""
    return _attribute(FINGERPRINT, struct.pack("!L", crc32(covered) ^ 0x5354554E))
