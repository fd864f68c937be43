"""How the benchmark of the registrar counts."""

import os
from pathlib import Path
from subprocess import Popen

from bench.daemons import Daemon
from bench.registrar import PEER, Side


def test_a_registration_costs_what_registrar_and_database_spend() -> None:
    with Popen(["true"]) as process:
        side = Side(PEER, Path(), Daemon("ours", process, Path(os.devnull)), [400.0, 300.0], [100.0, 50.0])

    assert side.totals == [500.0, 350.0]
