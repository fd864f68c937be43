"""A Binding request on a SIP port, and its answer (RFC 5626 §4.4.2).

Phones keep their NAT binding alive with it and see whether their outer address has changed. We take nobody's
credentials, and need none. An answer is at most three times as long as what it answers: there is little to
amplify.
"""

from .message import ERROR, REQUEST, SUCCESS, Address, mapped, read, unknown_attributes, write


def answer(data: bytes, source: Address) -> bytes | None:
    """Return the answer to a Binding request that came from `source`; None if `data` is none."""
    request = read(data)
    if request is None or request.kind != REQUEST:
        return None
    if request.unknown:
        return write(ERROR, request.transaction, unknown_attributes(request.unknown))
    return write(SUCCESS, request.transaction, [mapped(source, request.transaction)])


def mapped_address(data: bytes) -> Address | None:
    """Return the address that a successful answer tells; what a phone reads."""
    answered = read(data)
    return answered.mapped_address if answered and answered.kind == SUCCESS else None
