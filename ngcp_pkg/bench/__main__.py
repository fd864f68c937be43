"""`python -m bench [NAME]`: run one benchmark, or all of them; fail if one misses a target."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from bench import banned, connections, lb, rate, registrar, workers

BENCHMARKS: Final[Mapping[str, Callable[[], int]]] = {
    "banned": banned.main,
    "connections": connections.main,
    "lb": lb.main,
    "rate": rate.main,
    "registrar": registrar.main,
    "workers": workers.main,
}


def main() -> int:
    """Return 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS)
    name = parser.parse_args().name
    return max([run() for known, run in BENCHMARKS.items() if name in (None, known)])


if __name__ == "__main__":
    sys.exit(main())
