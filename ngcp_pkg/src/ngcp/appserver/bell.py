"""Something happened in a mailbox: whoever lights lamps or writes mail hears of it here."""

from collections.abc import Callable
from typing import NamedTuple


class Change(NamedTuple):
    """What happened."""

    mailbox: str
    """UUID of its subscriber."""
    message: int | None = None
    """Number of the message that came, which is in the database by now; None: some were heard, moved or
    removed."""


#: Hears of a change, on the loop; what takes longer, it begins.
Ear = Callable[[Change], None]


class Bell:
    """One for each process."""

    def __init__(self) -> None:
        self._ears: list[Ear] = []

    def attach(self, ear: Ear) -> None:
        """Let somebody hear of every change from now on."""
        self._ears.append(ear)

    def ring(self, change: Change) -> None:
        """Tell all."""
        for ear in self._ears:
            ear(change)
