"""The tables as operators see and edit them: Kamailio's htable commands."""

import asyncio

import pytest

from ngcp.lb.expiring import ExpiringTable
from ngcp.lb.sources import read_source
from ngcp.lb.tables import TableCommands
from ngcp.service.commands import CommandError, CommandTable, Json


class Operator:
    """Somebody with ngcp-sercmd."""

    def __init__(self) -> None:
        self.now = 100.0
        self.bans = ExpiringTable("ipban", 60.0, key_of=read_source)
        self.logins = ExpiringTable("auth", 60.0)
        self._commands = CommandTable("kamailio-lb")
        tables = {table.name: table for table in (self.bans, self.logins)}
        TableCommands(tables, lambda: self.now).add_to(self._commands)

    def ask(self, name: str, *arguments: Json) -> Json:
        return asyncio.run(self._commands.call(name, *arguments))

    def refused(self, name: str, *arguments: Json) -> tuple[int, str]:
        with pytest.raises(CommandError) as refusal:
            self.ask(name, *arguments)
        return refusal.value.code, refusal.value.message


@pytest.fixture
def operator() -> Operator:
    return Operator()


def test_dump_shows_names_values_and_types_in_kamailios_shape(operator: Operator) -> None:
    assert operator.ask("htable.dump", "ipban") == []
    operator.bans.set("192.0.2.1", 1, 100.0)
    operator.bans.set("192.0.2.2", "by hand", 100.0)

    assert operator.ask("htable.dump", "ipban") == [
        {"entry": 0, "size": 1, "slot": [{"name": "192.0.2.1", "value": 1, "type": "int"}]},
        {"entry": 1, "size": 1, "slot": [{"name": "192.0.2.2", "value": "by hand", "type": "str"}]},
    ]
    operator.now = 160.0
    assert operator.ask("htable.dump", "ipban") == []


def test_get_says_how_long_an_entry_lasts(operator: Operator) -> None:
    operator.ask("htable.seti", "auth", "alice@example.org::auth_count", "3")
    operator.now += 15

    assert operator.ask("htable.get", "auth", "alice@example.org::auth_count") == {
        "item": {"name": "alice@example.org::auth_count", "value": 3, "flags": 0, "expire": 45}
    }


def test_an_entry_is_set_and_deleted(operator: Operator) -> None:
    operator.ask("htable.sets", "auth", "a", 5)
    operator.ask("htable.seti", "auth", "b", 5)
    assert (operator.logins.get("a", 100.0), operator.logins.get("b", 100.0)) == ("5", 5)

    operator.ask("htable.delete", "auth", "a")
    operator.ask("htable.delete", "auth", "a")  # no error, as in Kamailio
    assert [key for key, _ in operator.logins.items(100.0)] == ["b"]
    operator.ask("htable.flush", "auth")
    assert len(operator.logins) == 0


def test_any_address_of_a_64_names_the_ban(operator: Operator) -> None:
    operator.ask("htable.seti", "ipban", "2001:DB8::7", 1)
    assert operator.ask("htable.get", "ipban", "2001:db8::8") == {
        "item": {"name": "2001:db8::", "value": 1, "flags": 0, "expire": 60}
    }
    operator.ask("htable.delete", "ipban", "2001:db8::9")
    assert len(operator.bans) == 0


def test_the_tables_are_listed_with_their_settings(operator: Operator) -> None:
    operator.ask("htable.seti", "ipban", "192.0.2.1", 1)
    tables, stats = operator.ask("htable.listTables"), operator.ask("htable.stats")

    assert isinstance(tables, list)
    assert tables[0] == {
        "name": "ipban",
        "dbtable": "",
        "dbmode": 0,
        "expire": 60,
        "updateexpire": 1,
        "size": 16_384,
        "dmqreplicate": 0,
    }
    assert isinstance(stats, list)
    assert stats[0] == {"name": "ipban", "slots": 16_384, "all": 1, "min": 0, "max": 1}


@pytest.mark.parametrize(
    ("question", "code", "problem"),
    [
        (("htable.dump", "bans"), 404, "No such htable: bans; there are: ipban, auth"),
        (("htable.get", "ipban", "192.0.2.1"), 404, "Key name doesn't exist in htable."),
        (("htable.seti", "ipban", "alice", 1), 400, "'alice' is no key of htable ipban: "),
        (("htable.seti", "auth", "a", "many"), 400, "a number expected, found 'many'"),
        (("htable.dump",), 400, "htable.dump(table: str)"),
    ],
)
def test_a_wrong_question_is_refused(
    operator: Operator, question: tuple[str, ...], code: int, problem: str
) -> None:
    found, message = operator.refused(*question)

    assert found == code
    assert message.startswith(problem)
