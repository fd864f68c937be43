"""A node in a virtual machine: the built image on a disk of its own, in QEMU, on the lab's bridge.

QEMU translates (TCG): a nested machine whose host offers /dev/kvm may still not run a stock kernel with it.
"""

import base64
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from lab import network, seed, ssh
from lab.errors import LabError
from lab.machines import Machine, Origin
from lab.process import Background, run
from lab.settings import NAMESPACE_PATH, ROOT, STATE

IMAGE: Final = ROOT / "image" / "out" / "ngcp-appliance.raw"
#: Larger than the image, so that its root has something to grow into.
DISK_SIZE: Final = "8G"
MEMORY_MIB: Final = 2048
#: Seconds until a first boot is done; 60 (BIOS) to 90 (UEFI) are usual on two cores.
BOOT_TIMEOUT: Final = 900.0
OVMF: Final = Path("/usr/share/OVMF")


class Firmware(Enum):
    """What starts the disk's boot loader."""

    BIOS = "bios"
    UEFI = "uefi"


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """The virtual machine of one machine."""

    machine: Machine
    firmware: Firmware = Firmware.BIOS

    @property
    def directory(self) -> Path:
        """Where its disk lives; gone when the machine is."""
        return STATE / self.machine.name

    @property
    def background(self) -> Background:
        """The process that runs it: QEMU."""
        return Background(self.machine.name)

    @property
    def console(self) -> Path:
        """What it printed on its console: the serial line."""
        return self.background.log.with_suffix(".console")

    @property
    def _seed(self) -> Path:
        return self.directory / "seed"

    @property
    def _tap(self) -> str:
        return f"tap{self.machine.host}"

    def up(self) -> None:
        """Boot a fresh copy of the image, unless it runs already, and wait until it is ready."""
        if not self.background.is_running():
            self.down()
            self._make_disk()
            network.add_tap(self._tap)
            self.background.start(network.entered(*self._qemu()))
        self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        ssh.wait_ready(self.machine, self.console, BOOT_TIMEOUT)

    def down(self) -> None:
        """Pull its plug and remove what is left of it, however it ended."""
        self.background.remove()
        if NAMESPACE_PATH.exists():
            network.remove_interface(self._tap)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make_disk(self) -> None:
        """Lay a writable disk over the image, which stays as it was built."""
        if not IMAGE.exists():
            raise LabError(f"{IMAGE} is missing: make image")
        self.directory.mkdir(parents=True)
        disk = self.directory / "disk.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", IMAGE, "-F", "raw", disk, DISK_SIZE)
        if self.machine.origin is not Origin.CREDENTIAL:
            seed.write(self._seed, self.machine, is_fixed=self.machine.origin is Origin.FIXED)
        if self.firmware is Firmware.UEFI:
            shutil.copy(OVMF / "OVMF_VARS_4M.fd", self.directory / "vars.fd")
        self.console.parent.mkdir(parents=True, exist_ok=True)
        self.console.unlink(missing_ok=True)

    def _qemu(self) -> list[str]:
        disk = f"file={self.directory / 'disk.qcow2'},format=qcow2,if=virtio,cache=unsafe,discard=unmap"
        nic = f"tap,ifname={self._tap},script=no,downscript=no,model=virtio-net-pci,mac={self.machine.mac}"
        arguments = {
            "-name": self.machine.name,
            "-machine": "q35",
            "-accel": "tcg,thread=multi",
            "-cpu": "max",
            "-smp": "2",
            "-m": str(MEMORY_MIB),
            "-drive": disk,
            "-nic": nic,
            "-device": "virtio-rng-pci",
            "-display": "none",
            "-serial": f"file:{self.console}",
            "-monitor": "none",
        }
        words = (word for pair in arguments.items() for word in pair)
        return ["qemu-system-x86_64", *words, *self._who_it_is(), *self._flash()]

    def _who_it_is(self) -> list[str]:
        """Hand over root's key, which the image does not hold, and what else its seed says."""
        if self.machine.origin is not Origin.CREDENTIAL:
            disk = f"driver=vvfat,dir={self._seed},label=CIDATA,floppy=off,rw=off"
            return ["-drive", f"if=virtio,format=raw,readonly=on,file.{disk.replace(',', ',file.')}"]
        # systemd takes it from the firmware: systemd.system-credentials(7)
        key = base64.b64encode(ssh.public_key().encode()).decode()
        return ["-smbios", f"type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root={key}"]

    def _flash(self) -> list[str]:
        """List the drives that hold the firmware, if it is not QEMU's own BIOS."""
        if self.firmware is Firmware.BIOS:
            return []
        code = f"if=pflash,format=raw,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}"
        return ["-drive", code, "-drive", f"if=pflash,format=raw,file={self.directory / 'vars.fd'}"]
