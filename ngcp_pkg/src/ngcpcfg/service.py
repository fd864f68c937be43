"""ngcp-service: restart, reload, start or stop a unit, now or at the end of the ngcpcfg run that asks.

A `.services` script says `ngcp-service --queue kamailio-lb restart`; ngcpcfg then does each once, however
many scripts asked.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcpcfg.paths import Paths
from ngcpcfg.pending import UNKNOWN

#: From the weakest to the strongest: of two actions for one unit the stronger is done.
ACTIONS: Final = ("reload", "start", "restart", "stop")

#: The environment variable by which ngcpcfg tells a script when its file was replaced.
CHANGED_AT: Final = "NGCPCFG_CHANGED_AT"

_PROPERTIES: Final = ("ActiveState", "ExecMainStartTimestampMonotonic", "NRestarts", "Type")


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done to a unit."""

    unit: str
    verb: str
    changed_at: float = UNKNOWN
    """The unit has nothing to do if it was started after this time of the monotonic clock."""

    def __str__(self) -> str:
        return f"{self.unit} {self.verb}"


def enqueue(queue: Path, action: Action) -> None:
    """Ask for an action at the end of the run."""
    queue.parent.mkdir(parents=True, exist_ok=True)
    with queue.open("a", encoding="utf-8") as stream:
        stream.write(f"{action.unit} {action.verb} {action.changed_at}\n")


def take(queue: Path) -> list[Action]:
    """Empty the queue; one action for each unit, in the order in which the units were first named."""
    try:
        lines = queue.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    queue.unlink()
    return merge(Action(unit, verb, float(at)) for unit, verb, at in map(str.split, lines))


def merge(actions: Iterable[Action]) -> list[Action]:
    """Keep one action for each unit: the strongest, for the latest change."""
    merged: dict[str, Action] = {}
    for action in actions:
        other = merged.get(action.unit, action)
        verb = max(action.verb, other.verb, key=ACTIONS.index)
        merged[action.unit] = Action(action.unit, verb, max(action.changed_at, other.changed_at))
    return list(merged.values())


def is_superfluous(action: Action) -> bool:
    """Tell whether the unit was started after the change, and so runs with the new files already."""
    if action.verb == "stop" or action.changed_at == UNKNOWN:
        return False
    shown = properties(action.unit)
    started = int(shown.get("ExecMainStartTimestampMonotonic") or 0) / 1e6
    return shown.get("ActiveState") == "active" and started > action.changed_at


def properties(unit: str) -> dict[str, str]:
    """Ask systemd what a unit does and since when; what it does not tell is not there."""
    answer = subprocess.run(
        ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)


def execute(action: Action) -> "subprocess.CompletedProcess[bytes]":
    """Let systemctl do it."""
    return subprocess.run(["systemctl", action.verb, action.unit], check=False)


def _unit(name: str) -> str:
    if re.fullmatch(r"[\w@.:\\-]+", name) is None:
        raise argparse.ArgumentTypeError("is no name of a unit")
    return name


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="ngcp-service", description="Control a unit of the platform.")
    parser.add_argument("--queue", action="store_true", help="leave it to the ngcpcfg run that is under way")
    parser.add_argument("unit", metavar="NAME", type=_unit, help="unit, for example kamailio-lb")
    parser.add_argument("verb", metavar="ACTION", choices=ACTIONS, help=" | ".join(ACTIONS))
    arguments = parser.parse_args()
    action = Action(arguments.unit, arguments.verb, float(os.environ.get(CHANGED_AT, UNKNOWN)))
    if arguments.queue:
        enqueue(Paths.from_environment(os.environ).queue, action)
        return 0
    return execute(action).returncode


if __name__ == "__main__":
    sys.exit(main())
