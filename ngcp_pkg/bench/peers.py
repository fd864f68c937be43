"""Debian's own programs to compare with: unpacked into the cache, never installed.

Installing a daemon would start it, now and at each boot; all that a measurement needs is its files. What
they need beyond the machine's own libraries is unpacked beside them.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CACHE: Final = (
    Path(
        os.environ.get("NGCP_CACHE")
        or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ngcp"
    )
    / "peers"
)


class NoPeer(Exception):
    """There is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The files of a Debian package and of what it depends on."""

    root: Path

    @property
    def libraries(self) -> Path:
        """The directory of this machine's shared libraries below `root`."""
        return next((self.root / "usr/lib").glob("*-linux-gnu*"))

    @property
    def environment(self) -> dict[str, str]:
        """What a program from here must be started with."""
        directories = {library.parent for library in self.root.glob("**/*.so.*")}
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(map(str, directories)))}

    def program(self, name: str) -> str:
        """Return the path of a program."""
        for directory in ("usr/sbin", "usr/bin"):
            if (path := self.root / directory / name).exists():
                return str(path)
        raise NoPeer(f"{name} is not below {self.root}")


def fetch(package: str) -> Peer:
    """Return Debian's `package`, downloading it by apt, from wherever this machine gets Debian, if absent."""
    root = CACHE / package
    if not root.exists():
        archives = CACHE / f"{package}.archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        _download(package, archives)
        unpacked = CACHE / f"{package}.unpacked"
        for archive in archives.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, unpacked], check=True)
        unpacked.rename(root)  # at once: a run that was interrupted leaves nothing half-made
    return Peer(root)


def fetch_python(package: str, version: str) -> Path:
    """Return the virtual environment of a package of PyPI, made by pip if absent."""
    root = CACHE / f"{package}-{version}"
    if not root.exists():
        made = CACHE / f"{package}-{version}.made"
        subprocess.run([sys.executable, "-m", "venv", made], check=True)
        subprocess.run([made / "bin/pip", "install", "--quiet", f"{package}=={version}"], check=True)
        made.rename(root)
        for script in (root / "bin").iterdir():
            _move(script, made, root)
    return root


def _move(script: Path, before: Path, behind: Path) -> None:
    """Let a script of an environment that was moved name the interpreter where it is now."""
    data = script.read_bytes() if script.is_file() and not script.is_symlink() else b""
    if data.startswith(b"#!"):
        script.write_bytes(data.replace(str(before).encode(), str(behind).encode()))


def _download(package: str, archives: Path) -> None:
    download = [
        *("apt-get", "install", "--download-only", "--yes", "--quiet=2", "--no-install-recommends"),
        *("--reinstall", "--option", f"Dir::Cache::archives={archives}"),
        *(
            "--option",
            "APT::Sandbox::User=root",
            package,
        ),  # apt's own user cannot write into a home directory
    ]
    if subprocess.run(download, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True)
        subprocess.run(download, stdout=subprocess.DEVNULL, check=True)
    if not any(archives.glob(f"{package}_*.deb")):
        raise NoPeer(f"apt downloaded no {package}")
