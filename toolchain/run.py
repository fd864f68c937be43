"""Run the steps of a long make target one after the other, each into a log of its own, and report.

Usage: run.py test|appliance. The exit status is 0 only if every step was done. The report comes last, and at
its very end stand the summary lines of every pytest run: whoever reads only the end knows what was tested.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).resolve().parent.parent
LOGS: Final = Path(os.environ["NGCP_CACHE"]) / "log"
IMAGE: Final = TOP / "image" / "out"

#: pytest's last line, wherever it stands in what another program prints.
SUMMARY: Final = re.compile(
    r"=+ (?:\d+ (?:passed|failed|error)|no tests ran).* in [\d.]+s(?: \([\d:]+\))? =+"
)
COLOURS: Final = re.compile(r"\x1b\[[\d;]*m")
#: What a phone call through the node prints of itself (`python3 -m lab call`).
PACKETS: Final = re.compile(r"^(?:caller to callee|callee to caller|relayed): .*")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the shell, run from the top of the repository."""

    name: str
    command: str
    needs: tuple[str, ...] = ()
    """Steps without which it makes no sense."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    step: Step
    status: int
    seconds: float
    lines: tuple[str, ...]
    """What it said that belongs into the report."""

    @property
    def log(self) -> Path:
        """Where all it said can be read."""
        return LOGS / f"{self.step.name}.log"


TARGETS: Final = {
    "test": (
        Step("lint", "make lint"),
        Step("pytest", "cd ngcp_pkg && python3 -m pytest"),
        Step("packages", "make packages"),
        Step("image", "make image", ("packages",)),
        Step("molecule-default", "molecule test --scenario-name default", ("packages",)),
        Step("molecule-vm", "molecule test --scenario-name vm", ("image",)),
    ),
    "appliance": (
        Step("packages", "make packages"),
        Step("image", "make image", ("packages",)),
        Step("boot", "python3 -m lab down appliance && python3 -m lab up appliance", ("image",)),
        Step("call", "python3 -m lab call appliance", ("boot",)),
        Step("power-off", "python3 -m lab down appliance", ("call",)),
    ),
}


def run(step: Step) -> Outcome:
    """Run one step; what it prints goes to the screen and into its log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    print(f"\n{time.strftime('%H:%M:%S')} ▶ {step.name}: {step.command}", flush=True)
    begin = time.monotonic()
    lines = []
    with (
        (LOGS / f"{step.name}.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", step.command],
            cwd=TOP,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            log.write(line)
            lines += reported(line)
    return Outcome(step, process.returncode, time.monotonic() - begin, tuple(lines))


def reported(line: str) -> list[str]:
    """Find what of a line belongs into the report."""
    plain = COLOURS.sub("", line).strip()
    return [match[0] for match in (SUMMARY.search(plain), PACKETS.search(plain)) if match]


def run_all(steps: Iterable[Step]) -> list[Outcome]:
    """Run the steps; one that needs a failed one is not tried, and has failed as well."""
    outcomes: list[Outcome] = []
    for step in steps:
        failed = {outcome.step.name for outcome in outcomes if outcome.status}
        if missing := failed.intersection(step.needs):
            print(f"\n{time.strftime('%H:%M:%S')} ▷ {step.name}: not tried without {', '.join(missing)}")
            outcomes.append(Outcome(step, 1, 0.0, ()))
        else:
            outcomes.append(run(step))
    return outcomes


def report(target: str, outcomes: list[Outcome]) -> None:
    """Print one line for each step, then what the steps said."""
    total = sum(outcome.seconds for outcome in outcomes)
    print(f"\nmake {target}: {clock(total)}")
    for outcome in outcomes:
        verdict = f"FAILED, see {outcome.log}" if outcome.status else "ok"
        print(f"  {outcome.step.name:<18}{clock(outcome.seconds):>6}  {verdict}")
    if target == "appliance":
        for file in sorted(IMAGE.glob("ngcp-appliance.*")):
            print(f"  {file.relative_to(TOP)}: {file.stat().st_size / 2**20:.0f} MiB")
    for outcome in outcomes:
        for line in outcome.lines:
            print(line)


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def main() -> int:
    """Run the target named on the command line."""
    target = sys.argv[1]
    outcomes = run_all(TARGETS[target])
    report(target, outcomes)
    return 1 if any(outcome.status for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
