"""Which commands make Redis what the platform's tools expect."""

import pytest

from ngcp.state.layout import WORDS, Databases, counters

DB = Databases()


def test_counters_are_set_or_gone() -> None:
    assert DB.count({"total": 2, "user:u": 0, "userout:u": 1}) == [
        (3, "MSET", "total", "2", "userout:u", "1"),
        (3, "DEL", "user:u"),
    ]
    assert DB.count({}) == []


def test_many_counters_are_several_commands() -> None:
    commands = DB.count({f"user:{number}": number % 3 for number in range(10_000)})
    assert max(map(len, commands)) == WORDS + 2
    assert sum(len(command) - 2 for command in commands) == 6666 * 2 + 3334
    assert all(len(command) % 2 == 0 for command in commands if command[1] == "MSET")


@pytest.mark.parametrize(
    "key",
    [
        *("total", "user:u", "userout:u", "totaluser:u", "totaluserout:u", "account:1", "totalaccountout:1"),
        *("reseller:1", "totalreseller:1", "peer:1", "peerout:1", "user:a\nb"),
    ],
)
def test_counters_are_known(key: str) -> None:
    assert counters([key]) == [key]


@pytest.mark.parametrize("key", ["totals", "fu;tu;ru", "users:1", "list:c", "", "ngcp:writer", "out:1"])
def test_what_others_keep_is_left_alone(key: str) -> None:
    assert counters([key]) == []


def test_reset_takes_what_is_ours() -> None:
    assert DB.reset(["total", "fu;tu;ru", "user:u"]) == [
        (5, "DEL", "calls", "records"),
        (4, "FLUSHDB"),
        (3, "DEL", "total", "user:u"),
    ]


@pytest.mark.parametrize("numbers", [{"own": 3}, {"acc": 4}, {"central": -1}])
def test_databases_have_a_number_of_their_own(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="number of their own"):
        Databases(**numbers)
