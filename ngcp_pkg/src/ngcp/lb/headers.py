"""P- headers: the platform's elements talk to each other in them, so none may cross the edge unchecked."""

from typing import Final

from ngcp.sip.syntax.memory import remembered_shape
from ngcp.sip.syntax.message import Message

#: What a phone may say (RFC 3325 §9.2); who it is, is the proxy's finding, not the phone's.
FROM_OUTSIDE: Final = frozenset({"p-preferred-identity"})
#: What may be said as a call begins: the proxy knows whom to believe (§5), and takes out what it does not.
FROM_CALLERS: Final = FROM_OUTSIDE | {"p-asserted-identity"}
#: What a phone may be told; everything else is between the elements.
TO_OUTSIDE: Final = frozenset({"p-preferred-identity", "p-asserted-identity"})


def keep_private(message: Message, allowed: frozenset[str]) -> None:
    """Take out every P- header that is not `allowed`."""
    for name in _private(message.shape):
        if name not in allowed:
            message.remove(name)


@remembered_shape
def _private(shape: tuple[str, ...]) -> tuple[str, ...]:
    """Return the P- headers among those of a message."""
    return tuple({name for name in shape if name.startswith("p-")})
