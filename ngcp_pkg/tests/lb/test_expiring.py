"""Tables whose entries end by themselves."""

from ngcp.lb.expiring import ExpiringTable, Value


def test_an_entry_lasts_its_time_and_no_longer() -> None:
    table = ExpiringTable("t", lifetime=10.0)
    table.set("a", 1, now=100.0)

    assert table.get("a", 109.9) == 1
    assert [key for key, _ in table.items(109.9)] == ["a"]
    assert table.items(110.0) == []
    assert table.get("a", 110.0) is None
    assert len(table) == 0


def test_setting_an_entry_again_starts_its_time_anew() -> None:
    table = ExpiringTable("t", lifetime=10.0)
    table.set("a", 1, now=100.0)
    table.set("b", 1, now=101.0)
    table.set("a", 2, now=109.0)

    assert (table.get("a", 118.0), table.get("b", 118.0)) == (2, None)


def test_memory_is_bounded_and_the_oldest_entry_makes_room() -> None:
    table = ExpiringTable("t", lifetime=10.0, limit=3)
    for number in range(1000):
        table.set(f"k{number}", number, now=0.0)
        assert len(table) <= 3

    assert [key for key, _ in table.items(1.0)] == ["k997", "k998", "k999"]


def test_what_has_ended_makes_room_before_what_has_not() -> None:
    table = ExpiringTable("t", lifetime=10.0)
    for number in range(100):
        table.set(f"old{number}", 1, now=0.0)
    table.set("new", 1, now=20.0)

    assert len(table) == 1


def test_one_table_follows_another() -> None:
    """What `changed` tells is what `apply` takes; whoever applies tells nobody."""
    here, there = ExpiringTable("t", 10.0), ExpiringTable("t", 10.0)
    told: list[tuple[str, Value | None, float]] = []
    here.changed = there.apply
    there.changed = lambda *change: told.append(change)

    for key in ("a", "b", "c"):
        here.set(key, key.upper(), now=5.0)
    here.delete("b")
    assert there.items(6.0) == here.items(6.0)
    assert [key for key, _ in there.items(6.0)] == ["a", "c"]
    assert there.get("a", 15.0) is None

    here.flush()
    assert (len(there), told) == (0, [])


def test_deleting_what_is_not_there_changes_nothing() -> None:
    table = ExpiringTable("t", 10.0)
    told: list[str] = []
    table.changed = lambda key, value, ends: told.append(key)

    assert not table.delete("a")
    assert told == []
