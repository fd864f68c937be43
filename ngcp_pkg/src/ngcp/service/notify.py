"""The sd_notify protocol (sd_notify(3)): tells systemd that we are ready, alive or stopping."""

import os
import socket


def notify(*assignments: str) -> None:
    """Send `NAME=value` assignments to systemd; does nothing when nobody supervises us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a name in the abstract name space
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        connection.connect(address)
        connection.sendall("\n".join(assignments).encode())


def watchdog_interval() -> float | None:
    """Return how often to say `WATCHDOG=1`, in seconds (half of `WatchdogSec=`), or None."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC")
    return int(microseconds) / 2e6 if microseconds else None
