"""The counters of a daemon: a flat dictionary `group.name` → number, that of several processes can be summed.

One reader of them serves every asker: `stats`, Kamailio's `stats.*`, the metrics (`ngcp.service.metrics`).
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from ngcp.service.commands import CommandError, CommandTable, Json

Statistics: TypeAlias = dict[str, int | float]

#: Methods counted by name (RFC 3261 and its extensions); a peer can invent others without end.
COUNTED: Final = (
    *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
    *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
)
_NAMES: Final = {method: f"requests.{method}" for method in COUNTED}


def name_of_request(method: str) -> str:
    """Return the name under which requests of this method are counted."""
    return _NAMES.get(method, "requests.other")


def add_statistics(table: CommandTable, read: Callable[[], Statistics | Awaitable[Statistics]]) -> None:
    """Offer what `read` returns as `stats`, and as Kamailio's `stats.*` do."""

    async def selected(names: tuple[Json, ...]) -> Statistics:
        statistics = read()
        return select(await statistics if inspect.isawaitable(statistics) else statistics, names)

    async def stats() -> dict[str, Json]:
        return _as_json(await selected(()))

    async def get_statistics(*names: Json) -> list[Json]:
        return [f"{_kamailio(name)} = {value}" for name, value in (await selected(names)).items()]

    async def fetch(*names: Json) -> dict[str, Json]:
        return {name: str(value) for name, value in (await selected(names)).items()}

    async def fetchn(*names: Json) -> dict[str, Json]:
        return _as_json(await selected(names))

    table.add("stats", stats, "counters since the start, and what is alive now")
    table.add(
        "stats.get_statistics",
        get_statistics,
        "all | GROUP: | NAME …: the counters of these names or groups, one a line",
    )
    table.add(
        "stats.fetch",
        fetch,
        "all | GROUP: | NAME …: the same as a structure of texts",
    )
    table.add(
        "stats.fetchn",
        fetchn,
        "all | GROUP: | NAME …: the same as a structure of numbers",
    )


def select(statistics: Statistics, names: tuple[Json, ...]) -> Statistics:
    """Return the counters that are asked for: `all`, a group `requests:`, or `requests.INVITE`."""
    found: Statistics = {}
    for wanted in map(str, names or ("all",)):
        some = {name: value for name, value in statistics.items() if _is_meant(name, wanted)}
        if not some and wanted != "all":
            raise CommandError(404, f"no statistics {wanted}")
        found |= some
    return found


def _is_meant(name: str, wanted: str) -> bool:
    if wanted == "all":
        return True
    return _kamailio(name).startswith(wanted) if wanted.endswith(":") else wanted in (name, _kamailio(name))


def _kamailio(name: str) -> str:
    """Write a name as Kamailio does, `GROUP:NAME`; what has no group is of the core."""
    return name.replace(".", ":", 1) if "." in name else f"core:{name}"


def _as_json(statistics: Statistics) -> dict[str, Json]:
    return dict(statistics)
