"""A node in a container: systemd boots in an overlay over the plain Debian root, with none on the host."""

import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab import ssh
from lab.errors import LabError
from lab.machines import Machine
from lab.process import Background, pids, run, wait_until
from lab.settings import APT_PROXY_PORT, CACHE, GATEWAY, NODE_REPOSITORY, ROOT, STATE

BASE: Final = CACHE / "base"
REPOSITORY: Final = CACHE / "repo"
#: Seconds until a container has booted; two are usual.
BOOT_TIMEOUT: Final = 90.0

#: How apt gets out, and that it keeps what it downloaded for the next container.
APT_CONFIGURATION: Final = f"""\
Acquire::http::Proxy "http://{GATEWAY}:{APT_PROXY_PORT}";
Binary::apt::APT::Keep-Downloaded-Packages "true";
APT::Keep-Downloaded-Packages "true";
"""

#: The container's one network interface; systemd-nspawn would make its hardware address up.
NETWORK: Final = """\
[Match]
Name=host0
[Link]
MACAddress={mac}
[Network]
DHCP=ipv4
IPv6AcceptRA=no
"""


@dataclass(frozen=True, slots=True)
class Container:
    """The container of one machine."""

    machine: Machine

    @property
    def directory(self) -> Path:
        """Where its overlay lives; gone when the container is."""
        return STATE / self.machine.name

    @property
    def root(self) -> Path:
        """Its root file system as seen from the host."""
        return self.directory / "root"

    @property
    def background(self) -> Background:
        """The process that runs it: `lab.nspawn`."""
        return Background(self.machine.name)

    @property
    def console(self) -> Path:
        """What it printed on its console."""
        return self.background.log

    def up(self) -> None:
        """Boot it, unless it runs already, and wait until it is ready."""
        if not self.background.is_running():
            self.remove()
            self._make_root()
            self.background.start([sys.executable, "-m", "lab.nspawn", self.machine.name], cwd=ROOT)
        self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        ssh.wait_ready(self.machine, self.console, BOOT_TIMEOUT)

    def down(self) -> None:
        """Power it off and remove it."""
        for leader in self._leaders():
            os.kill(leader, signal.SIGRTMIN + 4)  # systemd's word for "power off", see systemd(1)
        wait_until(lambda: not self.background.is_running(), timeout=20.0)
        self.remove()

    def remove(self) -> None:
        """Remove what is left of it, however it ended."""
        self.background.remove()
        while os.path.ismount(self.root):
            run("umount", "--lazy", self.root)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _leaders(self) -> list[int]:
        """Find its process 1, by the host's number."""
        return pids(self.background.group / "node" / "payload" / "init.scope")[:1]

    def _make_root(self) -> None:
        """Lay an overlay over the base root and seed it."""
        if not (BASE / "usr").is_dir():
            raise LabError(f"{BASE} is missing: make base")
        upper, work = self.directory / "upper", self.directory / "work"
        for directory in (
            upper,
            work,
            self.root,
            STATE / "apt" / "archives" / "partial",
            STATE / "apt" / "lists",
        ):
            directory.mkdir(parents=True, exist_ok=True)
        REPOSITORY.mkdir(exist_ok=True)
        # volatile: nothing of it need survive a crash of the host, so nothing is synced; dpkg likes that
        layers = f"lowerdir={BASE},upperdir={upper},workdir={work},volatile"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        self._seed()

    def _seed(self) -> None:
        """Make the plain root a host of the lab."""
        files = {
            "etc/hostname": f"{self.machine.name}\n",
            "etc/systemd/network/10-host0.network": NETWORK.format(mac=self.machine.mac),
            "etc/apt/apt.conf.d/01lab": APT_CONFIGURATION,
            "root/.ssh/authorized_keys": f"{ssh.public_key()}\n",
        }
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_text(text)
        for unit in ("systemd-networkd.service", "systemd-resolved.service"):
            run("systemctl", "--root", self.root, "enable", unit)
        run("ssh-keygen", "-A", "-f", self.root)

    def binds(self) -> list[str]:
        """List what of the host is mounted into it, in systemd-nspawn's options."""
        return [
            f"--bind-ro={REPOSITORY}:{NODE_REPOSITORY}",
            f"--bind={STATE / 'apt' / 'archives'}:/var/cache/apt/archives",
            f"--bind={STATE / 'apt' / 'lists'}:/var/lib/apt/lists",
        ]
