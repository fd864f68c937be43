"""The lab's network: a namespace with a bridge, DHCP with fixed leases, and a way out for apt."""

import ctypes
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.machines import MACHINES
from lab.process import Background, run
from lab.settings import BRIDGE, GATEWAY, NAMESPACE, NAMESPACE_PATH, PHONES, PHONES6, PREFIX, ROOT, STATE

DHCP: Final = Background("dhcp")
APT_PROXY: Final = Background("apt-proxy")
CLONE_NEWNET: Final = 0x40000000


@contextmanager
def inside() -> Iterator[None]:
    """Move the calling thread into the lab's network: sockets and processes made meanwhile stay there."""
    if not NAMESPACE_PATH.exists():
        raise LabError("the lab's network does not exist; bring a machine up first")
    with open("/proc/thread-self/ns/net") as outside, NAMESPACE_PATH.open() as namespace:
        _set_namespace(namespace.fileno())
        try:
            yield
        finally:
            _set_namespace(outside.fileno())


def _set_namespace(descriptor: int) -> None:
    """Call setns(2), which `os` has only since Python 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def entered(*argv: str | Path) -> list[str | Path]:
    """Make the command that runs `argv` in the lab's network.

    `ip netns exec` would mount a fresh /sys without control groups, in which a container cannot boot.
    """
    return ["nsenter", f"--net={NAMESPACE_PATH}", *argv]


def up() -> None:
    """Make the network and its services, or what is missing of them."""
    with _alone():
        if not _is_usable():
            _make_namespace()
        for address in (GATEWAY, *PHONES):
            _ip("address", "replace", f"{address}/24", "dev", BRIDGE)
        for address in PHONES6:
            _ip("address", "replace", f"{address}/64", "dev", BRIDGE, "nodad")
        if not DHCP.is_running():
            DHCP.start(entered(*_dnsmasq()))
        if not APT_PROXY.is_running():
            APT_PROXY.start([sys.executable, "-m", "lab.apt_proxy"], cwd=ROOT)


def down() -> None:
    """Remove the network; whatever still runs in it loses it."""
    with _alone():
        APT_PROXY.stop()
        DHCP.stop()
        if NAMESPACE_PATH.exists():
            run("ip", "netns", "delete", NAMESPACE)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time change the network."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "network.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_usable() -> bool:
    """Tell whether the namespace and its bridge are there; a file may be left of a namespace that is gone."""
    try:
        _ip("link", "show", BRIDGE)
    except LabError:
        return False
    return True


def _make_namespace() -> None:
    if NAMESPACE_PATH.exists():
        run("ip", "netns", "delete", NAMESPACE)
    run("ip", "netns", "add", NAMESPACE)
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("link", "set", BRIDGE, "up")


def add_tap(name: str) -> None:
    """Make a network interface for a virtual machine, joined to the bridge."""
    remove_interface(name)
    _ip("tuntap", "add", "dev", name, "mode", "tap")
    _ip("link", "set", name, "master", BRIDGE, "up")


def remove_interface(name: str) -> None:
    """Remove an interface that may be there."""
    with inside():
        if Path(f"/proc/thread-self/net/dev_snmp6/{name}").exists():
            run("ip", "link", "delete", name)


def _ip(*arguments: str) -> str:
    return run("ip", "-n", NAMESPACE, *arguments)


def _dnsmasq() -> list[str]:
    """Make the command of the DHCP server: no DNS, no configuration file, a fixed lease for every machine."""
    hosts = [f"--dhcp-host={machine.mac},{machine.address},{machine.name}" for machine in MACHINES.values()]
    return [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file=",
        "--port=0",
        f"--interface={BRIDGE}",
        "--bind-interfaces",
        f"--dhcp-range={PREFIX}.0,static,255.255.255.0",
        f"--dhcp-option=option:router,{GATEWAY}",
        f"--dhcp-leasefile={os.devnull}",
        "--leasefile-ro",
        "--log-dhcp",
        "--log-facility=-",
        *hosts,
    ]
