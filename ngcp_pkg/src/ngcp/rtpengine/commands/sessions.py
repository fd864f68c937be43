"""Sessions come and go: ping, offer, answer, delete."""

from ..calls import Calls
from ..errors import UnknownCall
from ..negotiation import unsupported
from ..report import Reporter
from .command import Command, Fields, Request, Table


class Sessions:
    """The commands that a SIP proxy needs for every call."""

    def __init__(self, calls: Calls, reporter: Reporter) -> None:
        self._calls = calls
        self._reporter = reporter

    @property
    def table(self) -> Table:
        """What they are called."""
        return {
            "ping": Command(_ping),
            "offer": Command(self._offer, needs=("call-id", "from-tag", "sdp")),
            "answer": Command(self._answer, needs=("call-id", "from-tag", "to-tag", "sdp")),
            "delete": Command(self._delete, needs=("call-id",)),
        }

    def _offer(self, request: Request) -> Fields:
        unknown = self._calls.interfaces.unknown(request.signal.wishes.direction)
        request.ignored.extend(f"direction:{name}" for name in unknown)
        request.ignored.extend(f"codec:transcode:{name}" for name in unsupported(request.signal.wishes))
        if request.signal.wishes.record and not self._calls.can_record:
            request.ignored.append("record-call")
        return _rewritten(self._calls.offer(request.signal, request.now))

    def _answer(self, request: Request) -> Fields:
        return _rewritten(self._calls.answer(request.signal, request.now))

    def _delete(self, request: Request) -> Fields:
        signal = request.signal
        try:
            call = self._calls.find(signal.call_id)
            report = self._reporter.describe(call.created, call.concerned(signal))
            self._calls.delete(signal, request.now)
        except UnknownCall:
            if "fatal" in signal.wishes.flags:
                raise
            return {"result": "ok", "warning": "Call-ID not found or tags didn't match"}
        return {"result": "ok"} | report


def _ping(request: Request) -> Fields:
    return {"result": "pong"}


def _rewritten(sdp: bytes) -> Fields:
    return {"result": "ok", "sdp": sdp.decode("utf-8", "surrogateescape")}
