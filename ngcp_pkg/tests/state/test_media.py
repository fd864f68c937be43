"""Where the media relay's running calls are."""

from ngcp.state.layout import Databases
from ngcp.state.media import DATABASE, RunningCalls


def test_commands() -> None:
    place = RunningCalls(1)

    assert place.write({"a": "1", "b": "2"}, ["c"]) == [
        (1, "HSET", "calls", "a", "1", "b", "2"),
        (1, "HDEL", "calls", "c"),
    ]
    assert place.write({}, []) == []
    assert place.look() == [(1, "HKEYS", "calls")]
    assert place.read(["a", "b"]) == [(1, "HMGET", "calls", "a", "b")]


def test_nobody_else_has_its_database() -> None:
    proxy = Databases()
    assert DATABASE not in {proxy.central, proxy.pair, proxy.own, proxy.acc, 0, 7}
