"""Results of a benchmark: medians of interleaved runs, a table, `bench/out/NAME.json`, one line a metric."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Self

OUT: Final = Path(__file__).parent / "out"


@dataclass(frozen=True, slots=True)
class Metric:
    """One quantity of which less is better, measured on both sides in pairs of neighbouring runs."""

    name: str
    """With its unit: `cpu-us-per-call`."""
    runs: tuple[tuple[float, float], ...]
    """Ours and the peer's, pair by pair."""
    target: float | None = None
    """The highest good ratio; None: told, not judged."""

    @classmethod
    def within(cls, name: str, values: Sequence[float], bound: float) -> Self:
        """Measure against a bound instead of a peer: it stands in the peer's place, the target is 1."""
        return cls(f"{name}-of-{bound:g}", tuple((value, bound) for value in values), 1.0)

    @property
    def ours(self) -> float:
        """The median of our runs."""
        return median(ours for ours, _ in self.runs)

    @property
    def peer(self) -> float:
        """The median of the peer's runs."""
        return median(peer for _, peer in self.runs)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: what slows the machine down for a while slows both of a pair."""
        return median(ours / peer for ours, peer in self.runs)

    @property
    def is_missed(self) -> bool:
        """Whether the target is not reached."""
        return self.target is not None and self.ratio > self.target


def as_json(metrics: Sequence[Metric]) -> str:
    """Write what other programs read."""
    rows = [
        {
            "metric": metric.name,
            "ours": round(metric.ours, 3),
            "peer": round(metric.peer, 3),
            "ratio": round(metric.ratio, 3),
            "target": metric.target,
            "runs": [[round(ours, 3), round(peer, 3)] for ours, peer in metric.runs],
        }
        for metric in metrics
    ]
    return json.dumps(rows, indent=1) + "\n"


def as_table(metrics: Sequence[Metric], peer: str) -> str:
    """Write what people read."""
    header = ("metric", "ours", peer, "ratio", "lowest", "highest", "target")
    rows = [header, *(_row(metric) for metric in metrics)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(_line(row, widths) for row in rows)


def _row(metric: Metric) -> tuple[str, ...]:
    ratios = [ours / peer for ours, peer in metric.runs]
    numbers = (metric.ours, metric.peer, metric.ratio, min(ratios), max(ratios))
    return metric.name, *(f"{number:.2f}" for number in numbers), _target(metric)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join((name.strip().ljust(widths[0]), *numbers))


def _target(metric: Metric) -> str:
    return "-" if metric.target is None else f"{metric.target:.2f}"


def publish(name: str, metrics: Sequence[Metric], peer: str) -> int:
    """Print and store the results of benchmark `name`; return its exit status, 1 if a target is missed."""
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(as_json(metrics))
    print(as_table(metrics, peer))
    for metric in metrics:
        print(f"{name} {metric.name} ratio={metric.ratio:.2f} target={_target(metric)}")
    return int(any(metric.is_missed for metric in metrics))
