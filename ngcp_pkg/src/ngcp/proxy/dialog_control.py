"""Commands about calls: `dlg.*` in the shapes of Kamailio's module dialog, `dlgcnt.*` about counters."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.state.line import StateUnavailable

from .ledger import Ledger
from .livecall import LiveCall, Side, Stage

#: How often counters are looked at while calls come and go, until they stand still for as long as that takes.
LOOKS: Final = 20


def add_dialogs(
    table: CommandTable, ledger: Ledger, unix: Callable[[], float], progressed: Callable[[], None]
) -> None:
    """Offer the commands; `progressed` is called when they left messages to send."""
    dialogs, counters = Dialogs(ledger, unix, progressed), Counters(ledger)
    table.add("dlg.list", dialogs.list, "every call")
    table.add("dlg.briefing", dialogs.brief, "every call in a few words, and which counters it moves")
    table.add("dlg.dlg_list", dialogs.list_one, "CALL-ID [FROM-TAG]: one call")
    table.add("dlg.stats_active", dialogs.count, "how many calls there are, by state")
    table.add(
        "dlg.end_dlg", dialogs.end, "H_ENTRY H_ID: end a call, as dlg.list numbers it, with BYE to both sides"
    )
    table.add(
        "dlg.terminate_dlg", dialogs.terminate, "CALL-ID [FROM-TAG [TO-TAG]]: the same, by its identity"
    )
    table.add("dlgcnt.get", counters.get, "KEY: how many calls a counter counts, such as user:UUID or total")
    table.add("dlgcnt.list", counters.list, "[PREFIX]: the counters and what they count, such as account")
    table.add(
        "dlgcnt.check", counters.check, "where Redis differs from the calls there are: key, right, found"
    )
    table.add("dlgcnt.clean", counters.clean, "put that right, and return what it was")


@dataclass(frozen=True, slots=True)
class Dialogs:
    """The calls as an operator handles them."""

    ledger: Ledger
    unix: Callable[[], float]
    progressed: Callable[[], None]

    def list(self) -> Json:
        """Return every call."""
        now = self.unix()
        return [_describe(live, now) for live in self.ledger]

    def brief(self) -> Json:
        """Return every call, without what only ending it takes."""
        return [_brief(live) for live in self.ledger]

    def list_one(self, call_id: str, from_tag: str = "") -> Json:
        """Return one call, or fail with 404."""
        return _describe(self._find(call_id, from_tag), self.unix())

    def count(self) -> dict[str, Json]:
        """Return how many are in which state; Kamailio's `starting` and `answering` do not last here."""
        stages = Counter(live.stage for live in self.ledger)
        return {
            "starting": 0,
            "connecting": stages[Stage.EARLY],
            "answering": 0,
            "ongoing": stages[Stage.CONFIRMED],
            "all": stages.total(),
        }

    def end(self, h_entry: int, h_id: int) -> None:
        """End the call with these numbers, or fail with 404."""
        for live in self.ledger:
            if (live.entry, live.number) == (h_entry, h_id):
                return self._terminate(live)
        raise CommandError(404, f"no call has h_entry {h_entry} and h_id {h_id}")

    def terminate(self, call_id: str, from_tag: str = "", to_tag: str = "") -> None:
        """End the call, or fail with 404."""
        self._terminate(self._find(call_id, from_tag, to_tag))

    def _find(self, call_id: str, *tags: str) -> LiveCall:
        for live in self.ledger:
            own = zip(tags, live.tags, strict=False)
            if live.call_id == call_id and all(asked in ("", tag) for asked, tag in own):
                return live
        raise CommandError(
            404, f"no call has Call-ID {call_id}" + "".join(f" and tag {t}" for t in tags if t)
        )

    def _terminate(self, live: LiveCall) -> None:
        if live.stage is not Stage.CONFIRMED:
            raise CommandError(409, f"{live.call_id} is not answered yet")
        self.ledger.terminate(live)
        self.progressed()


def _brief(live: LiveCall) -> dict[str, Json]:
    return {
        "h_entry": live.entry,
        "h_id": live.number,
        "call-id": live.call_id,
        "from_uri": live.from_uri,
        "to_uri": live.to_uri,
        "state": live.stage.value,
        "start_ts": int(live.answered),
        "init_ts": int(live.began),
        "counters": [*live.moved],
    }


def _describe(live: LiveCall, now: float) -> Json:
    is_up = live.stage is Stage.CONFIRMED
    return {
        **_brief(live),
        "end_ts": 0,
        "duration": int(now - live.answered) if is_up else 0,
        "timeout": int(live.deadline) if is_up else 0,
        "lifetime": int(live.ends - (live.answered or live.began)),
        "dflags": 0,
        "sflags": 0,
        "iflags": 0,
        "caller": _side(live.caller),
        "callee": _side(live.callee),
        "profiles": [],
        "variables": [],
    }


def _side(side: Side) -> Json:
    return {
        "tag": side.tag,
        "contact": side.target,
        "cseq": str(side.cseq),
        "route_set": ", ".join(side.routes),
        "socket": "",
    }


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters as an operator repairs them."""

    ledger: Ledger

    def get(self, key: str) -> int:
        """Return what a counter counts."""
        return self.ledger.counts[key]

    def list(self, prefix: str = "") -> Json:
        """Return those whose key begins like that."""
        counts = sorted(self.ledger.counts.items())
        return [{"key": key, "calls": count} for key, count in counts if key.startswith(prefix)]

    async def check(self) -> Json:
        """Return where Redis is wrong, or fail with 503 if it does not answer."""
        suspects: set[str] | None = None
        differences: dict[str, tuple[int, int]] = {}
        for _ in range(LOOKS):  # what differs because it is just being written does not for long
            try:
                differences = await self.ledger.differences()
            except StateUnavailable as error:
                raise CommandError(503, f"Redis: {error}") from error
            suspects = set(differences) if suspects is None else suspects & set(differences)
            if not suspects:
                return []
        assert suspects is not None, "there was a look"
        return [
            {"key": key, "right": right, "found": found}
            for key, (right, found) in sorted(differences.items())
            if key in suspects
        ]

    async def clean(self) -> Json:
        """Have Redis written anew, if it is wrong anywhere."""
        differences = await self.check()
        if differences:
            await self.ledger.repair()
        return differences
