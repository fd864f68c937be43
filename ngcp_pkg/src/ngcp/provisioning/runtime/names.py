"""How subscribers are named."""

from typing import Final, NamedTuple

#: The domain of a number that may be in any.
ANYWHERE: Final = "*"


class Name(NamedTuple):
    """A user name or number in a domain; the domain in lower case (RFC 3261 §19.1.4)."""

    user: str
    domain: str
