"""SIPp as phones: registrations and calls at a steady rate, and the phones that are called."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.daemons import is_bound

SCENARIOS: Final = Path(__file__).parent / "sipp"
Address = tuple[str, int]


class LoadFailed(Exception):
    """A call or a registration failed: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many runs of a scenario, so many a second."""

    scenario: str
    count: int
    rate: int
    sockets: str = "u1"
    """SIPp's transport mode: `u1` one socket for all, `un` one for each run."""
    pause: float = 0.0
    """Seconds that a run rests where its scenario has a pause."""

    @property
    def seconds(self) -> float:
        """How long it takes where nothing is slow."""
        return self.count / self.rate


def written(address: Address) -> str:
    """Write `host:port`, IPv4."""
    host, port = address
    return f"{host}:{port}"


def write_names(path: Path, names: list[str]) -> None:
    """Write the file that gives each run of a scenario its `[field0]`."""
    path.write_text("SEQUENTIAL\n" + "".join(f"{name}\n" for name in names))


def apply(load: Load, local: Address, remote: Address, names: Path) -> None:
    """Put a load on `remote`, or raise `LoadFailed`."""
    limits = [
        "-timeout",
        f"{int(load.seconds + load.pause) + 30}",
        "-timeout_error",
        "-recv_timeout",
        "10000",
    ]
    amount = [
        "-m",
        str(load.count),
        "-r",
        str(load.rate),
        "-l",
        str(load.count),
        "-t",
        load.sockets,
        "-max_socket",
        "8000",
        "-d",
        f"{load.pause * 1000:.0f}",
    ]
    command = [*_command(load.scenario, local), *amount, *limits, "-inf", str(names), written(remote)]
    done = subprocess.run(command, capture_output=True, cwd=names.parent, check=False)
    if done.returncode != 0:
        raise LoadFailed(f"{' '.join(command)}: {done.stdout.decode(errors='replace')[-3000:]}")


@contextlib.contextmanager
def answering(local: Address, directory: Path) -> Iterator[None]:
    """Let phones at `local` answer calls for the time of a `with`."""
    command = _command("answer", local)
    phones = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=directory)
    try:
        while not is_bound(local):
            if phones.poll() is not None:
                raise LoadFailed(f"{' '.join(command)}: exit status {phones.returncode}")
            time.sleep(0.1)
        yield
    finally:
        phones.kill()  # SIPp takes SIGTERM as "finish your calls first"
        phones.wait()


def _command(scenario: str, local: Address) -> list[str]:
    host, port = local
    socket = ["-i", host, "-mi", host, "-p", str(port), "-buff_size", "4194304"]
    return ["sipp", "-nostdin", "-nd", "-sf", str(SCENARIOS / f"{scenario}.xml"), *socket]
