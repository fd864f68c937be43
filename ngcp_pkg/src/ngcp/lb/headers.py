"""P- headers: the platform's elements talk to each other in them, so none may cross the edge unchecked."""

from typing import Final

from ngcp.sip.syntax.message import Message

#: What a phone may say (RFC 3325 §9.2); who it is, is the proxy's finding, not the phone's.
FROM_OUTSIDE: Final = frozenset({"p-preferred-identity"})
#: What a phone may be told; everything else is between the elements.
TO_OUTSIDE: Final = frozenset({"p-preferred-identity", "p-asserted-identity"})


def keep_private(message: Message, allowed: frozenset[str]) -> None:
    """Take out every P- header that is not `allowed`."""
    if "\np-" in "\n".join(("", *message.names)):  # asked of every message: one search, not one a header
        message.remove_if(lambda name: name.startswith("p-") and name not in allowed)
