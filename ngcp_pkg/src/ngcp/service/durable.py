"""What a loss of power must not take back."""

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """See to it that the names in a directory are on the disk, too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
