"""Registrations between memory and table: nothing is promised that a restart would forget."""

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import replace
from functools import partial
from itertools import count

import pytest

from ngcp.provisioning.line import StatementRefused
from ngcp.provisioning.location import PINGING, LocationRow
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.proxy.batches import settled
from ngcp.proxy.locations import WAITING, Locations, from_row, to_row
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Rules, Source, Update
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.core.registration import BadContact
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
    source=Source(
        "<sip:lb@127.0.0.1:5060;lr>", "sip:192.0.2.1:5060;transport=tls", "tls:192.0.2.2:5061", True
    ),
    user_agent="phone",
    instance="<urn:uuid:1>",
    reg_id=1,
)


def make_locations(table: MemoryTable) -> Locations:
    ids = count()
    return Locations(Registrar(Rules(), lambda: str(next(ids))), table, run_now)


def store(locations: Locations, binding: Binding) -> None:
    run_now(settled(partial(locations.store, Update(binding.aor, saved=[binding]))))


def test_row_and_back() -> None:
    assert from_row(to_row(BINDING)) == BINDING
    for pinging in PINGING:
        for nat in (True, False):
            bound = replace(BINDING, source=replace(BINDING.source, is_behind_nat=nat, pinging=pinging))
            assert from_row(to_row(bound)) == bound


def test_registration_survives_a_restart() -> None:
    table = MemoryTable()
    store(make_locations(table), BINDING)
    restarted = make_locations(table)

    async def load() -> None:
        assert await restarted.load() == 1

    run_now(load())
    assert restarted.registrar.bindings(ALICE, 0.0) == [BINDING]


def test_dead_database_changes_nothing_in_memory() -> None:
    locations = make_locations(MemoryTable(dead=True))
    with pytest.raises(DatabaseUnavailable):
        store(locations, BINDING)
    assert len(locations.registrar) == 0


def test_binding_that_the_table_cannot_hold_is_the_clients_fault() -> None:
    locations = make_locations(MemoryTable())
    broken = Binding("r2", ALICE, "sip:a@h", 3600.0, "x" * 300, 1)
    with pytest.raises(BadContact):
        store(locations, broken)


def test_sweep_forgets_what_is_over_in_the_table() -> None:
    table = MemoryTable()
    locations = make_locations(table)
    store(locations, BINDING)
    run_now(locations.sweep(3599.0))
    assert len(table.rows) == 1
    run_now(locations.sweep(3600.0))
    assert len(table.rows) == 0


def test_sweep_without_the_database_leaves_it_for_later(caplog: pytest.LogCaptureFixture) -> None:
    table = MemoryTable()
    locations = make_locations(table)
    store(locations, BINDING)
    table.dead = True
    run_now(locations.sweep(3600.0))
    assert "stay in the table" in caplog.text


def test_what_came_later_counts_where_both_are_written_together() -> None:
    pending: list[Coroutine[None, None, None]] = []
    table = MemoryTable()
    locations = Locations(Registrar(Rules(), lambda: ""), table, pending.append)
    for update in (Update(ALICE, saved=[BINDING]), Update(ALICE, removed=[BINDING])):
        locations.store(update, lambda error: None)
    assert locations.is_changing(ALICE)
    run_now(pending.pop())
    assert (len(table.rows), len(locations.registrar)) == (0, 0)
    assert not locations.is_changing(ALICE)


def test_a_long_user_agent_is_cut() -> None:
    assert to_row(replace(BINDING, user_agent="u" * 300)).user_agent == "u" * 255


class SlowTable(MemoryTable):
    """A table that takes as long as the test says, and does not like some contacts."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.saved: list[list[str]] = []
        self.refused: set[str] = set()

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        self.saved.append([row.ruid for row in rows])
        await self.gate.wait()
        if self.refused & {row.ruid for row in rows}:
            raise StatementRefused("Incorrect string value")
        await super().save(rows, removed_ruids)


def store_together(table: SlowTable, count: int) -> list[tuple[str, Exception | None]]:
    """Store r0, r1 … while the table is busy with r0; return what each was told, in that order."""
    told: list[tuple[str, Exception | None]] = []

    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []
        registrar = Registrar(Rules(), lambda: "")
        locations = Locations(registrar, table, lambda work: tasks.append(asyncio.create_task(work)))
        for number in range(count):
            binding = replace(BINDING, ruid=f"r{number}", aor=AddressOfRecord(f"u{number}", "example.org"))
            locations.store(
                Update(binding.aor, saved=[binding]),
                lambda error, ruid=binding.ruid: told.append((ruid, error)),  # type: ignore[misc]
            )
            await asyncio.sleep(0)
        assert told == []
        assert len(registrar) == 0
        table.gate.set()
        await asyncio.gather(*tasks)
        assert {binding.ruid for binding in registrar} == set(table.rows)

    asyncio.run(main())
    return told


def test_what_comes_while_the_table_is_written_is_written_together() -> None:
    table = SlowTable()
    assert store_together(table, 4) == [("r0", None), ("r1", None), ("r2", None), ("r3", None)]
    assert table.saved == [["r0"], ["r1", "r2", "r3"]]


def test_dead_database_refuses_all_that_wait() -> None:
    table = SlowTable()
    table.dead = True
    told = store_together(table, 3)
    assert [ruid for ruid, error in told if isinstance(error, DatabaseUnavailable)] == ["r0", "r1", "r2"]


def test_one_that_cannot_be_stored_does_not_keep_the_others_from_it() -> None:
    table = SlowTable()
    table.refused = {"r2"}
    told = dict(store_together(table, 4))
    assert isinstance(told.pop("r2"), BadContact)
    assert told == {"r0": None, "r1": None, "r3": None}


def test_database_that_is_too_slow_for_all_that_comes_refuses_the_rest() -> None:
    pending: list[Coroutine[None, None, None]] = []
    locations = Locations(Registrar(Rules(), lambda: ""), MemoryTable(), pending.append)
    told: list[Exception | None] = []
    for _ in range(WAITING + 1):
        locations.store(Update(ALICE, saved=[BINDING]), told.append)
    assert [type(error) for error in told] == [DatabaseUnavailable]
    while pending:
        run_now(pending.pop())
    assert told[1:] == [None] * WAITING
