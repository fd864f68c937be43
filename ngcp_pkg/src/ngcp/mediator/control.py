"""What operators may ask the mediator, and what Prometheus is told."""

from collections.abc import Callable
from typing import Final

from ngcp.service import process
from ngcp.service.commands import CommandTable, Json
from ngcp.service.metrics import PROCESS, Family, exposition
from ngcp.service.statistics import Statistics, add_statistics

from .closing import Moment
from .core import Mediator
from .pool import ALONE, Waiting

PREFIX: Final = "ngcp_mediator"
FAMILIES: Final = (
    Family("calls", f"{PREFIX}_cdrs_total", "CDRs stored, by status.", label="status"),
    Family(
        "closed", f"{PREFIX}_closed_total", "CDRs of calls without a stop record, by why.", label="closed_by"
    ),
    Family("records", f"{PREFIX}_records_total", "Call records, by what became of them.", label="what"),
    Family("waiting", f"{PREFIX}_records_waiting", "Call records that wait for others.", "gauge"),
    Family("active", f"{PREFIX}_active", "Whether this mediator is at work: 1 or 0.", "gauge"),
    *PROCESS,
)


def statistics(mediator: Mediator) -> Statistics:
    """Return counters by name, and what is alive now."""
    alive: Statistics = {"waiting": len(mediator.pool), "active": int(mediator.is_active)}
    return alive | dict(sorted(mediator.statistics.items()))


def metrics(mediator: Mediator) -> str:
    """Return everything in Prometheus' text format."""
    return exposition(PREFIX, FAMILIES, statistics(mediator) | process.usage())


def make_commands(mediator: Mediator, now: Callable[[], Moment], status: Callable[[], str]) -> CommandTable:
    """Return the table of commands."""
    table = CommandTable("ngcp-mediator")
    add_statistics(table, lambda: statistics(mediator))
    table.add("status", status, "what the mediator does now, in a line")
    table.add("stuck", lambda: stuck(mediator, now()), "records that wait without a call that goes on")
    return table


def stuck(mediator: Mediator, now: Moment) -> list[Json]:
    """Describe the records that wait, and should not have to; those that have waited longest come first."""
    rows: list[tuple[Waiting, str, float]] = []
    for waiting in mediator.pool.open:
        found = mediator.closer.explain(waiting.entry, now)
        if found is not None:
            rows.append((waiting, *found))
    rows += [
        (waiting, ALONE, waiting.since + mediator.patience - now.monotonic) for waiting in mediator.pool.lone
    ]
    return [
        {
            "call_id": waiting.entry.row.callid,
            "method": waiting.entry.row.method,
            "branch": waiting.entry.row.branch_id,
            "time": waiting.entry.row.time,
            "seconds": round(now.monotonic - waiting.since),
            "why": why,
            "left": max(round(left), 0),
        }
        for waiting, why, left in sorted(rows, key=lambda row: row[0].since)
    ]
