"""What operators may ask every daemon that talks, and what Prometheus is told of each."""

from collections.abc import Callable
from typing import Final

from ngcp.service import process
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.metrics import PROCESS, Family, exposition
from ngcp.service.statistics import Statistics, add_statistics

from .switchboard import Switchboard

#: Calls that are listed where nobody says how many.
PAGE: Final = 100


def statistics(core: Switchboard) -> Statistics:
    """Return counters by name, and what is alive now."""
    alive: Statistics = {"alive": len(core.calls), "transactions": core.transactions}
    return alive | dict(sorted(core.counters.items()))


def metrics(
    core: Switchboard, prefix: str, more: tuple[Family, ...] = (), extra: Callable[[], Statistics] = dict
) -> str:
    """Return everything in Prometheus' text format, under names that begin with `prefix`.

    `extra` are statistics beside those of calls, and `more` what they are to Prometheus.
    """
    families = (
        Family("requests", f"{prefix}_requests_total", "Requests received.", label="method"),
        Family("calls", f"{prefix}_calls_total", "Calls by application.", label="application"),
        Family("refused", f"{prefix}_refused_total", "Calls that no application took.", label="reason"),
        Family("malformed", f"{prefix}_malformed_total", "Messages that could not be read."),
        Family("alive", f"{prefix}_calls", "Calls alive, ringing or answered.", "gauge"),
        Family("transactions", f"{prefix}_transactions", "Transactions alive.", "gauge"),
        *more,
        *PROCESS,
    )
    return exposition(prefix, families, statistics(core) | extra() | process.usage())


def make_commands(
    core: Switchboard, name: str, clock: Callable[[], float], extra: Callable[[], Statistics] = dict
) -> CommandTable:
    """Return the commands of daemon `name`, for more to be added; `extra` as in `metrics`."""
    table = CommandTable(name)
    add_statistics(table, lambda: statistics(core) | extra())

    def calls(first: int = 0, count: int = PAGE) -> list[Json]:
        return core.calls.describe(clock(), first, count)

    def terminate(call: str) -> str:
        found = core.calls.find(call)
        if found is None:
            raise CommandError(404, f"there is no call {call}; calls lists them")
        found.end(clock())
        core.progressed()
        return "OK"

    table.add("calls", calls, "[FIRST [COUNT]]: the calls, the oldest first")
    table.add("terminate", terminate, "ID: end a call; whoever takes part gets a BYE")
    return table
