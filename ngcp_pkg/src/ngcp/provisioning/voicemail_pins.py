"""Which PINs a mailbox may have: those that telephones can key in, and that are not tried first."""

import re
from typing import Final

_PIN: Final = re.compile(r"[0-9]{4,31}")
_ROWS: Final = ("01234567890123456789", "98765432109876543210")


def check_pin(pin: str) -> None:
    """Raise ValueError unless a mailbox may have that PIN."""
    if not _PIN.fullmatch(pin):
        raise ValueError("4 to 31 digits expected")
    if len(set(pin)) == 1 or any(pin in row for row in _ROWS):
        raise ValueError("too easy to guess: one digit only, or digits in their order")
