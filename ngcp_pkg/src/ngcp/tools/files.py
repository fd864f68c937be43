"""Files of a node that are whole at every moment, and for whom they are."""

import grp
import os
import shutil
from pathlib import Path

from ngcp.service.durable import sync_directory


def write(path: Path, content: bytes, mode: int, group: str | None = None) -> None:
    """Let the file hold this: a crash at any instant leaves either what was there or all of it."""
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    set_permissions(beside, mode, group)
    beside.rename(path)
    sync_directory(path.parent)


def set_permissions(path: Path, mode: int, group: str | None = None) -> None:
    """Let a file or directory be for its owner and this group; OSError if there is no such group."""
    if group is not None:
        try:
            shutil.chown(path, group=grp.getgrnam(group).gr_gid)
        except KeyError:
            raise OSError(f"there is no group {group}") from None
    path.chmod(mode)
