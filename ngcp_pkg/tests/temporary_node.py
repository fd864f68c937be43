"""A node for ngcpcfg in a temporary directory: the real command line, with every path injected.

What systemctl is asked to do is noted, and `ip` answers what a test has told it.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import ngcpcfg
from ngcpcfg.__main__ import main

SYSTEMCTL = """#!/bin/sh
# Notes what it is asked to do; `show` answers from a file, and a unit in the file `failing` fails.
case $1 in
show) shift; for unit; do :; done; cat "$NODE/units/$unit" 2>/dev/null; exit 0 ;;
esac
echo "$*" >>"$NODE/systemctl.log"
! grep -qx "$2" "$NODE/failing" 2>/dev/null
"""

JOURNALCTL = """#!/bin/sh
# Gives what a test lets a unit say.
cat "$NODE/units/${1#--unit=}.journal" 2>/dev/null
"""

IP = """#!/bin/sh
# ip -j [-4] route show default | ip -j address show [dev NAME]
for last; do :; done
case $* in
*route*) cat "$NODE/routes.json" ;;
*)
    if [ -e "$NODE/addresses-$last.json" ]; then cat "$NODE/addresses-$last.json"; exit; fi
    echo "Device \\"$last\\" does not exist." >&2
    exit 1
    ;;
esac
"""

CONFIG = """\
---
# What the operator sees.
general:
  companyname: Example Telecom
kamailio:
  lb:
    port: 5060
    tls:
      enable: yes
      port: 5061

# Media relay: the range of its ports.
rtpproxy:
  minport: 30000
  maxport: 40000

qos:
  tos_rtp: 184
"""

NETWORK = """\
---
hosts:
  self:
    interfaces: [lo, eth0]
    lo:
      ip: 127.0.0.1
      type: [sip_int, rtp_int]
    eth0:
      ip: 192.0.2.10
      type: [web_ext, sip_ext, rtp_ext]
"""

LB = """\
address: [%= ngcp.address("sip_ext") %]
port: [%= kamailio.lb.port %]
[% if kamailio.lb.tls.enable %]
tls_port: [%= kamailio.lb.tls.port %]
[% endif %]
"""

RELAY = """\
PORT_MIN=[%= rtpproxy.minport %]
PORT_MAX=[%= rtpproxy.maxport %]
TOS=[%= qos.tos_rtp %]
"""

LB_YML = "templates/etc/kamailio/lb/lb.yml.j2"
RELAY_ENV = "templates/etc/default/ngcp-rtpengine-daemon.j2"
RELAY_SERVICES = "templates/etc/default/ngcp-rtpengine-daemon.services"

FILES = {
    "config.yml": CONFIG,
    "network.yml": NETWORK,
    LB_YML: LB,
    "templates/etc/kamailio/lb/lb.yml.services": "ngcp-service --queue kamailio-lb restart\n",
    RELAY_ENV: RELAY,
    RELAY_SERVICES: "ngcp-service --queue ngcp-rtpengine-daemon restart\n",
}


class Result(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The line by which a program tells whether anything has changed."""
        return self.out.splitlines()[-1]


