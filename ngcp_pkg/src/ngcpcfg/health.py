"""Whether units that were started are up and stay up, and what they said if not."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from ngcpcfg import messages, service
from ngcpcfg.service import Action

#: Seconds for which a unit may be starting.
PATIENCE: Final = 30

#: Seconds for which a unit that does not tell when it is ready must stay up.
SETTLING: Final = 1.0
_TELL_NOTHING: Final = frozenset({"simple", "exec", "idle"})
_LINES: Final = 5


def ailing(actions: Sequence[Action]) -> list[str]:
    """Wait until the units that were started are up, and tell which are not: the list of failures."""
    started = list(dict.fromkeys(action.unit for action in actions if action.verb != "stop"))
    shown = {unit: _wait_while_starting(unit) for unit in started}
    fragile = [
        unit
        for unit in started
        if shown[unit].get("ActiveState") == "active" and shown[unit].get("Type") in _TELL_NOTHING
    ]
    if fragile:
        time.sleep(SETTLING)
    failures = []
    for unit in started:
        state = shown[unit].get("ActiveState", "")
        if unit in fragile and _has_fallen(unit, shown[unit]):
            state = "not staying up"
        if state in ("failed", "activating", "not staying up"):  # a script that ran once is inactive
            failures.append(f"{unit} is {state}")
            messages.warn(f"{unit} is {state} after it was started.")
            explain(unit)
    return failures


def explain(unit: str) -> None:
    """Show the last that a unit has said."""
    with suppress(FileNotFoundError):
        said = subprocess.run(
            ["journalctl", f"--unit={unit}", f"--lines={_LINES}", "--output=cat", "--quiet", "--no-pager"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for line in said.splitlines():
            messages.note(f"  {unit}: {line}")


def _wait_while_starting(unit: str) -> dict[str, str]:
    for _ in range(PATIENCE):
        shown = service.properties(unit)
        if shown.get("ActiveState") != "activating":
            break
        time.sleep(1.0)
    return shown


def _has_fallen(unit: str, before: dict[str, str]) -> bool:
    """Tell whether a unit has ended or was started again meanwhile."""
    now = service.properties(unit)
    return now.get("ActiveState") != "active" or now.get("NRestarts") != before.get("NRestarts")
