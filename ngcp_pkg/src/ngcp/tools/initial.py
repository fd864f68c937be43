"""`ngcp-initial-configuration`: host name, addresses, administrator's key and first values of a node.

They come from a seed (`ngcp.tools.seed`), unattended, before the network is up; or from whoever sits before
the console (`ngcp.tools.wizard`), who can run it again at any time.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcp.tools import files, seed, wizard
from ngcp.tools.plan import Plan

#: Where a seed may lie, beside a disk with one of these labels (NoCloud).
DIRECTORIES: Final = ("/var/lib/cloud/seed/nocloud", "/var/lib/cloud/seed/nocloud-net")
LABELS: Final = ("cidata", "CIDATA")
CONSOLE_UNIT: Final = "ngcp-initial-configuration-console.service"


class Refused(Exception):
    """A tool did not do what the plan says."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node keeps what is decided here."""

    root: Path = Path("/")

    @property
    def done(self) -> Path:
        """Names the seed that was used last, or says that somebody answered."""
        return self.root / "var/lib/ngcp/initial-configuration"

    @property
    def hostname(self) -> Path:
        """The host name."""
        return self.root / "etc/hostname"

    @property
    def networks(self) -> Path:
        """Directory of what systemd-networkd reads."""
        return self.root / "etc/systemd/network"

    @property
    def keys(self) -> Path:
        """Keys by which root logs in."""
        return self.root / "root/.ssh/authorized_keys"


def carry_out(plan: Plan, node: Node, *, is_booting: bool) -> Iterator[str]:
    """Do what a plan says; yield what was done. While the node boots, others take it up after us."""
    if plan.hostname:
        files.write(node.hostname, f"{plan.hostname}\n".encode(), 0o644)
        _run(
            "hostname" if is_booting else "hostnamectl", *([] if is_booting else ["hostname"]), plan.hostname
        )
        yield f"host name: {plan.hostname}"
    if plan.interfaces:
        yield from _write_networks(plan, node)
        if not is_booting:
            _run("networkctl", "reload")
    if plan.keys:
        yield f"root's ssh keys: {_add_keys(plan.keys, node.keys)} added"
    for words in plan.network:
        _run("ngcp-network", *words)
        yield f"network.yml: {' '.join(words)}"
    if plan.values:
        _run("ngcpcfg", "set", "config.yml", *plan.values)
        yield f"config.yml: {', '.join(value.partition('=')[0] for value in plan.values)}"
    if plan.network or plan.values:
        _run("ngcpcfg", "commit", "initial configuration")


def _write_networks(plan: Plan, node: Node) -> Iterator[str]:
    """Write a file for each interface; what an earlier plan said of others is over."""
    node.networks.mkdir(parents=True, exist_ok=True)
    wanted = {one.file: "\n".join(one.lines()) + "\n" for one in plan.interfaces}
    for old in node.networks.glob("70-ngcp-*.network"):
        if old.name not in wanted:
            old.unlink()
    for one in plan.interfaces:
        files.write(node.networks / one.file, wanted[one.file].encode(), 0o644)
        yield f"interface {one.name or one.mac}: {', '.join(one.addresses) or 'DHCP'}"


def _add_keys(keys: Sequence[str], path: Path) -> int:
    """Add keys that are not there yet; return how many."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    new = [key for key in dict.fromkeys(keys) if key not in there]
    files.write(path, "".join(f"{line}\n" for line in (*there, *new)).encode(), 0o600)
    return len(new)


def _run(*command: str) -> None:
    """Run a tool whose complaints go where ours go."""
    status = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
    if status:
        raise Refused(f"`{command[0]} {command[1]}` ended with status {status}")


@contextmanager
def find_seed(node: Node) -> Iterator[Path | None]:
    """Give the directory of the seed, None if there is none: a disk's is there as long as it is looked at."""
    for name in DIRECTORIES:
        directory = node.root / name.removeprefix("/")
        if seed.is_seed(directory):
            yield directory
            return
    disks = [node.root / "dev/disk/by-label" / label for label in LABELS]
    disk = next((disk for disk in disks if disk.exists()), None)
    if disk is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as mounted:
        _run("mount", "--options=ro,nosuid,nodev,noexec", str(disk), mounted)
        try:
            yield Path(mounted) if seed.is_seed(Path(mounted)) else None
        finally:
            _run("umount", mounted)


def follow_seed(node: Node) -> int:
    """Use the seed of this machine, if it was not used yet; where there never was one, ask on the console."""
    if shutil.which("udevadm"):
        subprocess.run(["udevadm", "settle", "--timeout=10"], check=False)
    before = node.done.read_text(encoding="utf-8").strip() if node.done.exists() else ""
    with find_seed(node) as directory:
        if directory is None:
            if not before and _can_ask(node):
                subprocess.run(["systemctl", "--no-block", "start", CONSOLE_UNIT], check=False)
            return os.EX_OK
        found = seed.read(directory)
    for key in found.ignored:
        print(f"<4>{key} is not read here")
    if before == f"seed {found.instance}":
        return os.EX_OK
    for line in carry_out(found.plan, node, is_booting=True):
        print(line)
    _note(node, f"seed {found.instance}")
    return os.EX_OK


def _can_ask(node: Node) -> bool:
    """Tell whether there is a console, and nobody who started the machine with a key for root."""
    key = node.root / "run/credentials/@system/ssh.authorized_keys.root"
    return (node.root / "dev/tty0").exists() and not key.exists()


def ask(node: Node) -> int:
    """Let whoever sits there answer, then do it."""
    plan = wizard.ask(sys.stdin, sys.stdout)
    if plan is None:
        print("Nothing was changed. This can be run again: ngcp-initial-configuration")
        return os.EX_OK
    for line in carry_out(plan, node, is_booting=False):
        print(f"  {line}")
    _note(node, "answered on the console")
    _run("ngcpcfg", "apply", "initial configuration")
    print("\n".join(wizard.farewell(plan)))
    return os.EX_OK


def _note(node: Node, text: str) -> None:
    node.done.parent.mkdir(parents=True, exist_ok=True)
    files.write(node.done, f"{text}\n".encode(), 0o644)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 if something was refused."""
    parser = argparse.ArgumentParser(
        prog="ngcp-initial-configuration",
        description="Give the node its host name, its addresses and the administrator's key.",
    )
    parser.add_argument("--unattended", action="store_true", help="use the machine's seed, ask nobody")
    parser.add_argument(
        "--check", type=Path, metavar="DIRECTORY", help="only read a seed, and say what is wrong"
    )
    parsed = parser.parse_args(arguments)
    try:
        if parsed.check:
            return _check(parsed.check)
        return follow_seed(Node()) if parsed.unattended else ask(Node())
    except (Refused, seed.SeedError, OSError) as error:
        print(
            f"<3>ngcp-initial-configuration: {error}" if parsed.unattended else f"Error: {error}",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("\nInterrupted. This can be run again: ngcp-initial-configuration", file=sys.stderr)
    return 1


def _check(directory: Path) -> int:
    if not seed.is_seed(directory):
        raise Refused(f"{directory} does not hold {seed.META} and {seed.USER}")
    for key in seed.read(directory).ignored:
        print(f"{key} is not read here")
    print("the seed is right")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