class TemporaryNode:
    """Everything ngcpcfg touches, below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.main = root / "ngcp-config"
        self.vendor = root / "vendor"
        self.output = root / "root"
        self.state = root / "state"
        for directory in ("bin", "root", "units"):
            (root / directory).mkdir(exist_ok=True)
        self._program("systemctl", SYSTEMCTL)
        self._program("ip", IP)
        self._program("ngcp-network", f'#!/bin/sh\nexec "{sys.executable}" -m ngcpcfg.interfaces "$@"\n')
        self._program("journalctl", JOURNALCTL)
        self._program("ngcpcfg", f'#!/bin/sh\nexec "{sys.executable}" -m ngcpcfg "$@"\n')
        # It is started often and needs none but Python's own modules: -S spares the search for others.
        self._program("ngcp-service", f'#!/bin/sh\nexec "{sys.executable}" -S -m ngcpcfg.service "$@"\n')
        self.environment = {
            **os.environ,
            "HOME": str(root),  # without a git configuration, as root's on a node
            "NODE": str(root),
            "NGCPCTL_MAIN": str(self.main),
            "NGCPCTL_VENDOR": str(self.vendor),
            "OUTPUT_DIRECTORY": str(self.output),
            "STATE_FILES_DIR": str(self.state),
            "RUN_DIR": str(root / "run"),
            "NGCP_TESTSUITE": "1",
            "NGCPCFG_LOG": str(root / "log"),
            "PYTHONPATH": str(Path(ngcpcfg.__file__).resolve().parents[1]),
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        }

    def _program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *arguments: str) -> Result:
        """Run the command line to its end, in this process."""
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
        ):
            status = main(arguments)
        out, err = (stream.buffer.getvalue().decode() for stream in streams)
        return Result(status, out, err)

    def call(self, *command: str) -> Result:
        """Run one of the programs to its end, in a process of its own."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the command line in a process group of its own."""
        return subprocess.Popen(
            ["ngcpcfg", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def copy(self, root: Path) -> "TemporaryNode":
        """Make a node that differs from this one only in where it is."""
        for name in ("ngcp-config", "vendor", "root", "state"):
            if (self.root / name).exists():
                shutil.copytree(self.root / name, root / name, symlinks=True)
        node = TemporaryNode(root)
        for file in (node.main / ".git/worktrees/vendor/gitdir", node.vendor / ".git"):
            file.write_text(file.read_text().replace(str(self.root), str(root)))
        return node

    def deploy(self, files: dict[str, str]) -> Result:
        """Bring a new version of some files, as Ansible does."""
        self.write(self.vendor, files)
        return self.run("vendor", "a new version")

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file as an operator does, with an editor."""
        path = self.main / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def write(self, tree: Path, files: dict[str, str]) -> None:
        """Write whole files below a tree."""
        for name, text in files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def rendered(self, target: str) -> str:
        """Read a file that ngcpcfg has made."""
        return (self.output / target.removeprefix("/")).read_text()

    def actions(self) -> list[str]:
        """Give what systemctl was asked to do since the last question."""
        log = self.root / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def git(self, *arguments: str) -> str:
        """Run git in the configuration, as an operator does."""
        return subprocess.run(
            [
                "git",
                "-C",
                str(self.main),
                "-c",
                "user.name=op",
                "-c",
                "user.email=op@example.org",
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def tell_addresses(self, *, route: str | None, **addresses: str) -> None:
        """Let `ip` answer: the interface of the default route, and the addresses of each, apart by blanks."""
        (self.root / "routes.json").write_text(
            json.dumps([{"dst": "default", "dev": route}] if route else [])
        )
        links = [
            {"ifname": name, "addr_info": [_address(address) for address in several.split()]}
            for name, several in addresses.items()
        ]
        (self.root / "addresses-show.json").write_text(json.dumps(links))
        for link in links:
            (self.root / f"addresses-{link['ifname']}.json").write_text(json.dumps([link]))

    def snapshot(self) -> dict[str, bytes]:
        """Give the content of every file below the node's root and configuration, git's own left out."""
        return {
            str(path): path.read_bytes()
            for tree in (self.output, self.main)
            for path in tree.rglob("*")
            if path.is_file() and ".git" not in path.parts
        }


def _address(text: str) -> dict[str, str | bool]:
    """Write an address as `ip` does; one behind a `~` changes for privacy."""
    family, scope = "inet6" if ":" in text else "inet", "link" if text.startswith("fe80") else "global"
    shown: dict[str, str | bool] = {"family": family, "scope": scope, "local": text.strip("~")}
    return shown | ({"temporary": True} if text.startswith("~") else {})
