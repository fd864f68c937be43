"""What one operator asks, all workers answer: commands of the main process that hold for every worker.

The others hear the same command over their links, and what all of them say becomes one answer. Commands that
are not named here are the main process's own matter, or about a table that all workers share.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from ngcp.lb.colleagues import Colleagues
from ngcp.service.commands import CommandTable, Json
from ngcp.service.statistics import Statistics

#: The command that returns the counters of one worker.
OWN: Final = "worker.stats"
#: How the names of those counters begin that all workers have in common.
SAME: Final = ("dispatcher.proxies", "bans.")

#: Makes one result of the results of all workers, the main one's first.
Merge = Callable[[list[Any]], Json]


def add_up(results: list[Statistics]) -> dict[str, Json]:
    """Add numbers of the same name."""
    return {**_sum(results)}


def _sum(results: list[Statistics]) -> Statistics:
    counter: Counter[str] = Counter()
    for result in results:
        counter.update(cast("dict[str, int]", result))
    return {**counter}


async def total(own: Statistics, colleagues: Colleagues) -> Statistics:
    """Add the counters of all workers; what each knows of the same proxies is not more for that."""
    same = {name: number for name, number in own.items() if name.startswith(SAME)}
    return _sum([own, *cast("list[Statistics]", await colleagues.ask(OWN))]) | same


def take_first(results: list[Any]) -> Json:
    """All say the same, or have failed."""
    first: Json = results[0]
    return first


def list_connections(results: list[list[dict[str, Json]]]) -> list[Json]:
    """List all connections, numbered anew."""
    rows = (row for result in results for row in result)
    return [{**row, "id": number} for number, row in enumerate(rows, 1)]


def list_processes(results: list[list[Json]]) -> list[Json]:
    """List process numbers and what each does, in turn."""
    first, *others = results
    workers = ([result[0], f"worker {number}"] for number, result in enumerate(others, 1))
    return [*first, *(item for pair in workers for item in pair)]


def list_processes_in_detail(results: list[list[dict[str, Json]]]) -> list[Json]:
    """List one structure a process."""
    first, *others = results
    workers = ({**result[0], "DSC": f"worker {number}"} for number, result in enumerate(others, 1))
    return [{**row, "IDX": index} for index, row in enumerate((*first, *workers))]


def join_traces(results: list[dict[str, Any]]) -> dict[str, Json]:
    """Put what the workers saw into the order of time."""
    messages = [message for result in results for message in result["messages"]]
    return {
        "messages": sorted(messages, key=lambda message: float(message["at"])),
        "lost": sum(result["lost"] for result in results),
        "more": any(result["more"] for result in results),
    }


MERGES: Final[Mapping[str, Merge]] = {
    "core.ps": list_processes,
    "core.psx": list_processes_in_detail,
    "core.tcp_info": add_up,
    "core.tcp_list": list_connections,
    "dispatcher.reload": take_first,
    "dispatcher.set_state": take_first,
    "tls.list": list_connections,
    "tls.reload": take_first,
    "tm.stats": add_up,
    "trace.read": join_traces,
    "trace.start": take_first,
    "trace.stop": take_first,
}


def spread(table: CommandTable, colleagues: Colleagues) -> None:
    """Let the commands of `MERGES` hold for all workers."""
    for name, merge in MERGES.items():
        table.replace(name, _everywhere(name, table.function(name), merge, colleagues))


def _everywhere(
    name: str, function: Callable[..., Any], merge: Merge, colleagues: Colleagues
) -> Callable[..., Any]:
    async def call(*arguments: Json) -> Json:
        own = function(*arguments)
        if inspect.isawaitable(own):
            own = await own
        return merge([own, *await colleagues.ask(name, *arguments)])

    return call
