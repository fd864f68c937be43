"""A load-balancer's configuration on loopback."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from net.certificate import write_certificate
from ngcp.lb.config import Configuration, Internal, Proxy, Public
from ngcp.service.metrics import Metrics


def free_port() -> int:
    """Return a port that is free for UDP and TCP on both addresses."""
    for _ in range(100):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            for host in ("127.0.0.1", "127.0.0.2"):
                stack.enter_context(socket.create_server((host, port)))
            return port
    raise AssertionError("no free port")


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Configuration]:
    certificate, key = write_certificate(tmp_path)
    port, tls_port = free_port(), free_port()
    yield Configuration(
        Public("127.0.0.2", port, tls_port, certificate, key),
        Internal("127.0.0.1", port, port),
        (Proxy("127.0.0.1", free_port()),),
        metrics=Metrics(free_port()),
    )
