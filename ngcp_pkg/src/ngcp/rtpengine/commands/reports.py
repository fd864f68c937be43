"""What there is, and what has been: query, list, statistics."""

from collections.abc import Mapping
from typing import Final

from ngcp.ng.bencode import Value

from ..calls import Calls
from ..report import Reporter
from ..totals import Cause
from ..view import View
from .command import Command, Fields, Request, Table

#: Calls that `list` names unless it is told another `limit`.
USUAL_LIMIT: Final = 32
#: What `statistics` calls the ways a call may end.
ENDINGS: Final = {
    "regularterminatedsessions": Cause.DELETED,
    "timeoutsessions": Cause.NO_MEDIA,
    "silenttimeoutsessions": Cause.SILENT,
    "offertimeoutsessions": Cause.NO_ANSWER,
    "finaltimeoutsessions": Cause.TOO_LONG,
}
#: What it calls the commands.
COUNTS: Final = {
    "totalpingcount": "ping",
    "totaloffercount": "offer",
    "totalanswercount": "answer",
    "totaldeletecount": "delete",
    "totalquerycount": "query",
    "totallistcount": "list",
    "totalstartreccount": "start recording",
    "totalstopreccount": "stop recording",
    "totalstartfwdcount": "start forwarding",
    "totalstopfwdcount": "stop forwarding",
    "totalblkdtmfcount": "block DTMF",
    "totalunblkdtmfcount": "unblock DTMF",
    "totalblkmedia": "block media",
    "totalunblkmedia": "unblock media",
    "totalplaymedia": "play media",
    "totalstopmedia": "stop media",
    "totalplaydtmf": "play DTMF",
    "totalstatistics": "statistics",
    "totalerrorcount": "error",
}


class Reports:
    """The commands that change nothing."""

    def __init__(self, calls: Calls, reporter: Reporter, view: View) -> None:
        self._calls = calls
        self._reporter = reporter
        self._view = view

    @property
    def table(self) -> Table:
        """What they are called."""
        return {
            "query": Command(self._query, needs=("call-id",)),
            "list": Command(self._list, keys=frozenset({"limit"})),
            "statistics": Command(self._statistics),
        }

    def _query(self, request: Request) -> Fields:
        call = self._calls.find(request.signal.call_id)
        return {"result": "ok"} | self._reporter.describe(call.created, call.concerned(request.signal))

    def _list(self, request: Request) -> Fields:
        return {"result": "ok", "calls": [*self._calls.call_ids(request.whole("limit", USUAL_LIMIT))]}

    def _statistics(self, request: Request) -> Fields:
        now = self._view.statistics()
        count = len(self._calls)
        return {
            "result": "ok",
            "statistics": {
                "currentstatistics": {"sessionsown": count, "sessionsforeign": 0, "sessionstotal": count},
                "totalstatistics": self._totals(now, request.now),
                "controlstatistics": {
                    name: self._calls.totals.commands[command] for name, command in COUNTS.items()
                },
            },
        }

    def _totals(self, counted: Mapping[str, int | float], now: float) -> dict[str, Value]:
        totals = self._calls.totals
        ended = totals.ended.total()
        return {
            "uptime": str(int(now - totals.started)),
            "managedsessions": ended,
            "rejectedsessions": totals.refused,
            **{name: totals.ended[cause] for name, cause in ENDINGS.items()},
            "forcedterminatedsessions": 0,
            "relayedpackets": int(counted["packets"]),
            "relayedbytes": int(counted["bytes"]),
            "relayedpacketerrors": int(counted["errors"]),
            "zerowaystreams": totals.no_way,
            "onewaystreams": totals.one_way,
            "avgcallduration": f"{totals.seconds / max(ended, 1):.6f}",
        }
