"""Commands that operators and the REST API send to the proxy: `ul.*` (platform names) and `stats`."""

from collections.abc import Callable
from functools import partial

from ngcp.service.commands import CommandTable
from ngcp.service.statistics import Statistics, add_statistics

from .core import ProxyCore
from .dialog_control import add_dialogs
from .locations import Locations
from .userlocation import UserLocation


def make_commands(
    core: ProxyCore, locations: Locations, unix: Callable[[], float], ids: Callable[[], str]
) -> CommandTable:
    """Return the table of the proxy's commands."""
    table = CommandTable("kamailio-proxy")
    UserLocation(locations, unix, ids).add_to(table)
    add_statistics(table, lambda: statistics(core))
    add_dialogs(table, core.ledger, unix, core.progressed)
    table.add("directory.drop", partial(_drop, core), "NAME …: user@domain, domain or * has changed")
    return table


def _drop(core: ProxyCore, *names: str) -> int:
    """Have the directory forget; return how many names that were."""
    for name in names:
        core.directory.drop(name)
    return len(names)


def statistics(core: ProxyCore) -> Statistics:
    """Return counters by name, and what is alive now."""
    alive: Statistics = {
        "transactions": core.transactions,
        "registrations": core.registrations,
        "usrloc.location-contacts": core.registrations,
        "usrloc.location-users": core.registered_users,
    }
    alive |= {"calls": len(core.ledger)} | core.ledger.statistics
    return alive | dict(sorted(core.counters.items()))
