"""Call records on their way into the database."""

from collections.abc import Collection, Sequence
from itertools import count

import pytest

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.line import StatementRefused
from ngcp.proxy import archive
from ngcp.proxy.archive import NEVER, RETRY, Archive, read, write
from proxy.doors import run_now
from proxy.stores import MemoryAcc

_numbers = count()


def record(call_id: str = "c") -> AccRow:
    return AccRow("INVITE", "a", "b", call_id, "200", "OK", "2026-01-01 00:00:00", f"{next(_numbers)}.000")


class Fussy(MemoryAcc):
    """A table that does not take one of the records, nor a statement that it is in."""

    async def save(self, rows: Collection[AccRow]) -> None:
        if any(row.callid == "bad" for row in rows):
            raise StatementRefused("no such character")
        await super().save(rows)


def test_records_are_stored_at_once() -> None:
    table = MemoryAcc()
    kept = Archive(table, run_now)
    rows = [record(), record()]
    kept.add(rows)
    assert [*table.rows.values()] == rows
    assert (len(kept), kept.due) == (0, NEVER)


def test_they_wait_for_the_database_and_are_told_apart() -> None:
    table, late, stored = MemoryAcc(dead=True), list[AccRow](), list[str]()
    kept = Archive(table, run_now)
    kept.delayed, kept.kept = late.extend, stored.extend
    first, second = record(), record()
    kept.add([first])
    kept.add([second])  # does not ask again by itself
    assert (late, kept.delayed_rows) == ([first], [first])

    kept.tick(100.0)
    assert (late, kept.due) == ([first, second], 100.0 + RETRY)
    table.dead = False
    kept.tick(100.0 + RETRY)
    assert stored == [first.key, second.key]
    assert (len(kept), kept.delayed_rows, kept.due) == (0, [], NEVER)


def test_one_that_cannot_be_stored_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    table = Fussy()
    Archive(table, run_now).add([record("good"), record("bad"), record("good")])
    assert [row.callid for row in table.rows.values()] == ["good", "good"]
    assert "record cannot be stored: no such character" in caplog.text


def test_too_many_wait(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(archive, "WAITING", 2)
    table = MemoryAcc(dead=True)
    kept = Archive(table, run_now)
    rows = [record(), record(), record()]
    kept.add(rows)
    assert len(kept) == 2
    assert rows[0].key in caplog.text


def test_what_an_earlier_proxy_left_is_told_when_it_is_stored() -> None:
    stored: list[str] = []
    kept = Archive(MemoryAcc(), run_now)
    kept.kept = stored.extend
    row = record()
    kept.add([row], is_delayed=True)
    assert stored == [row.key]


def test_a_record_survives_as_text() -> None:
    row = record('"ä\n')
    assert read(write(row)) == row


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '["INVITE"]'])
def test_what_is_no_record(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_many_go_in_several_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST", 2)
    sizes: list[int] = []

    class Counting(MemoryAcc):
        async def save(self, rows: Collection[AccRow]) -> None:
            sizes.append(len(rows))

    rows: Sequence[AccRow] = [record() for _ in range(5)]
    Archive(Counting(), run_now).add(rows)
    assert sizes == [2, 2, 1]
