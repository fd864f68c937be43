"""What operators and the REST API do to registrations (platform commands `ul.*`)."""

import asyncio
from itertools import count

import pytest

from ngcp.proxy.locations import Locations
from ngcp.proxy.userlocation import NEVER, UserLocation
from ngcp.service.commands import CommandError, Json
from ngcp.sip.core.bindings import Rules
from ngcp.sip.core.registrar import Registrar
from proxy.doors import MemoryTable, run_now

AOR = "alice@example.org"


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def registrations(table: MemoryTable) -> UserLocation:
    ids = count(1)

    def token() -> str:
        return f"id{next(ids)}"

    return UserLocation(Locations(Registrar(Rules(), token), table, run_now), lambda: 1000.0, token)


def test_added_contact_is_shown_stored_and_called(registrations: UserLocation, table: MemoryTable) -> None:
    path = "<sip:lb@127.0.0.1;lr>"
    ruid = asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600, 0.5, path, 0, 1))
    assert registrations.lookup("location", AOR) == {
        "AoR": AOR,
        "Contacts": [
            {
                "Contact": {
                    "Address": "sip:a@192.0.2.1",
                    "Expires": 600,
                    "Q": 0.5,
                    "Call-ID": "id2",
                    "CSeq": 1,
                    "User-Agent": "ngcp-api",
                    "Received": "[not set]",
                    "Path": path,
                    "State": "CS_SYNC",
                    "Flags": 0,
                    "CFlags": 1,
                    "Socket": "[not set]",
                    "Ruid": ruid,
                    "Instance": "[not set]",
                    "Reg-Id": 0,
                }
            }
        ],
    }
    assert [(stored.path, stored.cflags) for stored in table.rows.values()] == [(path, 1)]


def test_dump_has_kamailios_shape(registrations: UserLocation) -> None:
    for aor in ("bob@example.org", AOR):
        asyncio.run(registrations.add("location", aor, "sip:a@192.0.2.1", 600))
    assert aors(registrations.dump("brief")) == [{"AoR": AOR}, {"AoR": "bob@example.org"}]
    assert aors(registrations.dump()) == [
        registrations.lookup("location", aor) for aor in (AOR, "bob@example.org")
    ]
    with pytest.raises(CommandError):
        registrations.dump("all")


def aors(dump: Json) -> list[Json]:
    """Return the addresses-of-record of a dump."""
    match dump:
        case {"Domains": [{"Domain": {"Domain": "location", "AoRs": [*infos], "Stats": {"Records": count}}}]}:
            assert count == len(infos)
            return [info["Info"] for info in infos if isinstance(info, dict)]
    raise AssertionError(dump)


def test_nothing_needs_flushing(registrations: UserLocation, table: MemoryTable) -> None:
    asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600))
    before = dict(table.rows)
    registrations.flush()
    assert table.rows == before != {}


def test_adding_again_refreshes(registrations: UserLocation, table: MemoryTable) -> None:
    first = asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600))
    assert asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 60)) == first
    assert [row.expires for row in table.rows.values()] == [1060.0]


def test_zero_seconds_are_for_ever(registrations: UserLocation, table: MemoryTable) -> None:
    asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 0))
    assert [row.expires for row in table.rows.values()] == [NEVER]
    assert "'Expires': 'permanent'" in str(registrations.lookup("location", AOR))


def test_one_contact_is_removed_or_all(registrations: UserLocation, table: MemoryTable) -> None:
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        asyncio.run(registrations.add("location", AOR, f"sip:a@{host}", 600))
    assert asyncio.run(registrations.remove_contact("location", AOR, "sip:a@192.0.2.1")) == 1
    assert asyncio.run(registrations.remove("location", AOR)) == 2
    assert table.rows == {}


@pytest.mark.parametrize("table_name", ["location", "aliases"])
@pytest.mark.parametrize("aor", ["alice", "@example.org", "alice@", ""])
def test_address_that_is_none_is_refused(registrations: UserLocation, table_name: str, aor: str) -> None:
    with pytest.raises(CommandError) as caught:
        registrations.lookup(table_name, aor)
    assert caught.value.code == 400


def test_unknown_contact_and_subscriber_are_404(registrations: UserLocation) -> None:
    with pytest.raises(CommandError) as caught:
        registrations.lookup("location", AOR)
    assert caught.value.code == 404
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.remove_contact("location", AOR, "sip:a@192.0.2.1"))
    assert caught.value.code == 404


def test_dead_database_is_503_and_changes_nothing(registrations: UserLocation, table: MemoryTable) -> None:
    table.dead = True
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600))
    assert caught.value.code == 503
    assert aors(registrations.dump()) == []


@pytest.mark.parametrize("contact", ["", "nonsense", "mailto:a@h", "sip:a@h\r\nX: y"])
def test_contact_that_nobody_can_call_is_refused(registrations: UserLocation, contact: str) -> None:
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, contact, 600))
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "path", ["nonsense", "<sip:lb@h>\r\nX: y", "<sip:lb@h>;x=\r\nX: y", "<sip:a@h>, <x>"]
)
def test_path_that_would_break_a_request_is_refused(registrations: UserLocation, path: str) -> None:
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600, 1.0, path))
    assert caught.value.code == 400


@pytest.mark.parametrize("more", [(7,), ("", 0, "x")])
def test_arguments_of_the_wrong_kind_are_refused(registrations: UserLocation, more: tuple[Json, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        asyncio.run(registrations.add("location", AOR, "sip:a@192.0.2.1", 600, 1.0, *more))
    assert caught.value.code == 400
