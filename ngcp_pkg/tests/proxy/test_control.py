"""What operators and the REST API do to registrations (platform commands `ul.*`)."""

import asyncio
from itertools import count

import pytest

from ngcp.proxy.control import NEVER, Registrations
from ngcp.proxy.locations import Locations
from ngcp.service.commands import CommandError
from ngcp.sip.core.registrar import Registrar, Rules
from proxy.doors import MemoryTable, run_now

AOR = "alice@example.org"


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def registrations(table: MemoryTable) -> Registrations:
    ids = count(1)

    def token() -> str:
        return f"id{next(ids)}"

    return Registrations(Locations(Registrar(Rules(), token), table, run_now), lambda: 1000.0, token)


def test_added_contact_is_shown_stored_and_called(registrations: Registrations, table: MemoryTable) -> None:
    asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600, 0.5, "<sip:lb@127.0.0.1;lr>"))
    (row,) = registrations.lookup("location", AOR)
    assert isinstance(row, dict)
    assert (row["aor"], row["contact"], row["expires"], row["q"]) == (AOR, "sip:a@192.0.2.1", 600, 0.5)
    assert registrations.dump() == [row]
    assert [stored.path for stored in table.rows.values()] == ["<sip:lb@127.0.0.1;lr>"]


def test_adding_again_refreshes(registrations: Registrations, table: MemoryTable) -> None:
    first = asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600))
    assert asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 60)) == first
    assert [row.expires for row in table.rows.values()] == [1060.0]


def test_zero_seconds_are_for_ever(registrations: Registrations, table: MemoryTable) -> None:
    asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 0))
    assert [row.expires for row in table.rows.values()] == [NEVER]


def test_one_contact_is_removed_or_all(registrations: Registrations, table: MemoryTable) -> None:
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        asyncio.run(registrations.add("location", AOR, f"sip:a@{host}", 600))
    assert asyncio.run(registrations.remove_contact("location", AOR, "sip:a@192.0.2.1")) == 1
    assert asyncio.run(registrations.remove("location", AOR)) == 2
    assert table.rows == {}


@pytest.mark.parametrize("table_name", ["location", "aliases"])
@pytest.mark.parametrize("aor", ["alice", "@example.org", "alice@", ""])
def test_address_that_is_none_is_refused(registrations: Registrations, table_name: str, aor: str) -> None:
    with pytest.raises(CommandError) as caught:
        registrations.lookup(table_name, aor)
    assert caught.value.code == 400


def test_unknown_contact_and_subscriber_are_404(registrations: Registrations) -> None:
    with pytest.raises(CommandError) as caught:
        registrations.lookup("location", AOR)
    assert caught.value.code == 404
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.remove_contact("location", AOR, "sip:a@192.0.2.1"))
    assert caught.value.code == 404


def test_dead_database_is_503_and_changes_nothing(registrations: Registrations, table: MemoryTable) -> None:
    table.dead = True
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600))
    assert caught.value.code == 503
    assert registrations.dump() == []


@pytest.mark.parametrize("contact", ["", "nonsense", "mailto:a@h", "sip:a@h\r\nX: y"])
def test_contact_that_nobody_can_call_is_refused(registrations: Registrations, contact: str) -> None:
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, contact, 600))
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "path", ["nonsense", "<sip:lb@h>\r\nX: y", "<sip:lb@h>;x=\r\nX: y", "<sip:a@h>, <x>"]
)
def test_path_that_would_break_a_request_is_refused(registrations: Registrations, path: str) -> None:
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600, 1.0, path))
    assert caught.value.code == 400
