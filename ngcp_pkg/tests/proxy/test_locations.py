"""Registrations between memory and table: nothing is promised that a restart would forget."""

from itertools import count

import pytest

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.proxy.locations import Locations, from_row, to_row
from ngcp.sip.core.registrar import AddressOfRecord, BadContact, Binding, Registrar, Rules, Source, Update
from proxy.doors import MemoryTable, run_now

ALICE = AddressOfRecord("alice", "example.org")
BINDING = Binding(
    ruid="r1",
    aor=ALICE,
    contact="sip:alice@192.0.2.1:5060",
    expires_at=3600.0,
    call_id="c",
    cseq=7,
    q=0.5,
    source=Source("<sip:lb@127.0.0.1:5060;lr>", "sip:192.0.2.1:5060;transport=tls", "tls:192.0.2.2:5061"),
    user_agent="phone",
    instance="<urn:uuid:1>",
    reg_id=1,
)


def make_locations(table: MemoryTable) -> Locations:
    ids = count()
    return Locations(Registrar(Rules(), lambda: str(next(ids))), table)


def test_row_and_back() -> None:
    assert from_row(to_row(BINDING)) == BINDING


def test_registration_survives_a_restart() -> None:
    table = MemoryTable()
    run_now(make_locations(table).store(Update(ALICE, saved=[BINDING])))
    restarted = make_locations(table)

    async def load() -> None:
        assert await restarted.load() == 1

    run_now(load())
    assert restarted.registrar.bindings(ALICE, 0.0) == [BINDING]


def test_dead_database_changes_nothing_in_memory() -> None:
    locations = make_locations(MemoryTable(dead=True))
    with pytest.raises(DatabaseUnavailable):
        run_now(locations.store(Update(ALICE, saved=[BINDING])))
    assert len(locations.registrar) == 0


def test_binding_that_the_table_cannot_hold_is_the_clients_fault() -> None:
    locations = make_locations(MemoryTable())
    broken = Binding("r2", ALICE, "sip:a@h", 3600.0, "x" * 300, 1)
    with pytest.raises(BadContact):
        run_now(locations.store(Update(ALICE, saved=[broken])))


def test_sweep_forgets_what_is_over_here_and_there() -> None:
    table = MemoryTable()
    locations = make_locations(table)
    run_now(locations.store(Update(ALICE, saved=[BINDING])))
    run_now(locations.sweep(3599.0))
    assert len(table.rows) == len(locations.registrar) == 1
    run_now(locations.sweep(3600.0))
    assert len(table.rows) == len(locations.registrar) == 0


def test_sweep_goes_on_without_the_database(caplog: pytest.LogCaptureFixture) -> None:
    table = MemoryTable()
    locations = make_locations(table)
    run_now(locations.store(Update(ALICE, saved=[BINDING])))
    table.dead = True
    run_now(locations.sweep(3600.0))
    assert len(locations.registrar) == 0
    assert "stay in the table" in caplog.text
