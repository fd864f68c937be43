"""How the benchmark of the edge counts."""

import os
from pathlib import Path
from subprocess import Popen

from bench.daemons import Daemon, is_bound
from bench.lb import Edge, Place
from bench.sipp import Load


def test_the_first_turn_warms_up_and_is_not_counted() -> None:
    with Popen(["true"]) as process:
        edge = Edge(Place(10, Path()), Daemon("ours", process, Path(os.devnull)))
    edge.readings = [1.0, 9.0, 10.0, 12.0]

    assert edge.costs(Load("call", count=1000, rate=100)) == [1000.0, 2000.0]


def test_nobody_listens_on_an_address_of_nobody() -> None:
    assert not is_bound(("127.99.99.99", 9))
