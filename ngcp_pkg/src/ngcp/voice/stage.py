"""What the applications that talk stand on."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from .guest import Attendant, Guest
from .prompts import Prompts
from .studio import Studio
from .talk import Talk


@dataclass(frozen=True, slots=True)
class Stage:
    """For all applications of one user agent."""

    ids: Callable[[], str]
    """Unguessable tokens of 16 hexadecimal digits or more."""
    studio: Studio
    prompts: Prompts
    spawn: Callable[[Coroutine[None, None, None]], None]
    """Starts work that waits for a database."""
    clock: Callable[[], float]
    """The time on the clock of `now`."""

    def receive(self, call: Talk, attendant: Attendant) -> Guest:
        """Talk to somebody; raises `SipError` if its session is none for us."""
        return Guest(self.studio, call, attendant, int(self.ids()[:16], 16))
