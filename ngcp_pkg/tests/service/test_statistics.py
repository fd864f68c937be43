"""The counters of a daemon, asked for as Kamailio's operators ask."""

import asyncio

import pytest

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.statistics import COUNTED, add_statistics, name_of_request

COUNTERS: dict[str, int | float] = {
    "transactions": 2,
    "requests.INVITE": 3,
    "requests.other": 1,
    "refused.403 Relaying denied": 4,
}


def ask(name: str, *arguments: Json) -> Json:
    table = CommandTable("kamailio-lb")
    add_statistics(table, lambda: COUNTERS)
    return asyncio.run(table.call(name, *arguments))


def test_stats_are_numbers_by_name() -> None:
    assert ask("stats") == COUNTERS


@pytest.mark.parametrize("arguments", [("all",), ()])
def test_all_statistics_one_a_line(arguments: tuple[str, ...]) -> None:
    assert ask("stats.get_statistics", *arguments) == [
        "core:transactions = 2",
        "requests:INVITE = 3",
        "requests:other = 1",
        "refused:403 Relaying denied = 4",
    ]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("requests:",), {"requests.INVITE": 3, "requests.other": 1}),
        (("core:",), {"transactions": 2}),
        (("requests.INVITE", "transactions"), {"requests.INVITE": 3, "transactions": 2}),
        (("requests:INVITE",), {"requests.INVITE": 3}),
    ],
)
def test_groups_and_single_ones(names: tuple[str, ...], found: dict[str, int]) -> None:
    assert ask("stats.fetchn", *names) == found
    assert ask("stats.fetch", *names) == {name: str(value) for name, value in found.items()}


def test_no_such_statistics() -> None:
    with pytest.raises(CommandError, match=r"no statistics requests\.BYE"):
        ask("stats.fetch", "requests.BYE")


def test_a_peer_cannot_invent_counters() -> None:
    assert name_of_request("INVITE") == "requests.INVITE"
    assert {name_of_request(f"X{number}") for number in range(100)} == {"requests.other"}
    assert len({name_of_request(method) for method in COUNTED}) == len(COUNTED)
