#!/usr/bin/env python3
"""Draw docs/transactions.md from the transition tables: `PYTHONPATH=src docs/draw_transactions.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ngcp.sip.transaction.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Arrow,
    Event,
    State,
    Table,
)
from ngcp.sip.transaction.timers import DURATIONS, LIMITS, Timer

TARGET: Final = Path(__file__).with_name("transactions.md")

FIGURES: Final = {
    "INVITE client transaction (RFC 3261 figure 5, RFC 6026 §7.2)": INVITE_CLIENT,
    "Non-INVITE client transaction (RFC 3261 figure 6)": NON_INVITE_CLIENT,
    "INVITE server transaction (RFC 3261 figure 7, RFC 6026 §7.1)": INVITE_SERVER,
    "Non-INVITE server transaction (RFC 3261 figure 8)": NON_INVITE_SERVER,
}

HEAD: Final = """\
# Transactions

Drawn by `docs/draw_transactions.py` from `ngcp/sip/transaction/tables.py`, which is all that the machines
know; do not edit. An arrow says: event / what is done, then the timers that start. An event without an
arrow changes nothing and sends nothing. A timer stops when its state has no arrow for it.
"""


def document() -> str:
    """Return the whole page."""
    parts = [HEAD, *(f"## {title}\n\n{diagram(table)}" for title, table in FIGURES.items()), timers()]
    return "\n".join(parts)


def diagram(table: Table) -> str:
    """Return one table as a Mermaid state diagram."""
    rows = "".join(f"    {line}\n" for line in _arrows(table))
    return f"```mermaid\nstateDiagram-v2\n{rows}```\n"


def _arrows(table: Table) -> Iterator[str]:
    for (state, event), arrow in table.items():
        label = f"{_name(event)}{_work(arrow)}"
        yield f"{_circle(state, '[*]')} --> {_circle(arrow.state, arrow.state.value)}: {label}"
    yield f"{State.TERMINATED.value} --> [*]"


def _circle(state: State, initial: str) -> str:
    return initial if state is State.INITIAL else state.value


def _name(event: Event) -> str:
    return f"timer {event.value}" if isinstance(event, Timer) else event.value


def _work(arrow: Arrow) -> str:
    work = [do.value for do in arrow.does]
    if arrow.starts:
        work.append("start " + " ".join(timer.value for timer in arrow.starts))
    return f" / {', '.join(work)}" if work else ""


def timers() -> str:
    """Return the table of timers, seconds."""
    rows = [
        f"| {timer.value} | {udp:g}{_growth(timer)} | {'not used' if tcp is None else f'{tcp:g}'} |\n"
        for timer, (udp, tcp) in DURATIONS.items()
    ]
    return f"## Timers\n\n| timer | UDP, s | TCP and TLS, s |\n|---|---|---|\n{''.join(rows)}"


def _growth(timer: Timer) -> str:
    return f", doubled up to {LIMITS[timer]:g}" if timer in LIMITS else ""


if __name__ == "__main__":
    TARGET.write_text(document())
