"""What a benchmark tells."""

import json
from pathlib import Path

import pytest

from bench import report
from bench.report import Metric, as_json, as_table, publish

#: The machine was three times slower during the last pair.
RUNS = ((110.0, 100.0), (120.0, 100.0), (390.0, 300.0))


def test_numbers_are_medians_and_the_ratio_is_that_of_the_pairs() -> None:
    metric = Metric("cpu", RUNS, 1.5)

    assert (metric.ours, metric.peer, metric.ratio) == (120.0, 100.0, 1.2)


@pytest.mark.parametrize(("target", "is_missed"), [(1.2, False), (1.19, True), (None, False)])
def test_a_target_is_the_highest_good_ratio(target: float | None, is_missed: bool) -> None:
    assert Metric("cpu", RUNS, target).is_missed is is_missed


@pytest.mark.parametrize(("value", "is_missed"), [(5.0, False), (5.1, True)])
def test_where_there_is_no_peer_a_bound_stands_in_its_place(value: float, is_missed: bool) -> None:
    metric = Metric.within("seconds", [value], 5.0)

    assert (metric.name, metric.peer, metric.target) == ("seconds-of-5", 5.0, 1.0)
    assert metric.is_missed is is_missed


def test_programs_read_every_run() -> None:
    assert json.loads(as_json([Metric("cpu", RUNS, 1.5)])) == [
        {
            "metric": "cpu",
            "ours": 120.0,
            "peer": 100.0,
            "ratio": 1.2,
            "target": 1.5,
            "runs": [list(pair) for pair in RUNS],
        }
    ]


def test_people_read_a_table() -> None:
    table = as_table([Metric("cpu-us-per-call", RUNS, 1.5), Metric("pss", ((2.0, 1.0),))], "kamailio")

    assert table.splitlines() == [
        "metric             ours  kamailio  ratio  lowest  highest  target",
        "cpu-us-per-call  120.00    100.00   1.20    1.10     1.30    1.50",
        "pss                2.00      1.00   2.00    2.00     2.00       -",
    ]


@pytest.mark.parametrize(("target", "status"), [(1.5, 0), (1.0, 1)])
def test_a_missed_target_fails_the_run(
    target: float,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(report, "OUT", tmp_path / "out")

    assert publish("lb", [Metric("cpu", RUNS, target)], "kamailio") == status
    assert capsys.readouterr().out.splitlines()[-1] == f"lb cpu ratio=1.20 target={target:.2f}"
    assert json.loads((tmp_path / "out" / "lb.json").read_text())[0]["ratio"] == 1.2
