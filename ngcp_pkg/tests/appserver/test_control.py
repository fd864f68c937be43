"""What operators are told of who is locked out, and how they let him in again."""

import asyncio

import pytest

from ngcp.appserver.control import add_locks
from ngcp.appserver.lockout import TRIES, Lockout
from ngcp.service.commands import CommandError, CommandTable

MAILBOX, CALLER = "mailbox a1111111-1111-1111-1111-111111111111", "caller 4369911"


@pytest.fixture
def lockout() -> Lockout:
    lockout = Lockout()
    for _ in range(TRIES):
        lockout.fail((MAILBOX, CALLER), 0.0)
    return lockout


@pytest.fixture
def table(lockout: Lockout) -> CommandTable:
    table = CommandTable("asterisk")
    add_locks(table, lockout, lambda: 60.0)
    return table


def test_locks_are_listed(table: CommandTable) -> None:
    listed = asyncio.run(table.call("mailbox.locks"))
    assert listed == [{"name": MAILBOX, "seconds": 840}, {"name": CALLER, "seconds": 840}]


def test_one_is_unlocked(table: CommandTable, lockout: Lockout) -> None:
    assert asyncio.run(table.call("mailbox.unlock", *MAILBOX.split())) == "OK"
    assert [one.name for one in lockout.locked(60.0)] == [CALLER]


def test_all_are_unlocked(table: CommandTable, lockout: Lockout) -> None:
    assert asyncio.run(table.call("mailbox.unlock", "all")) == "OK"
    assert list(lockout.locked(60.0)) == []


@pytest.mark.parametrize("words", [[], ["mailbox"], ["caller", "4399"]])
def test_who_is_not_locked(table: CommandTable, words: list[str]) -> None:
    with pytest.raises(CommandError, match="has tried no wrong PIN"):
        asyncio.run(table.call("mailbox.unlock", *words))
