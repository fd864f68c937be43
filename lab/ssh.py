"""How we log in on a machine: as root, with the lab's own key, from outside of its network."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.machines import Machine
from lab.process import run, wait_until
from lab.settings import ROOT, STATE

KEY: Final = STATE / "id_ed25519"

#: Wait for the end of the boot, then list the units that are still starting: one that fails to start and is
#: started again and again is neither up nor failed.
STARTING: Final = """\
systemctl is-system-running --quiet --wait
systemctl list-units --state=activating,reloading --no-legend --plain | cut -d' ' -f1
"""
FAILED: Final = "systemctl list-units --state=failed --no-legend --plain | cut -d' ' -f1"


def public_key() -> str:
    """Return the lab's public key, made when first asked for."""
    if not KEY.exists():
        KEY.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ngcp-lab", "-f", KEY)
    return KEY.with_suffix(".pub").read_text().strip()


def options() -> list[str]:
    """List ssh's options; a machine is new each time, so its host key proves nothing and is not kept."""
    settings = {
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        "BatchMode": "yes",
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "6",
        "ProxyUseFdpass": "yes",
        "ProxyCommand": f"{sys.executable} {ROOT / 'lab' / 'connect.py'} %h %p",
    }
    return ["-i", str(KEY), *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]


def common_arguments() -> str:
    """Return the same as one string, as Ansible wants it."""
    return shlex.join(options())


def command(machine: Machine, remote: str, *, is_shared: bool = True) -> list[str]:
    """Make the command that runs a shell command on a machine.

    Commands share a connection, which outlives each of them by a minute: an emulated machine takes seconds to
    exchange keys.
    """
    shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={STATE}/ssh-%C"]
    return ["ssh", *options(), *(shared if is_shared else []), f"root@{machine.address}", "--", remote]


def hang_up(machine: Machine) -> None:
    """End the connection that commands share: the machine is about to go."""
    end = [*command(machine, "")[:-2], "-O", "exit"]
    subprocess.run(end, capture_output=True, stdin=subprocess.DEVNULL, check=False)


def output(
    machine: Machine,
    remote: str,
    *,
    stdin: str | None = None,
    timeout: float = 120.0,
    is_shared: bool = True,
) -> str:
    """Run a shell command on a machine and return what it printed; failure is a LabError."""
    return run(*command(machine, remote, is_shared=is_shared), stdin=stdin, timeout=timeout)


def is_answering(machine: Machine) -> bool:
    """Tell whether we can log in now."""
    done = subprocess.run(
        command(machine, "true"), capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def wait_ready(machine: Machine, log: Path, timeout: float) -> None:
    """Wait until a machine has booted with every unit up; the log is named when it has not."""
    if not wait_until(lambda: is_answering(machine), timeout, interval=0.3):
        raise LabError(
            f"{machine.name} does not answer on {machine.address} after {timeout:.0f} s, see {log}"
        )
    deadline = time.monotonic() + timeout
    while starting := output(machine, STARTING, timeout=timeout).split():
        if time.monotonic() > deadline:
            raise LabError(f"{machine.name}: {' '.join(starting)} still starting; see {log}")
        time.sleep(1.0)
    if failed := output(machine, FAILED).split():
        raise LabError(f"{machine.name}: {' '.join(failed)} failed; see {log}")


def inventory(machine: Machine, host: str) -> str:
    """Describe a machine as Ansible's host `host`; an inventory to use beside the project's own."""
    variables = {
        "ansible_host": machine.address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(KEY),
        "ansible_ssh_common_args": common_arguments(),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    return json.dumps({"all": {"hosts": {host: variables}}}, indent=2)
