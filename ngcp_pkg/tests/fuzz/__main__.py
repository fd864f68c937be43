"""`python -m fuzz [TARGET …]`: let atheris look for inputs that break a target; `make fuzz` calls it.

Each target runs in a process of its own for `--seconds`, starts from the corpus, and keeps what it learned in
`--memory`. An input that breaks it is left there as `crash-*` and printed: it belongs into `tests/corpus/`.
Target `head` compares the compiled header lines with ours, or others by `--head MODULE:CLASS`. The other
targets leave the compiled module out, as the fuzzer cannot see into it, unless `--speed` says it is meant.
"""

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "corpus"
#: A header's text, as target `fields` wants it, stands behind the colon.
FIELDS = "fields"
#: Bytes of an input: a call has some 20 messages.
LONGEST = 16_384
#: What an input is made of, as libFuzzer reads it; the targets know the names of headers.
WORDS = Path(__file__).with_name("words.txt")
#: Seconds that one input may take.
PATIENCE = 5


def main() -> int:
    """Return 1 if a target broke."""
    options = _options()
    if options.one:
        if not options.speed:
            sys.modules["ngcp_speed"] = None  # type: ignore[assignment] # importing it is then an ImportError
        _fuzz(options.targets[0], options.memory, options.seconds)
    known = importlib.import_module("fuzz.targets").TARGETS  # not above: the fuzzer's process instruments it
    if unknown := set(options.targets) - set(known):
        sys.exit(f"fuzz: unknown target {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    broken = [target for target in options.targets or known if _run(target, options) != 0]
    for target in broken:
        print(f"fuzz: {target} broke, see {options.memory / target}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help="of fuzz/targets.py; all, if none")
    arguments.add_argument("--seconds", type=int, default=10, help="for each target")
    arguments.add_argument("--memory", type=Path, default=Path("/tmp/ngcp-fuzz"))
    arguments.add_argument("--head", help="MODULE:CLASS to compare with ngcp.sip.syntax.head:Head")
    arguments.add_argument("--speed", action="store_true", help="with the compiled module")
    arguments.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return arguments.parse_args()


def _run(target: str, options: argparse.Namespace) -> int:
    environment = dict(os.environ) | ({"NGCP_FUZZ_HEAD": options.head} if options.head else {})
    command = [sys.executable, "-m", "fuzz", target, "--one"]
    command += ["--seconds", str(options.seconds), "--memory", str(options.memory)]
    command += ["--speed"] if options.speed or target == "head" else []
    return subprocess.run(command, env=environment, check=False).returncode


def _fuzz(target: str, memory: Path, seconds: int) -> None:
    """Fuzz one target; the fuzzer ends the process."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["ngcp"]):
        targets = importlib.import_module("fuzz.targets")
    learned, seeds = memory / target, memory / f"{target}.seeds"
    learned.mkdir(parents=True, exist_ok=True)
    _write_seeds(target, seeds)
    (seeds / "conversation").write_bytes(targets.record_conversation())
    words = memory / "words"
    names = "".join(f'"{name}:"\n' for name in targets.HEADERS)
    words.write_text(WORDS.read_text() + names)
    settings = [
        f"-dict={words}",
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-timeout={PATIENCE}",
        f"-artifact_prefix={learned}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([target, *settings, str(learned), str(seeds)], targets.TARGETS[target])
    atheris.Fuzz()


def _write_seeds(target: str, directory: Path) -> None:
    """Put the corpus in one directory: whole messages, or the values of their headers."""
    directory.mkdir(exist_ok=True)
    for path in sorted(CORPUS.rglob("*.sdp" if target == "description" else "*.sip")):
        data = path.read_bytes()
        if target != FIELDS:
            (directory / path.name).write_bytes(data)
            continue
        for number, line in enumerate(data.partition(b"\r\n\r\n")[0].split(b"\r\n")):
            (directory / f"{path.name}.{number}").write_bytes(line.partition(b":")[2].strip())


if __name__ == "__main__":
    sys.exit(main())
