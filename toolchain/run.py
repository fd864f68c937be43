"""`make test` and `make appliance`: steps in order, each with its time and its log, and a report at the end.

A step's output goes to the terminal and to `$NGCP_CACHE/log/NAME.log`. A step that fails or takes too long
is named with its log; those that need it are left out, the others still run.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).resolve().parents[1]
CACHE: Final = Path(
    os.environ.get("NGCP_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "ngcp")
)
LOGS: Final = CACHE / "log"
IMAGE: Final = TOP / "image/out/ngcp-appliance"

_ESCAPES: Final = re.compile(r"\x1b(\[[0-9;]*[A-Za-z]|\]8;;[^\x1b]*\x1b\\)")
#: How pytest ends, `== 3 passed, 1 warning in 0.12s ==`, wherever it stands in what another program prints.
_SUMMARY: Final = re.compile(
    r"=+ (\d+ (passed|failed|errors?|skipped|deselected)|no tests ran)\b.* in [\d.]+s.* =+"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a plan."""

    name: str
    command: Sequence[str]
    limit: float
    """Seconds after which it is ended: several times what it takes on two cores."""
    needs: tuple[str, ...] = ()
    """Steps whose failure makes this one pointless."""
    directory: Path = TOP


@dataclass(slots=True)
class Outcome:
    """How a step went."""

    step: Step
    problem: str | None = None
    """What went wrong; None if nothing did."""
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)
    """What it printed, without colours."""

    @property
    def log(self) -> Path:
        """Where its output is kept."""
        return LOGS / f"{self.step.name}.log"


def lab(name: str, *words: str, limit: float, needs: tuple[str, ...] = ()) -> Step:
    """Return a step that the lab does."""
    return Step(name, ("python3", "-m", "lab", *words), limit, needs)


#: What the compiled module serves: its tests run with it, and again on its specification in Python.
PURE: Final = (
    *("tests/sip", "tests/flows", "tests/lb", "tests/proxy", "tests/net"),
    *("tests/ng", "tests/rtpengine"),
)

#: Each file's tests in one of as many processes as there are cores.
PYTEST: Final = ("python3", "-m", "pytest", "--numprocesses=auto", "--dist=loadfile")

TEST: Final = (
    Step("lint", ("make", "lint"), 900),
    Step("pytest", PYTEST, 1200, directory=TOP / "ngcp_pkg"),
    Step("pure", (*PYTEST, "--pure", *PURE), 1200, directory=TOP / "ngcp_pkg"),
    Step("packages", ("make", "packages"), 1200),
    Step("image", ("make", "image"), 1200, needs=("packages",)),
    Step("container", ("molecule", "test", "--scenario-name", "default"), 1800, needs=("packages",)),
    Step("vm", ("molecule", "test", "--scenario-name", "vm"), 2400, needs=("image",)),
)
APPLIANCE: Final = (
    Step("packages", ("make", "packages"), 1200),
    Step("image", ("make", "image"), 1200, needs=("packages",)),
    lab("clear", "down", "appliance", limit=120),
    lab("boot", "up", "appliance", limit=900, needs=("image", "clear")),
    lab("call", "call", "appliance", limit=300, needs=("boot",)),
    lab("shutdown", "down", "appliance", limit=120, needs=("image",)),
)


def say(text: str) -> None:
    """Print a line of progress with the time of day."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def run(step: Step) -> Outcome:
    """Run one step to its end or its limit."""
    outcome = Outcome(step)
    started = time.monotonic()
    process = subprocess.Popen(
        step.command,
        cwd=step.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    watch = threading.Timer(step.limit, os.killpg, (process.pid, signal.SIGTERM))
    watch.start()
    assert process.stdout is not None, "it is a pipe"
    try:
        with outcome.log.open("w") as log:
            for line in process.stdout:
                print(line, end="", flush=True)
                log.write(line)
                outcome.lines.append(_ESCAPES.sub("", line.rstrip("\n")))
        status = process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    finally:
        watch.cancel()
    outcome.seconds = time.monotonic() - started
    if status:
        late = outcome.seconds >= step.limit
        outcome.problem = f"not done after {step.limit:.0f} s" if late else f"exit status {status}"
    return outcome


def follow(plan: Sequence[Step]) -> list[Outcome]:
    """Run a plan."""
    LOGS.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, Outcome] = {}
    for step in plan:
        missing = [name for name in step.needs if outcomes[name].problem is not None]
        if missing:
            outcomes[step.name] = Outcome(step, f"left out: it needs {' and '.join(missing)}")
            continue
        say(f"{step.name}: {' '.join(step.command)}")
        outcome = outcomes[step.name] = run(step)
        say(f"{step.name}: {outcome.problem or 'done'} after {outcome.seconds:.0f} s")
    return list(outcomes.values())


def report_steps(outcomes: Sequence[Outcome]) -> None:
    """Print one line a step, and where to look if it failed."""
    print("\nstep          seconds")
    for outcome in outcomes:
        print(f"{outcome.step.name:<12}{outcome.seconds:>9.0f}  {outcome.problem or 'ok'}")
    print(f"{'all':<12}{sum(outcome.seconds for outcome in outcomes):>9.0f}")
    for outcome in outcomes:
        if outcome.problem is not None and outcome.log.exists():
            print(f"{outcome.step.name} failed ({outcome.problem}): see {outcome.log}")


def summaries(outcome: Outcome) -> list[str]:
    """Return pytest's own last lines out of a step's output."""
    return [match[0] for line in outcome.lines if (match := _SUMMARY.search(line))]


def report_tests(outcomes: Sequence[Outcome]) -> None:
    """Print pytest's summary lines of every step again, last of all."""
    report_steps(outcomes)
    print()
    for outcome in outcomes:
        for line in summaries(outcome):
            print(f"{outcome.step.name}:\n{line}")


def report_appliance(outcomes: Sequence[Outcome]) -> None:
    """Print what came out: the image, and the packets of the first call."""
    report_steps(outcomes)
    print()
    for suffix in ("raw", "qcow2"):
        image = IMAGE.with_suffix(f".{suffix}")
        if image.exists():
            used = image.stat().st_blocks * 512
            print(f"{image.relative_to(TOP)}: {used / 2**20:.0f} MiB on disk")
    for outcome in outcomes:
        if outcome.step.name == "call":
            print("\n".join(outcome.lines))


PLANS: Final = {"test": (TEST, report_tests), "appliance": (APPLIANCE, report_appliance)}


def main() -> int:
    """Follow the plan that is named on the command line."""
    if len(sys.argv) != 2 or sys.argv[1] not in PLANS:
        print(f"usage: run.py {'|'.join(PLANS)}", file=sys.stderr)
        return 2
    plan, report = PLANS[sys.argv[1]]
    outcomes = follow(plan)
    report(outcomes)
    return 1 if any(outcome.problem is not None for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
