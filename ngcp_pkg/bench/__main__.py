"""`python -m bench [NAME]`: run one benchmark, or all of them; fail if one misses a target."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from bench import (
    b2bua,
    banned,
    cdrsearch,
    conference,
    connections,
    ebpf,
    lb,
    mediation,
    ngcpcfg,
    proxy,
    rate,
    rating,
    registrar,
    relay,
    rest,
    voicemail,
    workers,
)

BENCHMARKS: Final[Mapping[str, Callable[[], int]]] = {
    "b2bua": b2bua.main,
    "banned": banned.main,
    "cdrsearch": cdrsearch.main,
    "conference": conference.main,
    "connections": connections.main,
    "ebpf": ebpf.main,
    "lb": lb.main,
    "mediation": mediation.main,
    "ngcpcfg": ngcpcfg.main,
    "proxy": proxy.main,
    "rate": rate.main,
    "rating": rating.main,
    "registrar": registrar.main,
    "relay": relay.main,
    "rest": rest.main,
    "voicemail": voicemail.main,
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
