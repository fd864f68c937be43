"""Ports that nobody uses now, on the loopback addresses that tests of the daemon listen on."""

import contextlib
import secrets
import socket

#: Below those that the kernel gives to whoever asks for any: such a port may be taken at any moment.
LOWEST, HIGHEST = 11_000, 32_000


def free_port() -> int:
    """Return a port that is free for UDP and TCP on both addresses."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Return the first of so many neighbouring ports that are free for UDP and TCP on both addresses."""
    for _ in range(100):
        first = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                for host in ("127.0.0.1", "127.0.0.2"):
                    stack.enter_context(socket.create_server((host, port)))
                    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    probe.bind((host, port))
            return first
    raise AssertionError("no free ports")
