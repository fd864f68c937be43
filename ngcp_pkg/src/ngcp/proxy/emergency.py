"""Emergency numbers: an inbound rewrite rule marks them (`emergency_112`), a mapping says where they ring."""

from collections.abc import Mapping
from typing import Final

MARK: Final = "emergency_"


def is_emergency(number: str) -> bool:
    """Tell whether rewriting has made this an emergency call."""
    return number.startswith(MARK)


def mapped(number: str, container: Mapping[str, str]) -> str:
    """Return what a marked number becomes by the caller's container; a code that it lacks stays."""
    code = number.removeprefix(MARK)
    return MARK + container.get(code, code)
