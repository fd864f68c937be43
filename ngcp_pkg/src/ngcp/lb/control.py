"""Commands that operators send to the load-balancer."""

from ngcp.lb.core import LoadBalancer
from ngcp.service.commands import CommandTable, Json


def make_commands(core: LoadBalancer) -> CommandTable:
    """Return the table of the load-balancer's commands."""
    table = CommandTable("kamailio-lb")
    table.add("stats", lambda: stats(core), "counters since the start, and what is alive now")
    return table


def stats(core: LoadBalancer) -> dict[str, Json]:
    """Return counters by name."""
    alive: dict[str, Json] = {"transactions": core.transactions, "connections": core.connections}
    return alive | dict(sorted(core.counters.items()))
