"""What a node makes for itself at boot: secrets, certificate, databases, rendered configuration.

ngcp-firstboot.service runs this as root at every boot, before the daemons. Each step does only what is
missing, so that the next boot, or the one after a crash, goes on where this one stopped.
"""

import datetime
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

from ngcp.tools import certificate, files, vault


class StepError(Exception):
    """A step found something that it must not, or cannot, change."""


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node keeps what it makes for itself."""

    secrets: Path = vault.DIRECTORY
    """Directory of the secrets that systemd hands to the units as credentials."""

    certificates: Path = Path("/etc/ngcp-config/shared-files/ssl")
    """Directory of myserver.crt and myserver.key."""

    certificate_group: str = "ssl-cert"
    """Group whose members read the private key: the daemons that speak TLS."""

    console: Path = Path("/dev/console")
    """Where the administrator's first password is shown, once."""

    @property
    def administrator(self) -> Path:
        """File with the first password of the REST API's administrator."""
        return self.secrets / vault.ADMINISTRATOR

    @property
    def key(self) -> Path:
        """Private key of the node, PEM."""
        return self.certificates / "myserver.key"

    @property
    def certificate(self) -> Path:
        """Certificate of the node, PEM."""
        return self.certificates / "myserver.crt"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must stand before the daemons start."""

    name: str
    """What the step is called in messages."""

    do: Callable[[Node], None]
    """Does what is missing; raises OSError, ValueError or StepError."""

    advice: str
    """What an operator does if the step fails."""


def make_secrets(node: Node) -> None:
    """Give each daemon its secret, and before that the administrator a first password.

    Who has set a password of his own may remove the file of the first one: later boots make no new one.
    """
    _ensure_directory(node.secrets, 0o700)
    is_new = not any((node.secrets / name).exists() for name in vault.SIGNING)
    if is_new or node.administrator.exists():
        _ensure_file(node.administrator, 0o600, vault.make_password)
    for name in vault.SIGNING:
        _ensure_file(node.secrets / name, 0o600, vault.make_secret)


def make_certificate(node: Node) -> None:
    """Sign a certificate for this node, unless there is one; a key without certificate is used as it is."""
    if node.certificate.exists() and not node.key.exists():
        raise StepError(f"{node.certificate} is there without {node.key}")
    _ensure_directory(node.certificates, 0o750, node.certificate_group)
    _ensure_file(node.key, 0o640, certificate.generate_key, node.certificate_group)
    _ensure_file(node.certificate, 0o644, lambda: _self_signed(node.key), node.certificate_group)


def upgrade_databases(node: Node) -> None:
    """Bring databases, accounts and the administrator up to what this version needs."""
    _run("ngcp-provision", "upgrade", "--administrator-password-file", str(node.administrator))


def render_configuration(node: Node) -> None:
    """Render the node templates: the node's address may differ from the last boot's."""
    _run("ngcpcfg", "build")


#: In this order: the databases need the administrator's password, the daemons need everything.
STEPS: Final = (
    Step("secrets", make_secrets, "check that /var/lib/ngcp is writable and the disk is not full"),
    Step("certificate", make_certificate, "put key and certificate in place, or remove both"),
    Step("databases", upgrade_databases, "see `systemctl status mariadb` and the lines above"),
    Step("configuration", render_configuration, "correct what the lines above name in /etc/ngcp-config"),
)


def boot(node: Node) -> int:
    """Do all steps; return the exit status. The boot that makes the administrator's password shows it."""
    had_password = node.administrator.exists()
    try:
        return _do_all(node)
    finally:
        if node.administrator.exists() and not had_password:
            _show_password(node)


def main() -> int:
    """Run as ngcp-firstboot.service does."""
    return boot(Node())


def _do_all(node: Node) -> int:
    for step in STEPS:
        try:
            step.do(node)
        except (OSError, ValueError, StepError) as error:
            print(f"<3>step {step.name} failed: {error}", file=sys.stderr)
            print(f"<3>{step.advice}, then `systemctl restart ngcp-firstboot`", file=sys.stderr)
            return os.EX_UNAVAILABLE
    return os.EX_OK


def _show_password(node: Node) -> None:
    """Write the password on the console, never to stderr: that is the journal, which is kept."""
    where = f"read it again with: cat {node.administrator}"
    try:
        with node.console.open("w", encoding="utf-8") as console:
            password = node.administrator.read_text(encoding="ascii")
            console.write(f"\r\nREST API user administrator, password {password} ({where})\r\n")
    except OSError as error:
        print(f"<4>no console to show the administrator's password on: {error}; {where}", file=sys.stderr)


def _self_signed(key: Path) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    return certificate.self_sign(key.read_bytes(), socket.gethostname(), _addresses(), now)


def _addresses() -> list[IPv4Address | IPv6Address]:
    """Return the node's addresses that others can reach."""
    command = ["ip", "-json", "address", "show", "scope", "global"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        raise StepError(f"`{' '.join(command)}`: {result.stderr.strip()}")
    # ip leaves an empty object in the place of each interface or address that has another scope
    infos = [info for link in json.loads(result.stdout) for info in link.get("addr_info", ())]
    return [ip_address(info["local"]) for info in infos if info]


def _run(*command: str) -> None:
    """Run a tool whose output goes where ours goes."""
    status = subprocess.run(command, check=False).returncode
    if status:
        raise StepError(f"`{' '.join(command)}` ended with status {status}")


def _ensure_directory(path: Path, mode: int, group: str | None = None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    files.set_permissions(path, mode, group)


def _ensure_file(path: Path, mode: int, make: Callable[[], bytes], group: str | None = None) -> None:
    """Let the file be there, whole."""
    if path.exists():
        files.set_permissions(path, mode, group)
    else:
        files.write(path, make(), mode, group)
