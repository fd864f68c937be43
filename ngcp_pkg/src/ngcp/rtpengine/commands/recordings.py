"""What is said is kept, or no longer: start, pause and stop recording."""

from ..calls import Calls
from ..errors import NotRecorded
from .command import Command, Fields, Request, Table


class Recordings:
    """The commands about recording; it is always that of a whole call."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def table(self) -> Table:
        """What they are called."""
        return {
            "start recording": Command(self._start, needs=("call-id",)),
            "stop recording": Command(self._stop, needs=("call-id",), keys=frozenset({"pause"})),
            "pause recording": Command(self._pause, needs=("call-id",)),
        }

    def _start(self, request: Request) -> Fields:
        if not self._calls.can_record:
            raise NotRecorded
        return self._set(request, is_recorded=True)

    def _stop(self, request: Request) -> Fields:
        if request.message.text("pause") == "yes" or "pause" in request.signal.wishes.flags:
            return self._pause(request)
        return self._set(request, is_recorded=False)

    def _pause(self, request: Request) -> Fields:
        self._calls.pause_recording(self._calls.find(request.signal.call_id), is_paused=True)
        return {"result": "ok"}

    def _set(self, request: Request, *, is_recorded: bool) -> Fields:
        call = self._calls.find(request.signal.call_id)
        call.is_recorded = is_recorded
        self._calls.refresh(call)
        self._calls.pause_recording(call, is_paused=False)
        return {"result": "ok"}
