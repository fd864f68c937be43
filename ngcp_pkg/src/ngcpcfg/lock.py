"""One change at a time: whoever changes the configuration or the node holds this lock."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ngcpcfg import messages
from ngcpcfg.problems import RefusedError

#: A run that restarts every daemon takes well under a minute; one that takes ten hangs.
PATIENCE: Final = 600.0
_INTERVAL: Final = 0.05


@contextmanager
def exclusive(run: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock; wait up to `patience` seconds for another run to end."""
    run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)  # by git alone: whatever else is started closes what it is not given
    try:
        _acquire(descriptor, time.monotonic() + patience)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float) -> None:
    is_told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            if time.monotonic() > deadline:
                raise RefusedError(f"another ngcpcfg (process {holder}) has not ended") from None
            if not is_told:
                messages.note(f"Waiting for another ngcpcfg (process {holder}) to end.")
                is_told = True
            time.sleep(_INTERVAL)
        else:
            return
