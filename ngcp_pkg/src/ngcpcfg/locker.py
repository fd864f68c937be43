"""`ngcpcfg encrypt` and `decrypt`: the configuration put under lock, with a password, and taken out again.

It is packed and encrypted by a program with the Stateless OpenPGP command line, as on the platform, and then
erased: values, templates, history. What services read stays where it is, and so do certificates and keys: a
locked node goes on working, and boots; but nobody can change it.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from getpass import getpass
from pathlib import Path
from typing import Final

from ngcpcfg import messages
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.writer import File, write

#: The first of these that is installed is used.
PROGRAMS: Final = ("sqop", "rsop", "gosop", "pgpainless-cli")
#: What services read below the configuration itself.
_STAYS: Final = "shared-files"
#: Erased first and put back last: without it, and with the archive, the configuration is locked.
_LAST: Final = ".git"


def encrypt(paths: Paths) -> int:
    """Lock the configuration; 1 if the operator thinks better of it."""
    Repository(paths.main).require_initialised()
    program = _program()
    password = _ask_twice()
    packed = _pack(paths)
    locked = _run(program, "encrypt", password, packed)
    if _run(program, "decrypt", password, locked) != packed:
        raise RefusedError(f"Error while setting up {paths.archive}: it cannot be read again")
    write(File(paths.archive, locked, 0o600))
    messages.info(f"Successfully created encrypted ngcpcfg configuration archive {paths.archive}")
    print("Now really erase the configuration? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() != "y":
        messages.info("Skipping as requested.")
        return 1
    _erase(paths)
    return 0


def decrypt(paths: Paths) -> int:
    """Unlock the configuration."""
    file = paths.archive
    if not file.exists():
        raise RefusedError(f"{file} is not there: there is nothing to decrypt")
    if (paths.main / _LAST).exists():
        raise RefusedError(f"{paths.main} is not locked")
    program = _program()
    _require_terminal()
    packed = _run(program, "decrypt", getpass("Type password: "), file.read_bytes())
    _unpack(paths, packed)
    messages.info(f"Successfully restored configuration archive {file}")
    messages.info("Now you should be able to run 'ngcpcfg apply' again.")
    return 0


def _program() -> str:
    for name in PROGRAMS:
        if shutil.which(name):
            return name
    raise RefusedError(f"Cannot find any SOP implementation (from {' '.join(PROGRAMS)}): install sqop")


def _require_terminal() -> None:
    if not sys.stdin.isatty():
        raise RefusedError("Cannot request OpenPGP password (no tty). Aborting.")


def _ask_twice() -> str:
    _require_terminal()
    password = getpass("Type password: ")
    if password != getpass("Re-type password: "):
        raise RefusedError("Passwords do not match. Aborting.")
    if not password:
        raise RefusedError("The password is empty. Aborting.")
    return password


def _run(program: str, command: str, password: str, content: bytes) -> bytes:
    """Let the program work on `content`; it reads the password from a pipe, so that nobody else sees it."""
    reading, writing = os.pipe()
    os.write(writing, password.encode())
    os.close(writing)
    options = ["--no-armor"] if command == "encrypt" else []
    done = subprocess.run(
        [program, command, *options, f"--with-password=@FD:{reading}"],
        input=content,
        capture_output=True,
        check=False,
        pass_fds=[reading],
    )
    os.close(reading)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise RefusedError(f"Error while {command}ing: {said or f'status {done.returncode}'}")
    return done.stdout


def _trees(paths: Paths) -> dict[str, Path]:
    return {"main": paths.main, "vendor": paths.vendor}


def _pack(paths: Paths) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, tree in _trees(paths).items():
            for entry in sorted(tree.iterdir()) if tree.exists() else ():
                if entry.name != _STAYS:
                    tar.add(entry, f"{name}/{entry.name}")
    return packed.getvalue()


def _erase(paths: Paths) -> None:
    _remove(paths.main / _LAST)
    for entry in paths.main.iterdir():
        if entry.name != _STAYS:
            _remove(entry)
    _remove(paths.vendor)


def _unpack(paths: Paths, packed: bytes) -> None:
    """Put everything back beside its place, then into it: until the last is there, it is still locked."""
    for name, tree in _trees(paths).items():
        beside = tree.with_name(f".{tree.name}.unpacked")
        _remove(beside)
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extraction_filter = lambda member, _: member  # what we have packed ourselves
            members = [member for member in tar.getmembers() if member.name.startswith(f"{name}/")]
            for member in members:
                member.name = member.name.removeprefix(f"{name}/")
            tar.extractall(beside, members)
    for tree in reversed(_trees(paths).values()):
        beside = tree.with_name(f".{tree.name}.unpacked")
        tree.mkdir(parents=True, exist_ok=True)
        for entry in sorted(beside.iterdir(), key=lambda entry: entry.name == _LAST):
            _remove(tree / entry.name)
            entry.rename(tree / entry.name)
        beside.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
