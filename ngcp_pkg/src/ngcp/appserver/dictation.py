"""What a guest says behind a beep: until nobody speaks any more, for too long, or until it is told to end."""

from collections.abc import Callable
from typing import Final

from ngcp.voice.guest import Guest
from ngcp.voice.talk import Talk
from ngcp.voice.tape import RATE, Tape

from .config import Voicemail

#: Seconds between two looks at what is being recorded.
WATCH: Final = 0.25
#: Seconds behind the last word that belong to it.
PAUSE: Final = 0.5
#: Seconds of a key's tone until it is known as such.
TONE: Final = 0.1


class Dictation:
    """One recording, which begins at once."""

    def __init__(
        self, call: Talk, guest: Guest, terms: Voicemail, ended: Callable[[float], None], now: float
    ) -> None:
        """Call `ended` when it has ended by itself."""
        self._call, self._guest, self._terms, self._ended = call, guest, terms, ended
        self._began = self._spoke = now
        self.tape = Tape(terms.longest, terms.threshold)
        self._is_over = False
        guest.record(self.tape)
        call.at(now + WATCH, self._watch)

    def end(self, *, by_key: bool = False) -> Tape:
        """Record no more, and return what was said; the tone of the key that ends it is no part of it."""
        tape = self.tape
        assert not self._is_over, "it ends once"
        self._is_over = True
        self._guest.record(None)
        if by_key and self._guest.has_keys_in_its_voice:
            tape.cut(int(TONE * RATE))
        return tape

    def _watch(self, now: float) -> None:
        tape, terms = self.tape, self._terms
        if self._is_over:
            return
        if tape.was_loud():
            self._spoke = now
        if terms.silence and now - self._spoke >= terms.silence:
            tape.end_with_speech(PAUSE)
        elif now - self._began < terms.longest:
            self._call.at(now + WATCH, self._watch)
            return
        self._ended(now)
