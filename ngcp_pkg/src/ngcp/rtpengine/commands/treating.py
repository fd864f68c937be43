"""Media are blocked, silenced or listened to: of a whole call, or of one participant."""

from collections.abc import Callable
from typing import Final

from ..calls import Calls
from ..errors import NobodyListens
from ..treatments import Treatment
from .command import Command, Fields, Request, Table
from .selection import KEYS, chosen, is_selective, wants_all

#: What is done and undone, by the words behind `block` and `unblock` ….
PAIRS: Final = (
    ("block media", "unblock media", Treatment.BLOCK_MEDIA),
    ("block DTMF", "unblock DTMF", Treatment.BLOCK_DTMF),
    ("silence media", "unsilence media", Treatment.SILENCE),
    ("start forwarding", "stop forwarding", Treatment.FORWARD),
)


class Treating:
    """The commands that change what passes."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def table(self) -> Table:
        """What they are called."""
        rows = {}
        for begin, end, treatment in PAIRS:
            rows[begin] = Command(self._begin(treatment), needs=("call-id",), keys=KEYS)
            rows[end] = Command(self._stop(treatment), needs=("call-id",), keys=KEYS)
        return rows

    def _begin(self, treatment: Treatment) -> Callable[[Request], Fields]:
        def execute(request: Request) -> Fields:
            if treatment is Treatment.FORWARD and not self._calls.has_listener:
                raise NobodyListens
            return self._apply(request, lambda old: old | treatment)

        return execute

    def _stop(self, treatment: Treatment) -> Callable[[Request], Fields]:
        return lambda request: self._apply(request, lambda old: old & ~treatment)

    def _apply(self, request: Request, change: Callable[[Treatment], Treatment]) -> Fields:
        """Change what is done with those that the request names, all together if it names nobody."""
        call = self._calls.find(request.signal.call_id)
        sides = [dialog.sides[side] for dialog, side in chosen(request, call)]
        if not is_selective(request) or wants_all(request):
            call.treatment = change(call.treatment)
        for side in sides:
            side.treatment = change(side.treatment)
        self._calls.refresh(call)
        return {"result": "ok"}
